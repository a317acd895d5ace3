"""What a Ray cluster does of a run: tasks, the model that they share, Ray Data itself. The only user of ray."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        missing = list(range(len(pieces)))
        if self.output:
            folder = OutputFolder(self.output)
            missing = [at for at in missing if folder.record(source, at, self._suffix) is None]
        return [{"source": row["source"], "only": at, "last": at == missing[-1]} for at in missing]

    def run(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Make the part, or the parts."""
        source = Input(**row["source"])
        only = None if row["only"] < 0 else int(row["only"])
        options = replace(self.options, threads=self.options.threads or 1)
        job = Job.with_columns(self.model.open(), options, self.columns)
        own = f"{os.getpid()}x{time.time_ns():x}"
        kind = message = ""
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
                done = self._done(folder, source, only)
                run = Run(
                    job,
                    folder,
                    [source],
                    already=Already({source.name: done}, only),
                    open_part=open_part,
                )
                run.go()
            except PumiceError as error:  # Ray would lose it among its own
                kind, message = type(error).__name__, str(error)
        counts = Counts() if run is None else run.embedded
        return {
            "rows": counts.rows,
            "text_bytes": counts.text_bytes,
            "bad": json.dumps(counts.bad),
            "failed": json.dumps({} if run is None else run.failed),
            "ends_input": bool(row["last"]),
            "error": kind,
            "message": message,
        }

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


def results(data: Any, waiting: list[Input], task: Task) -> Iterator[dict[str, Any]]:
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
        for row in told.iter_rows():
            yield {**row, "bad": json.loads(row["bad"]), "failed": json.loads(row["failed"])}
    except PumiceError:
        raise
    except Exception as error:  # what Ray raises has no common parent
        raise PumiceError(f"Ray: {' '.join(str(error).split())[:300]}") from error


@contextmanager
def ray_data() -> Iterator[Any]:
    """Ray Data on the cluster that is there, or on this machine for as long as this lasts."""
    ray = ray_library()
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


def ray_library() -> Any:
    """ray, with ray.data."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError("ray", "ray") from error
    return ray
