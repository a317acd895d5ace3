"""A part that becomes a file: under a temporary name until it is complete."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.batch.arrow import arrow
from pumice.batch.cutting import Chunk, Counts
from pumice.batch.folder import OutputFolder, Record, file_name
from pumice.batch.job import Job
from pumice.batch.parts import SUFFIXES, PartWriter, new_part
from pumice.batch.rows import GOOD
from pumice.batch.step import Step
from pumice.batch.stores import writing


class FilePart:
    """See OpenPart."""

    def __init__(self, job: Job, folder: OutputFolder, step: Step) -> None:
        self._folder = folder
        self._step = step
        self._job = job
        self._file = file_name(step.source, step.part, SUFFIXES[job.options.format])
        folder.check_free(self._file)
        self._path: Path = folder.partial(self._file)
        self._counts = Counts()
        with writing(folder.location):
            self._writer: PartWriter = new_part(
                self._path, job.options, job.schema, width=job.width
            )

    def add(self, chunk: Chunk, vectors: NDArray[Any]) -> None:
        """Write a chunk's rows."""
        pa, faults = arrow(), [rows.faults for rows in chunk.rows]
        bad: NDArray[np.bool_] | None = None
        if any(one is not None for one in faults):
            bad = np.concatenate(
                [
                    np.zeros(len(rows), bool) if one is None else one > GOOD
                    for rows, one in zip(chunk.rows, faults, strict=True)
                ]
            )
        kept = [
            # In one piece: how Parquet packs a column depends on the pieces that it comes in.
            pa.chunked_array([rows.kept[at] for rows in chunk.rows], type=kind).combine_chunks()
            for at, kind in enumerate(self._job.columns.types)
        ]
        with writing(self._folder.location):
            self._writer.write(kept, vectors, bad)
        self._counts = self._counts + chunk.counts

    def finish(self, *, last: bool) -> Record:
        """Complete the file and give it its name."""
        source = self._step.source
        with writing(self._folder.location):
            self._writer.close()
            size = self._path.stat().st_size
        record = Record(
            input=source.name,
            size=source.size,
            version=source.version,
            part=self._step.part,
            first_row=self._step.first_row,
            counts=self._counts,
            file=self._file,
            file_bytes=size,
            last=last,
        )
        self._folder.finish(record)
        return record

    def abandon(self) -> None:
        """Leave nothing of it."""
        with suppress(Exception):  # the disk may be full
            self._writer.close()
        self._path.unlink(missing_ok=True)
