"""Batch embedding on Ray Data: the files of a run over a cluster, or a stage of your own pipeline.

The only user of ray. A model is mapped from its file, which every process of a node shares; where nodes do not
see that file, its bytes come by way of Ray's object store and lie once in each node's temporary folder.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumice import errors
from pumice.batch.arrow import arrow
from pumice.batch.cutting import PART_BYTES, Counts
from pumice.batch.encoding import (
    Outcome,
    Records,
    Run,
    is_complete,
    opened_model,
    report_of,
)
from pumice.batch.folder import OutputFolder
from pumice.batch.inputs import Input, as_locations, find_inputs
from pumice.batch.job import Job, check_apart
from pumice.batch.options import EncodeOptions
from pumice.batch.parts import SUFFIXES
from pumice.batch.readers import pieces_of
from pumice.batch.report import EncodeProgress, EncodeReport, Progress
from pumice.batch.rows import check_text_type
from pumice.batch.vectors import as_column, column_type
from pumice.errors import InputError, MissingExtraError, PumiceError

if TYPE_CHECKING:
    from pumice.model import StaticModel


class Encoder:
    """A stage of a pipeline: ``dataset.map_batches(Encoder("body", dim=256), batch_format="pyarrow")``.

    Adds a column of vectors to each batch. ``model`` is a StaticModel or what ``pumice.load`` takes; it is
    opened once in each process. Rows whose text is null get a null vector.
    """

    def __init__(
        self,
        text: str,
        *,
        model: StaticModel | str | os.PathLike[str] | None = None,
        options: EncodeOptions | None = None,
        dim: int | None = None,
        dtype: str = "float32",
    ) -> None:
        if options is not None and (dim is not None or dtype != "float32"):
            raise InputError("give dim and dtype in options, or without options")
        self._options = options or EncodeOptions(text=text, dim=dim, dtype=dtype, threads=1)
        self._text = text
        self._given = SharedModel.of(opened_model(model))
        self._model: StaticModel | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the model: the process that gets this maps the file."""
        return {**self.__dict__, "_model": None}

    def __call__(self, batch: Any) -> Any:
        """An Arrow table with the vectors beside its columns."""
        pa, pc, options = arrow(), arrow("pyarrow.compute"), self._options
        if self._model is None:
            self._model = self._given.open()
        if self._text not in batch.column_names:
            listed = ", ".join(f'"{name}"' for name in batch.column_names)
            raise InputError(f'the batch has no column "{self._text}": it has {listed}')
        column = batch[self._text]
        check_text_type(column.type, place="the batch", name=self._text)
        bad = column.is_null().to_numpy() if column.null_count else None
        texts = pc.fill_null(column, "") if column.null_count else column
        if pa.types.is_null(texts.type):
            texts = pa.chunked_array([pa.array([""] * len(column))])
        vectors = self._model.encode(
            texts, dim=options.dim, dtype=options.dtype, threads=options.threads
        )
        kind = column_type(options, width=vectors.shape[1])
        return batch.append_column(options.column, as_column(vectors, kind, bad))


def encode_files(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    model: StaticModel | str | os.PathLike[str] | None = None,
    options: EncodeOptions | None = None,
    progress: Progress | None = None,
) -> EncodeReport:
    """``pumice.batch.encode_files`` on a Ray cluster: the same files, the same bytes, the same resuming.

    A task makes one output file of a Parquet input, or all those of an input in another format, on one
    processor. Inputs and output must be what every node can reach: URLs, or a folder that all of them mount.
    A task whose worker or node dies is run again elsewhere. If the calling process dies, the next call goes on
    behind the files that were complete. Uses the cluster that ``ray.init`` or RAY_ADDRESS names, else this
    machine. Raises InputError and OutputError.
    """
    started = time.perf_counter()
    locations = as_locations(inputs)
    check_apart(locations, os.fspath(output))
    options = options or EncodeOptions()
    sources = find_inputs(locations, as_format=options.input_format)
    job = Job.of(opened_model(model), options, sources)
    with OutputFolder(output) as folder, _data() as data:
        folder.agree(job.settings())
        records = folder.records()
        waiting = _waiting(sources, records, folder)
        shared = _Task(SharedModel.of(job.model), options, folder.location, job.columns)
        embedded, done = Counts(), len(sources) - len(waiting)
        failed: dict[str, str] = {}
        unchanged = done
        for told in _results(data, waiting, shared):
            if told["error"]:
                raise getattr(errors, told["error"])(told["message"])
            rows, size, bad = told["rows"], told["text_bytes"], json.loads(told["bad"])
            embedded += Counts(0, rows, size, bad)
            failed.update(json.loads(told["failed"]))
            done += told["ends_input"]
            if progress is not None:
                _tell(progress, sources, done, embedded, time.perf_counter() - started)
        outcome = Outcome(embedded, failed, unchanged, time.perf_counter() - started)
        return report_of(folder, sources, folder.records(), outcome)


def _waiting(sources: list[Input], records: Records, folder: OutputFolder) -> list[Input]:
    """The inputs with something left to do; what was made of an older version is removed."""
    waiting = []
    for source in sources:
        done = records.get(source.name, {})
        if any(not record.is_of(source) for record in done.values()):
            folder.forget(source)
            done = {}
        if not is_complete(done):
            waiting.append(source)
    return waiting


def _results(data: Any, waiting: list[Input], task: _Task) -> Iterator[dict[str, Any]]:
    """What each task told, as they end.

    Ray Data runs a task again whose worker or node has died, without end, and not one that raised.
    """
    if not waiting:
        return
    items = [{"source": asdict(source)} for source in waiting]
    parts = data.from_items(items, override_num_blocks=len(items)).flat_map(task.plan, num_cpus=1)
    # A block a task, so that the death of a worker costs one output file at most.
    parts = parts.repartition(target_num_rows_per_block=1)
    told = parts.map(task.run, num_cpus=1)
    try:
        yield from told.iter_rows()
    except PumiceError:
        raise
    except Exception as error:  # what Ray raises has no common parent
        raise PumiceError(f"Ray: {' '.join(str(error).split())[:300]}") from error


@dataclass(frozen=True)
class SharedModel:
    """A model by its file; by a reference to its bytes where a node has no such file."""

    location: str
    fingerprint: str
    data: Any

    @classmethod
    def of(cls, model: StaticModel) -> SharedModel:
        """Put the bytes into the object store of a cluster that has other nodes."""
        ray = _ray()
        source = model._file.source
        here = Path(source).is_file()
        alone = here and (not ray.is_initialized() or len(ray.nodes()) == 1)
        data = None
        if not alone:
            content = model._file.to_bytes()
            data = ray.put(content) if ray.is_initialized() else content
        location = str(Path(source).resolve()) if here else ""
        return cls(location, model.fingerprint, data)

    def open(self) -> StaticModel:
        """Map the file of this node, which is written where it is not there yet."""
        from pumice.loading import load
        from pumice.modelfile.writing import write_whole

        places = [Path(self.location)] if self.location else []
        places.append(Path(tempfile.gettempdir()) / f"pumice-{self.fingerprint}.pumice")
        for place in places:
            if place.is_file() and (model := load(place)).fingerprint == self.fingerprint:
                return model
        if self.data is None:
            raise InputError(
                f"{self.location}: is no longer the model that it was: start the run again"
            )
        content = self.data if isinstance(self.data, bytes) else _ray().get(self.data)
        write_whole(places[-1], content)
        return load(places[-1])


@dataclass(frozen=True)
class _Task:
    """What every task is told; small, but for the model."""

    model: SharedModel
    options: EncodeOptions
    output: str
    columns: Any

    def plan(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """One row for each part of a Parquet input that is not there; else one for all parts."""
        source = Input(**row["source"])
        whole = [{"source": row["source"], "only": -1, "last": True}]
        try:
            pieces = pieces_of(
                source, piece_bytes=PART_BYTES, piece_rows=self.options.rows_per_file
            )
        except PumiceError:
            return whole  # the run says what is wrong
        if pieces is None:
            return whole
        folder = OutputFolder(self.output)
        suffix = SUFFIXES[self.options.format]
        missing = [at for at in range(len(pieces)) if folder.record(source, at, suffix) is None]
        return [{"source": row["source"], "only": at, "last": at == missing[-1]} for at in missing]

    def run(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Make the part, or the parts."""
        from dataclasses import replace

        source = Input(**row["source"])
        only = None if row["only"] < 0 else int(row["only"])
        options = replace(self.options, threads=self.options.threads or 1)
        job = Job.with_columns(self.model.open(), options, self.columns)
        folder = OutputFolder(self.output, own=f"{os.getpid()}x{time.time_ns():x}")
        done = {}
        part = 0 if only is None else only
        while record := folder.record(source, part, SUFFIXES[options.format]):
            done[part] = record
            part += 1
            if only is not None:
                break
        run = Run(job, folder, [source], records={source.name: done}, only=only)
        kind = message = ""
        try:
            run.go()
        except PumiceError as error:  # Ray would lose it among its own
            kind, message = type(error).__name__, str(error)
        counts = asdict(run.embedded)
        return {
            "rows": counts["rows"],
            "text_bytes": counts["text_bytes"],
            "bad": json.dumps(counts["bad"]),
            "failed": json.dumps(run.failed),
            "ends_input": bool(row["last"]),
            "error": kind,
            "message": message,
        }


def _tell(
    progress: Progress, sources: list[Input], done: int, embedded: Counts, seconds: float
) -> None:
    total = sum(source.size for source in sources)
    progress(
        EncodeProgress(
            done,
            len(sources),
            total * done // len(sources),
            total,
            embedded.rows,
            embedded.text_bytes,
            seconds,
        )
    )


@contextmanager
def _data() -> Iterator[Any]:
    """Ray Data on the cluster that is there, or on this machine for as long as this lasts."""
    import logging

    ray = _ray()
    ours = not ray.is_initialized()
    if ours:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, include_dashboard=False)
    context = ray.data.DataContext.get_current()
    shown = context.enable_progress_bars
    context.enable_progress_bars = False
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield ray.data
    finally:
        context.enable_progress_bars = shown
        logger.setLevel(level)
        if ours:
            ray.shutdown()


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError("ray", "ray") from error
    return ray
