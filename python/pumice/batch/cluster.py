"""What a Ray cluster does of a run: tasks, and the model that they share. The only user of ray."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumice import errors
from pumice.batch.cutting import PART_BYTES, Counts
from pumice.batch.encoding import Already, Run
from pumice.batch.folder import OutputFolder, Record
from pumice.batch.inputs import Input
from pumice.batch.job import Job
from pumice.batch.options import EncodeOptions
from pumice.batch.parts import SUFFIXES
from pumice.batch.points import PointPart
from pumice.batch.readers import pieces_of
from pumice.errors import InputError, MissingExtraError, PumiceError

if TYPE_CHECKING:
    from pumice.model import StaticModel


_OPENED: dict[str, StaticModel] = {}
"""In a worker: the model that it had last, by its fingerprint."""
# Tasks that wait or run at once: more than any cluster has processors for, so that one that grows sees why.
_LEAST_AT_ONCE = 1000


@dataclass(frozen=True)
class SharedModel:
    """A model by its file; by a reference to its bytes where a node has no such file."""

    location: str
    fingerprint: str
    data: Any

    @classmethod
    def of(cls, model: StaticModel) -> SharedModel:
        """Put the bytes into the object store of a cluster that has other nodes."""
        ray = ray_library()
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
        """Map the file of this node, which is written where it is not there yet.

        Once a process, which runs many tasks: the words that a model has met stay known to it.
        """
        model = _OPENED.get(self.fingerprint)
        if model is None:
            model = self._opened()
            _OPENED.clear()  # another thread may be here with another model
            _OPENED[self.fingerprint] = model
        return model

    def _opened(self) -> StaticModel:
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
        content = self.data if isinstance(self.data, bytes) else ray_library().get(self.data)
        write_whole(places[-1], content)
        return load(places[-1])


@dataclass(frozen=True)
class Task:
    """What every task is told; small, but for the model."""

    model: SharedModel
    options: EncodeOptions
    output: str
    """Where files go, or what remembers which rows are stored; empty: nothing does."""
    columns: Any
    index: Any = None
    """The server's collection that rows go into, in place of files."""

    def plan(self, source: Input) -> list[dict[str, Any]]:
        """One row for each part of a Parquet input that is not there; else one for all parts."""
        whole = [{"sources": [asdict(source)]}]
        try:
            pieces = pieces_of(
                source, piece_bytes=PART_BYTES, piece_rows=self.options.rows_per_file
            )
        except PumiceError:
            return whole  # the run says what is wrong
        if pieces is None:
            return whole
        missing = list(range(len(pieces)))
        if self.output:
            folder = OutputFolder(self.output)
            missing = [at for at in missing if folder.record(source, at, self._suffix) is None]
        return [
            {"sources": [asdict(source)], "only": at, "inputs": int(at == missing[-1])}
            for at in missing
        ]

    def run(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Make the part, or all parts of the inputs."""
        sources = [Input(**source) for source in row["sources"]]
        only = row.get("only")
        options = replace(self.options, threads=self.options.threads or 1)
        job = Job.with_columns(self.model.open(), options, self.columns)
        own = f"{os.getpid()}x{time.time_ns():x}"
        fault: PumiceError | None = None
        run: Run | None = None
        with ExitStack() as stack:
            nowhere = stack.enter_context(tempfile.TemporaryDirectory(prefix="pumice-"))
            folder = OutputFolder(self.output or nowhere, own=own)
            open_part = None
            try:
                if self.index is not None:
                    from pumice import Index

                    index = stack.enter_context(Index(self.index, job.model, create=False))
                    open_part = partial(PointPart, index=index)
                done = {source.name: self._done(folder, source, only) for source in sources}
                run = Run(
                    job,
                    folder,
                    sources,
                    already=Already(done, only),
                    open_part=open_part,
                )
                run.go()
            except PumiceError as error:
                fault = error
        return told_of(
            Counts() if run is None else run.embedded,
            failed=None if run is None else run.failed,
            inputs=row.get("inputs", len(sources)),
            error=fault,
        )

    @property
    def _suffix(self) -> str:
        return "" if self.index is not None else SUFFIXES[self.options.format]

    def _done(self, folder: OutputFolder, source: Input, only: int | None) -> dict[int, Record]:
        """Parts that are there: an earlier try of this task may have come some way."""
        done: dict[int, Record] = {}
        part = only or 0
        while record := folder.record(source, part, self._suffix):
            done[part] = record
            if only is not None:
                break
            part += 1
        return done


def results(waiting: list[Input], task: Task) -> Iterator[dict[str, Any]]:
    """What each task told, as they end.

    Ray runs a task again whose worker or node has died, without end, and not one that raised. Tasks of Ray
    itself: Ray Data, which has more to look after, leaves a processor idle for a quarter of a second
    between two of them, and imports pandas into each process.
    """
    if not waiting:
        return
    ray = ray_library()
    run = ray.remote(num_cpus=1, max_retries=-1)(planned_and_run).options(name="pumice-encode")
    shared = ray.put(task)
    processors = int(ray.cluster_resources().get("CPU", 1))
    at_once = max(_LEAST_AT_ONCE, 2 * processors)
    rows: Iterator[dict[str, Any]] = (
        {"sources": list(map(asdict, lot))} for lot in lots(waiting, processors=processors)
    )
    parts: deque[dict[str, Any]] = deque()  # of inputs that a task has cut
    running: set[Any] = set()
    try:
        while True:
            while len(running) < at_once:
                row = parts.popleft() if parts else next(rows, None)
                if row is None:
                    break
                running.add(run.remote(shared, row))
            if not running:
                return
            ready, _ = ray.wait(list(running), num_returns=1)
            running.difference_update(ready)
            (told,) = ray.get(ready)
            if isinstance(told, list):
                parts.extendleft(reversed(told))
            else:
                yield told
    except PumiceError:
        raise
    except Exception as error:  # what Ray raises has no common parent
        raise PumiceError(f"Ray: {' '.join(str(error).split())[:300]}") from error
    finally:
        for one in running:
            ray.cancel(one)


def lots(waiting: Sequence[Input], *, processors: int) -> Iterator[list[Input]]:
    """Inputs that a task makes one after the other, small ones together, fewer towards the end.

    Within a task the next one is read and encoded while the disk confirms the one before. What a store tells
    no size of, which is 0 then, may be large: it is a task of its own.
    """
    left = sum(source.size for source in waiting)
    lot: list[Input] = []
    size = 0
    for source in waiting:
        most = min(PART_BYTES, left // (4 * max(1, processors)))
        if lot and (size + source.size > most or not (size and source.size)):
            yield lot
            lot, size = [], 0
        lot.append(source)
        size += source.size
        left -= source.size
    if lot:
        yield lot


def planned_and_run(task: Task, row: Mapping[str, Any]) -> dict[str, Any] | list[dict[str, Any]]:
    """In a worker: make what the row asks for; an input of many parts gives a row for each of them."""
    if "only" not in row and len(row["sources"]) == 1:
        parts = task.plan(Input(**row["sources"][0]))
        if len(parts) > 1:
            return parts
        if not parts:  # made by a try of this task that died before it could tell
            return told_of(Counts(), inputs=1)
        (row,) = parts
    return task.run(row)


def told_of(
    counts: Counts,
    *,
    failed: Mapping[str, str] | None = None,
    inputs: int = 0,
    error: PumiceError | None = None,
) -> dict[str, Any]:
    """What a task tells: counts, inputs that it has ended, an error of ours by its name.

    Ray would hide the error in one of its own.
    """
    return {
        "rows": counts.rows,
        "text_bytes": counts.text_bytes,
        "bad": counts.bad,
        "failed": dict(failed or {}),
        "inputs": inputs,
        "error": "" if error is None else type(error).__name__,
        "message": str(error or ""),
    }


def error_told(told: Mapping[str, Any]) -> PumiceError:
    """The error of ours that a task told."""
    kind = getattr(errors, told["error"], PumiceError)
    if kind is MissingExtraError:  # is made of a library's name, which is in the message by now
        kind = PumiceError
    error: PumiceError = kind(told["message"])
    return error


@contextmanager
def ray_cluster() -> Iterator[None]:
    """The cluster that is there, or one of this machine for as long as this lasts."""
    ray = ray_library()
    ours = not ray.is_initialized()
    if ours:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, include_dashboard=False)
    try:
        yield
    finally:
        if ours:
            ray.shutdown()


def ray_library() -> Any:
    """The module ray; MissingExtraError where it is not installed."""
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("ray", "ray") from error
    return ray
