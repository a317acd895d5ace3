"""Batch embedding on Ray: the files of a run over a cluster, or a stage of your own pipeline on Ray Data.

A model is mapped from its file, which every process of a node shares; where nodes do not see that file, its
bytes come by way of Ray's object store and lie once in each node's temporary folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pumice.batch.arrow import arrow
from pumice.batch.cluster import SharedModel, Task, error_told, ray_cluster, results
from pumice.batch.cutting import Counts
from pumice.batch.encoding import (
    Outcome,
    Records,
    is_complete,
    opened_model,
    report_of,
    sources_of,
    whole_output,
)
from pumice.batch.folder import OutputFolder
from pumice.batch.inputs import Input, as_locations
from pumice.batch.job import Job, check_apart
from pumice.batch.options import EncodeOptions
from pumice.batch.points import IndexMemory, check_options
from pumice.batch.report import EncodeProgress, EncodeReport, Progress
from pumice.batch.rows import check_text_type
from pumice.batch.vectors import as_column, column_type
from pumice.errors import InputError

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

    A task makes one output file of a large Parquet input, or all those of some small ones, or of one in another
    format, on one processor. Inputs and output must be what every node can reach: URLs, or a folder that all
    of them mount. A task whose worker or node dies is run again elsewhere. If the calling process dies, the
    next call goes on behind the files that were complete. Uses the cluster that ``ray.init`` or RAY_ADDRESS
    names, else this machine. Raises InputError and OutputError.
    """
    locations = as_locations(inputs)
    options = options or EncodeOptions()
    check_apart(locations, os.fspath(output), options)
    sources = sources_of(locations, options)
    job = Job.of(opened_model(model), options, sources)
    with ray_cluster(), OutputFolder(output) as folder, whole_output(job, folder):
        task = Task(SharedModel.of(job.model), options, folder.location, job.columns)
        return _Driver(job, folder, sources, progress).drive(task)


def store_files(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    index: Any,
    *,
    model: StaticModel | str | os.PathLike[str] | None = None,
    options: EncodeOptions | None = None,
    progress: Progress | None = None,
) -> EncodeReport:
    """``pumice.batch.store_files`` on a Ray cluster, every task uploading for itself.

    ``index`` is the URL of a collection that `pumice.Index` has made with ``model``, or a
    `pumice.search.Server`. ``options.state`` is a folder or URL that every node reaches and that remembers
    what is stored; without it a run that is started again stores everything again. Either way a row has the
    same id each time, and is there once.
    """
    from pumice import Index

    if isinstance(index, (str, os.PathLike)) and "://" not in str(index):
        raise InputError(
            f"{index}: an index in a folder belongs to one process: give the URL of a collection, or "
            "leave Ray out"
        )
    with (
        Index(index, opened_model(model), create=False) as opened,
        TemporaryDirectory(prefix="pumice-") as nowhere,
    ):
        options = replace(options or EncodeOptions(), dim=opened.dim)
        sources = sources_of(as_locations(inputs), options)
        job = Job.of(opened.model, options, sources)
        check_options(options)
        memory = IndexMemory(options.state or nowhere, index=opened, ids=options.id)
        with ray_cluster(), memory as folder:
            place = folder.location if options.state else ""
            shared = SharedModel.of(job.model)
            task = Task(shared, options, place, job.columns, index)
            report = _Driver(job, folder, sources, progress).drive(task)
            if options.state:
                return report
            return replace(report, rows=report.embedded_rows, text_bytes=report.embedded_bytes)


class _Driver:
    """What the calling process does: hand out, count, tell."""

    def __init__(
        self, job: Job, folder: OutputFolder, sources: list[Input], progress: Progress | None
    ) -> None:
        self._job, self._folder, self._sources = job, folder, sources
        self._progress = progress
        self._started = time.perf_counter()

    def drive(self, task: Task) -> EncodeReport:
        """Until everything is done."""
        self._folder.agree(self._job.settings(), rows_stay=task.index is not None)
        failed: dict[str, str] = {}
        waiting = self._waiting(self._folder.records(), failed)
        done = len(self._sources) - len(waiting)
        unchanged = done - len(failed)
        embedded = Counts()
        for told in results(waiting, task):
            if told["error"]:
                raise error_told(told)
            embedded += Counts(0, told["rows"], told["text_bytes"], told["bad"])
            failed.update(told["failed"])
            done += told["inputs"]
            if self._progress is not None:
                self._progress(self._progress_at(done, embedded))
        seconds = time.perf_counter() - self._started
        outcome = Outcome(embedded, failed, unchanged, seconds)
        return report_of(self._folder, self._sources, self._folder.records(), outcome)

    def _waiting(self, records: Records, failed: dict[str, str]) -> list[Input]:
        """The inputs with something left to do; what was made of an older version is removed."""
        waiting = []
        for source in self._sources:
            done = records.get(source.name, {})
            if any(not record.is_of(source) for record in done.values()):
                try:
                    self._job.check(source)
                    self._folder.forget(source)
                except InputError as error:
                    if self._job.options.on_error == "fail":
                        raise
                    failed[source.location] = str(error)
                    continue
                done = {}
            if not is_complete(done):
                waiting.append(source)
        return waiting

    def _progress_at(self, done: int, embedded: Counts) -> EncodeProgress:
        files, total = len(self._sources), sum(source.size for source in self._sources)
        seconds = time.perf_counter() - self._started
        size, rows = embedded.text_bytes, embedded.rows
        return EncodeProgress(done, files, total * done // files, total, rows, size, seconds)
