"""Files of texts become files of vectors: what a run reads, what it may leave as it is, what it writes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pumice.batch.arrow import arrow
from pumice.batch.cutting import PART_BYTES, Chunk, Counts, Cutter
from pumice.batch.flow import Flow
from pumice.batch.folder import OutputFolder, Record, file_name
from pumice.batch.inputs import Input, as_locations, find_inputs, is_url
from pumice.batch.job import Job, check_apart
from pumice.batch.options import EncodeOptions
from pumice.batch.parts import SUFFIXES, PartWriter, new_part
from pumice.batch.readers import pieces_of, read_blocks
from pumice.batch.report import EncodeProgress, EncodeReport, Progress
from pumice.batch.rows import GOOD
from pumice.batch.stores import writing
from pumice.errors import InputError

if TYPE_CHECKING:
    from pumice.model import StaticModel

# What Python, numpy, Arrow, a mapped model and a reader's own buffers take beside the rows in flight.
_BESIDE = 224 << 20

Records = dict[str, dict[int, Record]]


def encode_files(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    model: StaticModel | str | os.PathLike[str] | None = None,
    options: EncodeOptions | None = None,
    progress: Progress | None = None,
) -> EncodeReport:
    """Embed the texts of files into files of vectors; what an earlier run has finished is left as it is.

    ``inputs`` are files, folders, globs or URLs that fsspec knows, of Parquet, Arrow, JSON Lines, CSV, TSV or
    plain text, packed or not. ``output`` is a folder or a URL. A file of output holds rows of one input, in
    their order, and is called after it. Killed at any moment, the same call goes on where it was and ends with
    the same bytes; an input that is new or has changed is all that a later call embeds. ``model`` is a
    StaticModel or what ``pumice.load`` takes. Raises InputError and OutputError.
    """
    from pumice.loading import load
    from pumice.model import StaticModel

    started = time.perf_counter()
    options = options or EncodeOptions()
    locations = as_locations(inputs)
    sources = find_inputs(locations, as_format=options.input_format)
    check_apart(locations, os.fspath(output))
    loaded = model if isinstance(model, StaticModel) else load(model)
    job = Job.of(loaded, options, sources)
    with OutputFolder(output) as folder:
        folder.agree(job.settings())
        run = Run(job, folder, sources, progress=progress)
        run.go()
        return run.report(time.perf_counter() - started)


@dataclass(frozen=True)
class _Step:
    """A chunk on its way into a part; without a chunk, word that its part will not be finished."""

    source: Input
    part: int
    first_row: int
    chunk: Chunk | None
    last_part: bool = True

    @property
    def file_ends(self) -> bool:
        return self.chunk is not None and self.chunk.ends_part


class Run:
    """One run over some inputs, perhaps on one of several machines that share the output folder."""

    def __init__(
        self,
        job: Job,
        folder: OutputFolder,
        sources: list[Input],
        *,
        progress: Progress | None = None,
    ) -> None:
        self._job = job
        self._folder = folder
        self._sources = sources
        self._progress = progress
        self._started = time.perf_counter()
        self._records = folder.records()
        self._unchanged = 0
        self._done_files = 0
        self._done_bytes = 0
        self._embedded = Counts()
        self._malformed = 0
        self.failed: dict[str, str] = {}
        self._part: _OpenPart | None = None

    def go(self) -> None:
        """Embed what is not there yet."""
        limit = max(1, (self._job.options.memory - _BESIDE) // 2)
        flow: Flow[_Step] = Flow(size=self._size, limit=limit)
        try:
            flow.run(self._steps(), self._encode, self._write)
        finally:
            if self._part is not None:
                self._part.abandon()

    def report(self, seconds: float) -> EncodeReport:
        """What is there now."""
        names = {source.name for source in self._sources}
        records = [r for n, parts in self._records.items() if n in names for r in parts.values()]
        counts = sum((record.counts for record in records), Counts())
        bad = dict(counts.bad)
        if self._malformed:
            bad["not a row"] = bad.get("not a row", 0) + self._malformed
        return EncodeReport(
            output=self._folder.location,
            files=len(self._sources),
            files_unchanged=self._unchanged,
            rows=counts.rows,
            text_bytes=counts.text_bytes,
            bad=bad,
            embedded_rows=self._embedded.rows,
            embedded_bytes=self._embedded.text_bytes,
            output_files=len(records),
            output_bytes=sum(record.file_bytes for record in records),
            seconds=seconds,
            failed=self.failed,
        )

    def _steps(self) -> Iterator[_Step]:
        """On the reading thread."""
        for source in self._sources:
            done = self._records.get(source.name, {})
            if any(not record.is_of(source) for record in done.values()):
                self._folder.forget(source)
                self._records[source.name] = done = {}
            if _is_complete(done):
                self._unchanged += 1
                self._done_bytes += source.size
                self._done_files += 1
                continue
            step: _Step | None = None
            try:
                self._job.check(source)
                for step in self._steps_of(source, done):
                    yield step
                _check_unchanged(source)
            except InputError as error:
                if self._job.options.on_error == "fail":
                    raise
                self.failed[source.location] = str(error)
                yield _Step(source, 0 if step is None else step.part, 0, None)

    def _steps_of(self, source: Input, done: dict[int, Record]) -> Iterator[_Step]:
        options, columns = self._job.options, self._job.columns
        pieces = pieces_of(source, piece_bytes=PART_BYTES, piece_rows=options.rows_per_file)
        if pieces is None:
            part = 0
            skip = 0
            while part in done:
                skip += done[part].counts.source_rows
                part += 1
            first_row = skip
            cutter = Cutter(options, self._job.limits, place=source.location)
            for chunk in cutter.chunks(read_blocks(source, columns), skip=skip):
                yield _Step(source, part, first_row, chunk, chunk.ends_input)
                skip += chunk.counts.source_rows
                if chunk.ends_part:
                    part, first_row = part + 1, skip
            self._malformed += cutter.malformed
            return
        for part, piece in enumerate(pieces):
            if part in done:
                continue
            cutter = Cutter(options, self._job.limits, place=source.location)
            blocks = read_blocks(source, columns, piece)
            for chunk in cutter.chunks(blocks, first_row=piece.first_row, one_part=True):
                yield _Step(source, part, piece.first_row, chunk, part == len(pieces) - 1)

    def _size(self, step: _Step) -> int:
        """Text, its vectors, and the copy of them that a file format makes."""
        if step.chunk is None:
            return 0
        vector = self._job.width * self._job.dtype.itemsize
        return step.chunk.nbytes + 2 * vector * step.chunk.counts.rows

    def _encode(self, step: _Step) -> NDArray[Any] | None:
        """On the calling thread."""
        if step.chunk is None:
            return None
        return encode_chunk(self._job, step.chunk)

    def _write(self, step: _Step, vectors: NDArray[Any] | None) -> None:
        """On the writing thread."""
        if step.chunk is None or vectors is None:
            if self._part is not None:
                self._part.abandon()
                self._part = None
            return
        if self._part is None:
            self._part = _OpenPart(self._job, self._folder, step)
        self._part.add(step.chunk, vectors)
        self._embedded = self._embedded + step.chunk.counts
        fraction = step.chunk.fraction
        if step.file_ends:
            record = self._part.finish(last=step.last_part)
            self._records.setdefault(record.input, {})[record.part] = record
            self._part = None
            if step.last_part:
                self._done_files += 1
                self._done_bytes += step.source.size
                fraction = 0.0
        if self._progress is not None:
            self._progress(
                EncodeProgress(
                    self._done_files,
                    len(self._sources),
                    self._done_bytes + int(fraction * step.source.size),
                    sum(source.size for source in self._sources),
                    self._embedded.rows,
                    self._embedded.text_bytes,
                    time.perf_counter() - self._started,
                )
            )


class _OpenPart:
    """A file of output on its way: under a temporary name until it is complete."""

    def __init__(self, job: Job, folder: OutputFolder, step: _Step) -> None:
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


def encode_chunk(job: Job, chunk: Chunk) -> NDArray[Any]:
    """The vectors of a chunk's texts, read where they lie."""
    pa = arrow()
    texts = [rows.text for rows in chunk.rows]
    if len({text.type for text in texts}) > 1:
        texts = [text.cast(pa.large_string()) for text in texts]
    out = np.empty((sum(map(len, texts)), job.width), job.dtype)
    if len(out):
        options = job.options
        job.model.encode(
            pa.chunked_array(texts),
            dim=options.dim,
            dtype=options.dtype,
            threads=options.threads,
            out=out,
        )
    return out


def _is_complete(done: dict[int, Record]) -> bool:
    last = [part for part, record in done.items() if record.last]
    return bool(last) and all(part in done for part in range(last[0]))


def _check_unchanged(source: Input) -> None:
    """InputError for a file that was written to while it was read."""
    if is_url(source.location):
        return
    found = Path(source.location).stat()
    if (found.st_size, str(found.st_mtime_ns)) != (source.size, source.version):
        raise InputError(
            f"{source.location}: has changed while it was read: start the same command again when it is written"
        )
