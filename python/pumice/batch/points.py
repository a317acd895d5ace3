"""Rows of files as points of a search index: texts, ids, payloads and vectors, the same again on every run.

An index is what `pumice.Index` is: this module knows its `add_columns`, `delete` and `flush` alone, and
imports nothing of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pumice.batch.cutting import Chunk, Counts
from pumice.batch.folder import OutputFolder, Record, file_name
from pumice.batch.inputs import Input, is_url
from pumice.batch.job import Job
from pumice.batch.options import EncodeOptions
from pumice.batch.rows import GOOD
from pumice.batch.step import Step
from pumice.errors import InputError

_DELETED_AT_ONCE = 4096


class PointIndex(Protocol):
    """What stores records and survives ``kill -9`` with what `add_columns` has returned from."""

    model: Any
    dim: int
    location: str

    def add_columns(self, columns: dict[str, Any], *, vectors: NDArray[np.float32]) -> Any:
        """Store records, a column of each field, "id" and "text" among them, replacing those there."""

    def delete(self, ids: Iterable[str]) -> int:
        """Delete records; an id that is not there is no error."""

    def flush(self) -> None:
        """Make everything survive a power cut too."""


class IndexMemory(OutputFolder):
    """The records of what an index holds: where an input has changed, its old rows go with them.

    Their ids are known where they were made of the file's name and the place. Another file of that name would
    have the same ones: while the first is still there, that is refused. Ids of a column may have moved to
    another file that is stored already: those rows stay.
    """

    def __init__(
        self, location: str | os.PathLike[str], *, index: PointIndex, ids: str | None
    ) -> None:
        """``ids`` is the column of ids."""
        super().__init__(location)
        self._index, self._ids = index, ids

    def agree(self, settings: dict[str, Any], *, rows_stay: bool = True) -> None:
        """Those of the run, and which index it is, where the memory does not lie in it and move with it."""
        place = _absolute(self._index.location)
        if place != _absolute(self.location):
            settings = {**settings, "index": place}
        super().agree(settings, rows_stay=rows_stay)

    def forget(self, source: Input) -> None:
        """Delete the rows, then the records: a run that is killed in between does it again.

        InputError, and nothing deleted, where they are of another file.
        """
        if self._ids is None:
            records = self.records_of(source)
            for record in records:
                _check_same_file(record, source)
            made = (
                made_id(source, record.part, place)
                for record in records
                for place in range(record.counts.rows)
            )
            while some := list(islice(made, _DELETED_AT_ONCE)):
                self._index.delete(some)
            self._index.flush()
        super().forget(source)


class PointPart:
    """A part whose rows go into an index; its record is written when they are all there.

    The id of a row is that of the column ``id``, else its file's name and its place: stored twice, it is there
    once.
    """

    def __init__(self, job: Job, folder: OutputFolder, step: Step, *, index: PointIndex) -> None:
        self._job, self._folder, self._step = job, folder, step
        self._index, self._id = index, job.options.id
        self._counts = Counts()

    def add(self, chunk: Chunk, vectors: NDArray[Any]) -> None:
        """Store a chunk's rows; bad ones have no vector and are left out."""
        at = 0
        names = self._job.columns.keep
        for rows in chunk.rows:
            found = vectors[at : at + len(rows)]
            places: Any = range(at, at + len(rows))
            at += len(rows)
            if rows.faults is not None and rows.faults.any():
                good = np.flatnonzero(rows.faults == GOOD)
                found, places = found[good], [places[row] for row in good.tolist()]
                rows = rows.without_bad()
            columns = dict(zip(names, rows.kept, strict=True))
            columns["id"] = columns.pop(self._id) if self._id else self._made_ids(places)
            columns["text"] = rows.text
            self._index.add_columns(columns, vectors=found)
        self._counts = self._counts + chunk.counts

    def _made_ids(self, places: Iterable[int]) -> list[str]:
        before = made_id(self._step.source, self._step.part, "")
        return [f"{before}{self._counts.rows + place}" for place in places]

    def finish(self, *, last: bool) -> Record:
        """Everything is stored: remember that."""
        self._index.flush()
        source = self._step.source
        record = Record(
            input=source.name,
            size=source.size,
            version=source.version,
            part=self._step.part,
            first_row=self._step.first_row,
            counts=self._counts,
            file=file_name(source, self._step.part, ""),
            file_bytes=-1,
            last=last,
            location=_absolute(source.location),
        )
        self._folder.remember(record)
        return record

    def abandon(self) -> None:
        """What is stored stays; the next run stores it again under the same ids."""


def made_id(source: Input, part: int, place: int | str) -> str:
    """Of a row without an id: stored again, it replaces itself."""
    return f"{source.name}#{part}.{place}"


def _absolute(location: str) -> str:
    return location if is_url(location) else os.path.abspath(location)


def _check_same_file(record: Record, source: Input) -> None:
    """InputError for rows of a file that lies elsewhere; one that is there no more has moved."""
    before, now = record.location, _absolute(source.location)
    if before in ("", now):
        return
    if not is_url(before) and not os.path.exists(before):
        return
    if not (is_url(before) or is_url(now)) and os.path.samefile(before, now):
        return
    raise InputError(
        f"{source.location}: would replace the rows of {before}, which has the same name and so the same ids: "
        "store it into an index of its own, or both into a new one, named by the folder that holds them or "
        "with a column of ids (--id)"
    )


def check_options(options: EncodeOptions) -> None:
    """InputError for what an index cannot keep."""
    if options.dtype != "float32":
        raise InputError(
            f"an index takes float32 vectors, not {options.dtype}: how it keeps them is its own setting"
        )
    if options.column != "vector" or options.layout or options.format != "parquet":
        raise InputError("column, layout and format are of files: leave them out for an index")
    for name in options.keep:
        if name in ("id", "text") and name != options.id:
            raise InputError(
                f'the column "{name}" cannot be kept in an index, which has a field of that name'
            )
