"""Files of texts become files of vectors: what a run reads, what it may leave as it is, what it writes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pumice.batch.arrow import arrow
from pumice.batch.cutting import PART_BYTES, Chunk, Counts, Cutter
from pumice.batch.file_part import FilePart
from pumice.batch.flow import Flow
from pumice.batch.folder import OutputFolder, Record
from pumice.batch.inputs import Input, as_locations, find_inputs, is_url
from pumice.batch.job import Job, check_apart, columns_of
from pumice.batch.options import EncodeOptions
from pumice.batch.points import IndexMemory, PointIndex, PointPart, check_options
from pumice.batch.readers import pieces_of, read_blocks
from pumice.batch.report import EncodeProgress, EncodeReport, Progress
from pumice.batch.rows import FAULTS, MALFORMED
from pumice.batch.spare import SpareArrays
from pumice.batch.step import OpenPart, Step
from pumice.errors import InputError

if TYPE_CHECKING:
    from pumice.model import StaticModel

# Rows of the first pieces that go into an index, so that storing begins early. Later ones stay whole: the
# engine holds the interpreter, and every piece has to wait for it.
_POINTS = 1024
_POINTS_BYTES = 64 << 20  # in flight: no more waits for an index than the caches hold
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
    started = time.perf_counter()
    locations = as_locations(inputs)
    options = options or EncodeOptions()
    check_apart(locations, os.fspath(output), options)
    sources = sources_of(locations, options)
    job = Job.of(opened_model(model), options, sources)
    with OutputFolder(output) as folder, whole_output(job, folder):
        folder.agree(job.settings())
        run = Run(job, folder, sources, progress=progress)
        run.go()
        return run.report(time.perf_counter() - started)


def store_files(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    index: PointIndex,
    *,
    options: EncodeOptions | None = None,
    progress: Progress | None = None,
) -> EncodeReport:
    """Embed the texts of files with an index's model, and store them in it; go on where an earlier run was.

    ``index`` is a `pumice.Index`. ``options.id`` names the column of ids (without it a row's id is its file
    and place), ``options.keep`` the payload, ``options.state`` a folder that remembers what is stored, by
    default that of an index in a folder; without one nothing is remembered, and a run that is started again
    stores everything again, under the same ids. Raises InputError, OutputError, and what the index raises.
    """
    started = time.perf_counter()
    options = replace(options or EncodeOptions(), dim=index.dim)
    # One embeds ten times what an index takes, and leaves the processors to what stores.
    options = replace(options, threads=options.threads or 1)
    sources = sources_of(as_locations(inputs), options)
    job = Job.of(index.model, options, sources)
    check_options(options)
    with TemporaryDirectory(prefix="pumice-") as nowhere:
        place = options.state or (index.location if Path(index.location).is_dir() else nowhere)
        with IndexMemory(place, index=index, ids=options.id) as folder:
            folder.agree(job.settings(), rows_stay=True)
            open_part = partial(PointPart, index=index)
            run = Run(job, folder, sources, progress=progress, open_part=open_part)
            run.go()
            return run.report(time.perf_counter() - started)


def check_inputs(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], *, options: EncodeOptions
) -> None:
    """InputError for what ``store_files`` refuses at once, for whoever makes the index only after that."""
    check_options(options)
    columns_of(options, sources_of(as_locations(inputs), options))


def sources_of(locations: Iterable[str], options: EncodeOptions) -> list[Input]:
    """The files of a run; with those that cannot be read, where it goes on past them."""
    past = options.on_error != "fail"
    return find_inputs(locations, as_format=options.input_format, past_faults=past)


@contextmanager
def whole_output(job: Job, folder: OutputFolder) -> Iterator[None]:
    """What files alone do not make of an output: the version of a Lance dataset that names them."""
    if job.options.format != "lance":
        yield
        return
    from pumice.batch import lance_dataset

    lance_dataset.check(folder)
    yield
    lance_dataset.publish(folder, job.schema)


def opened_model(model: StaticModel | str | os.PathLike[str] | None) -> StaticModel:
    """A StaticModel as it is, anything else loaded."""
    from pumice.loading import load
    from pumice.model import StaticModel

    return model if isinstance(model, StaticModel) else load(model)


@dataclass(frozen=True)
class Already:
    """Parts that are there; ``only`` is the one to make of a Parquet input, where others make the rest."""

    records: Records
    only: int | None = None


class Run:
    """One run over some inputs.

    ``already`` is what is there, by default all that the folder knows. ``open_part`` says where parts go, by
    default into files.
    """

    def __init__(
        self,
        job: Job,
        folder: OutputFolder,
        sources: list[Input],
        *,
        progress: Progress | None = None,
        already: Already | None = None,
        open_part: Callable[[Job, OutputFolder, Step], OpenPart] | None = None,
    ) -> None:
        self._open = open_part or FilePart
        self._into_index = open_part is not None
        self._only = already.only if already else None
        self._job = job
        self._folder = folder
        self._sources = sources
        self._progress = progress
        self._started = time.perf_counter()
        self._records = already.records if already else folder.records()
        self._unchanged = 0
        self._done_files = 0
        self._done_bytes = 0
        self.embedded = Counts()
        self.failed: dict[str, str] = {}
        self._part: OpenPart | None = None
        self._spare = SpareArrays(job)

    def go(self) -> None:
        """Embed what is not there yet."""
        limit = max(1, (self._job.options.memory - _BESIDE) // 2)
        if self._into_index:
            limit = min(limit, _POINTS_BYTES)
        flow: Flow[Step] = Flow(size=self._size, limit=limit)
        try:
            flow.run(self._steps(), self._encode, self._write)
        finally:
            if self._part is not None:
                self._part.abandon()

    def report(self, seconds: float) -> EncodeReport:
        """What is there now."""
        outcome = Outcome(self.embedded, self.failed, self._unchanged, seconds)
        return report_of(self._folder, self._sources, self._records, outcome)

    def _steps(self) -> Iterator[Step]:
        """On the reading thread."""
        begun = False
        for source in self._sources:
            done = self._records.get(source.name, {})
            changed = any(not record.is_of(source) for record in done.values())
            if is_complete(done) and not changed:
                self._unchanged += 1
                self._done_bytes += source.size
                self._done_files += 1
                continue
            step: Step | None = None
            try:
                self._job.check(source)
                if changed:
                    self._folder.forget(source)
                    self._records[source.name] = done = {}
                most = None if begun or not self._into_index else _POINTS
                for step in self._steps_of(source, done):
                    yield from step.pieces(most)
                    begun, most = True, None
                _check_unchanged(source)
            except InputError as error:
                if self._job.options.on_error == "fail":
                    raise
                self.failed[source.location] = str(error)
                yield Step(source, 0 if step is None else step.part, 0, None)

    def _steps_of(self, source: Input, done: dict[int, Record]) -> Iterator[Step]:
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
                yield Step(source, part, first_row, chunk, chunk.ends_input)
                skip += chunk.counts.source_rows
                if chunk.ends_part:
                    part, first_row = part + 1, skip
            if cutter.malformed:
                self.embedded += Counts(bad={FAULTS[MALFORMED]: cutter.malformed})
            return
        for part, piece in enumerate(pieces):
            if part in done or self._only not in (None, part):
                continue
            cutter = Cutter(options, self._job.limits, place=source.location)
            blocks = read_blocks(source, columns, piece)
            for chunk in cutter.chunks(blocks, first_row=piece.first_row, one_part=True):
                yield Step(source, part, piece.first_row, chunk, part == len(pieces) - 1)

    def _size(self, step: Step) -> int:
        """Text, its vectors, and the copy of them that a file format makes."""
        if step.chunk is None:
            return 0
        vector = self._job.width * self._job.dtype.itemsize
        return step.chunk.nbytes + 2 * vector * step.chunk.counts.rows

    def _encode(self, step: Step) -> NDArray[Any] | None:
        """On the calling thread."""
        if step.chunk is None:
            return None
        return encode_chunk(self._job, step.chunk, self._spare)

    def _write(self, step: Step, vectors: NDArray[Any] | None) -> None:
        """On the writing thread."""
        if step.chunk is None or vectors is None:
            if self._part is not None:
                self._part.abandon()
                self._part = None
            return
        if self._part is None:
            self._part = self._open(self._job, self._folder, step)
        self._part.add(step.chunk, vectors)
        self._spare.give(vectors)
        counts = step.chunk.counts
        self.embedded += Counts(counts.source_rows, counts.rows, counts.text_bytes)
        fraction = step.chunk.fraction
        if step.ends_part:
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
                    self.embedded.rows,
                    self.embedded.text_bytes,
                    time.perf_counter() - self._started,
                )
            )


@dataclass(frozen=True)
class Outcome:
    """What a run did: ``embedded.bad`` counts its malformed rows alone, which no record can hold."""

    embedded: Counts
    failed: dict[str, str]
    unchanged: int
    seconds: float


def report_of(
    folder: OutputFolder, sources: list[Input], records: Records, outcome: Outcome
) -> EncodeReport:
    """The report of a run and of the folder as it is after it."""
    names = {source.name for source in sources}
    known = [r for name, parts in records.items() if name in names for r in parts.values()]
    counts = sum((record.counts for record in known), Counts(bad=outcome.embedded.bad))
    return EncodeReport(
        output=folder.location,
        files=len(sources),
        files_unchanged=outcome.unchanged,
        rows=counts.rows,
        text_bytes=counts.text_bytes,
        bad=counts.bad,
        embedded_rows=outcome.embedded.rows,
        embedded_bytes=outcome.embedded.text_bytes,
        output_files=len(known),
        output_bytes=sum(max(0, record.file_bytes) for record in known),
        seconds=outcome.seconds,
        failed=outcome.failed,
    )


def encode_chunk(job: Job, chunk: Chunk, spare: SpareArrays) -> NDArray[Any]:
    """The vectors of a chunk's texts, which are read where they lie, in a spare array."""
    pa = arrow()
    texts = [rows.text for rows in chunk.rows]
    if len({text.type for text in texts}) > 1:
        texts = [text.cast(pa.large_string()) for text in texts]
    out = spare.take(sum(map(len, texts)))
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


def is_complete(done: dict[int, Record]) -> bool:
    """Whether every part of an input is there."""
    last = [part for part, record in done.items() if record.last]
    return bool(last) and all(part in done for part in range(last[0]))


def _check_unchanged(source: Input) -> None:
    """InputError for a file that was written to while it was read."""
    if is_url(source.location):
        return
    try:
        found = Path(source.location).stat()
    except OSError as error:
        raise InputError(f"{source.location}: cannot be read any more: {error.strerror}") from None
    if (found.st_size, str(found.st_mtime_ns)) != (source.size, source.version):
        raise InputError(
            f"{source.location}: has changed while it was read: start the same command again when it is written"
        )
