"""Rows of files as points of a search index: texts, ids, payloads and vectors, the same again on every run.

An index is what `pumice.Index` is: this module knows its `add` and `flush` alone, and imports nothing of it.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pumice.batch.cutting import Chunk, Counts
from pumice.batch.folder import OutputFolder, Record, file_name
from pumice.batch.job import Job
from pumice.batch.step import Step
from pumice.errors import InputError


class PointIndex(Protocol):
    """What stores records and survives ``kill -9`` with what `add` has returned from."""

    model: Any
    dim: int
    location: str

    def add(self, records: list[dict[str, Any]], *, vectors: NDArray[np.float32]) -> Any:
        """Store records with "id" and "text", replacing those whose id is there."""

    def flush(self) -> None:
        """Make everything survive a power cut too."""


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
            texts = rows.text.to_pylist()
            columns = {
                name: column.to_pylist() for name, column in zip(names, rows.kept, strict=True)
            }
            if self._id:
                ids = columns.pop(self._id)
            else:
                before = f"{self._step.source.name}#{self._step.part}."
                first = self._counts.rows + at
                ids = [f"{before}{row}" for row in range(first, first + len(texts))]
            columns.update(id=ids, text=texts)
            records = [
                dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
            ]
            found = vectors[at : at + len(texts)]
            at += len(texts)
            if rows.faults is not None and rows.faults.any():
                good = rows.faults == 0
                records = [one for one, keep in zip(records, good.tolist(), strict=True) if keep]
                found = found[good]
            self._index.add(records, vectors=found)
        self._counts = self._counts + chunk.counts

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
        )
        self._folder.remember(record)
        return record

    def abandon(self) -> None:
        """What is stored stays; the next run stores it again under the same ids."""


def check_options(job: Job) -> None:
    """InputError for what an index cannot keep."""
    if job.options.dtype != "float32":
        raise InputError(
            f"an index takes float32 vectors, not {job.options.dtype}: how it keeps them is its own setting"
        )
    if job.options.column != "vector" or job.options.layout or job.options.format != "parquet":
        raise InputError("column, layout and format are of files: leave them out for an index")
    for name in job.columns.keep:
        if name in ("id", "text") and name != job.options.id:
            raise InputError(
                f'the column "{name}" cannot be kept in an index, which has a field of that name'
            )
