"""The search index: records in, ranked hits out, one model throughout."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from pumice.errors import InputError, PumiceError, SearchIndexError
from pumice.search.edge import SHARD_FOLDER, EdgeHome, engine
from pumice.search.filter import parse_filter
from pumice.search.home import Home, Point
from pumice.search.manifest import (
    MANIFEST_FILE,
    UNFINISHED_FILE,
    Manifest,
    mark_finished,
    mark_unfinished,
    read_manifest,
    write_manifest,
)
from pumice.search.owner import LOCK_FILE, Owner
from pumice.search.record import (
    AddReport,
    Hit,
    Record,
    RecordId,
    Skipped,
    hit_of,
    parse_record,
    point_id_of,
    stored_payload,
)

if TYPE_CHECKING:
    from pumice.model import StaticModel

BATCH = 1024  # records embedded and written together
_BATCH_CHARACTERS = 8_000_000
MAX_K = 2**31 - 1
_LARGE_K = 10_000
GRAPH_FROM = 200_000  # records from which the command line builds a graph: a scan takes 20 ms there
NO_TOKENS = "its text is empty, or the model knows no token of it"


class Index:
    """Texts with payloads, found again by meaning. Stays open until `close` or the `with` ends.

    Threads may share an Index. One process owns its folder: a second one is told which does, and
    a forked child is refused. Search is an exact scan (9 ms at 100,000 passages of 256 dimensions
    on two cores); `optimize` builds a graph where that is too slow.
    """

    def __init__(
        self,
        location: str | os.PathLike[str],
        model: StaticModel | str | os.PathLike[str] | None = None,
        *,
        dim: int | None = None,
        create: bool = True,
    ) -> None:
        """Open the index in the folder `location`, or create it there.

        `model` is a StaticModel or what `pumice.load` takes; None means the model that filled the
        index (a new index takes the shipped one). `dim` keeps a Matryoshka prefix of the vectors.
        Raises SearchIndexError where another model filled the index, where another process has it,
        or where there is none and `create` is False.
        """
        if not isinstance(location, (str, os.PathLike)):
            raise InputError(f"location is a {type(location).__name__}: give the path of a folder")
        if "://" in str(location):
            raise SearchIndexError(
                f"{location}: this version of pumice keeps indexes in folders; Qdrant servers are "
                "not supported yet: give a folder"
            )
        self.folder = Path(os.path.expanduser(location)).absolute()
        manifest = _find(self.folder, create=create)
        self.model, place = _model_for(self.folder, model, manifest)
        if manifest is not None:
            _check_model(self.folder, manifest, self.model)
            if dim is not None and dim != manifest.dim:
                raise SearchIndexError(
                    f"index {self.folder} holds vectors of {manifest.dim} dimensions, not {dim}: "
                    "leave dim out, or index again into a new folder"
                )
            self.dim = manifest.dim
        else:
            self.dim = dim if dim is not None else self.model.dimensions
            self.model.encode("", dim=self.dim)  # refuses a dim that the model lacks
        self._home: Home = self._open_home(place)

    def _open_home(self, place: str | None) -> Home:
        engine()  # where the engine is missing, no folder is left behind
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SearchIndexError(
                f"index {self.folder} cannot be created: {error.strerror}"
            ) from None
        owner = Owner(self.folder)
        try:
            # Read again: another process may have created the index before the lock was ours.
            manifest = _find(self.folder, create=True)
            if manifest is not None:
                mark_finished(self.folder)
                _check_model(self.folder, manifest, self.model)
                if place not in (None, manifest.model_location):  # the model file has moved
                    write_manifest(self.folder, replace(manifest, model_location=place))
                return EdgeHome(self.folder, owner=owner, dim=manifest.dim, create=False)
            mark_unfinished(self.folder)
            home = EdgeHome(self.folder, owner=owner, dim=self.dim, create=True)
            name, fingerprint = self.model.name, self.model.fingerprint
            write_manifest(self.folder, Manifest(name, fingerprint, self.dim, place))
            mark_finished(self.folder)
            return home
        except BaseException:
            owner.release()
            raise

    def add(self, records: Iterable[Mapping[str, Any]]) -> AddReport:
        """Store records, replacing those whose id is there already; report what was left out.

        A record is a dict with "id" (int, UUID or str), "text", and any JSON payload. A text
        without a token the model knows has no vector: it is skipped and reported, never stored,
        and a record of its id that is there already is deleted.
        Records are stored in batches of 1,024; an InputError names the first one that cannot be
        stored, and the batches before it stay. What `add` has returned from survives `kill -9`.
        """
        if isinstance(records, (Mapping, str)):
            raise InputError("records is one record: give a list of them")
        added = size = 0
        seconds = 0.0
        skipped: list[Skipped] = []
        for batch in _batches(records):
            texts = [record.text for record in batch]
            started = time.perf_counter()
            vectors, known = self.embed(texts)
            seconds += time.perf_counter() - started
            size += sum(len(text.encode()) for text in texts)
            points = [
                Point(record.point_id, vectors[row], stored_payload(record))
                for row, record in enumerate(batch)
                if known[row]
            ]
            if points:
                self._home.upsert(points)
            # A record replaced by a text without a vector must not be found by its old text.
            latest = {record.point_id: row for row, record in enumerate(batch)}
            replaced = [point_id for point_id, row in latest.items() if not known[row]]
            if stored := self._home.present(replaced) if replaced else set():
                self._home.delete(list(stored))
            added += len(points)
            skipped += [
                Skipped(record.id, NO_TOKENS) for row, record in enumerate(batch) if not known[row]
            ]
        return AddReport(added, tuple(skipped), size, seconds)

    @overload
    def search(  # type: ignore[overload-overlap]  # a str is a Sequence[str] too
        self, query: str, *, k: int = ..., filter: Mapping[str, Any] | None = ...
    ) -> list[Hit]: ...

    @overload
    def search(
        self, query: Sequence[str], *, k: int = ..., filter: Mapping[str, Any] | None = ...
    ) -> list[list[Hit]]: ...

    def search(
        self,
        query: str | Sequence[str],
        *,
        k: int = 10,
        filter: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> list[Hit] | list[list[Hit]]:
        """The `k` records nearest to the query, best first; a list of queries gives a list each.

        `filter` keeps records whose payload matches: `{"year": 2024}`, `{"tag": ["a", "b"]}`
        (any of them), `{"year": {"gte": 2020, "lt": 2024}}`, `{"author": None}` (missing).
        A query without a token the model knows finds nothing.
        """
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise InputError(f"k is {k!r}: it must be an int of at least 1")
        if k > MAX_K:
            raise InputError(f"k is {k}: at most {MAX_K:,} hits can be asked for")
        if k > _LARGE_K:  # the engine makes room for k hits
            k = min(k, max(len(self), 1))
        if isinstance(query, np.ndarray):
            query = query.tolist()
        if not isinstance(query, (str, Sequence)):
            raise InputError(f"query is a {type(query).__name__}: give a str or a list of str")
        conditions = parse_filter(filter)
        queries = [query] if isinstance(query, str) else list(query)
        for at, one in enumerate(queries):
            if not isinstance(one, str):
                raise InputError(f"queries[{at}] is a {type(one).__name__}: give a str")
        vectors, known = self.embed(queries)
        found = iter(self._home.query(vectors[known], k=k, conditions=conditions))
        hits = [[hit_of(one) for one in next(found)] if has_vector else [] for has_vector in known]
        return hits[0] if isinstance(query, str) else hits

    def delete(
        self,
        ids: RecordId | Iterable[RecordId] | None = None,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> int:
        """Delete records by id (one or many), or all that match a filter; return how many went."""
        if (ids is None) == (filter is None):
            raise InputError("delete takes ids or a filter: give one of them")
        if filter is not None:
            conditions = parse_filter(filter)
            if not conditions:
                raise InputError("delete(filter={}) would delete everything: name a payload key")
            matching = self._home.count(conditions)
            self._home.delete_matching(conditions)
            return matching
        many = [ids] if isinstance(ids, str) or not isinstance(ids, Iterable) else ids
        points = [point_id_of(one, where=f"ids[{at}]") for at, one in enumerate(many)]
        present = list(self._home.present(points)) if points else []
        if present:
            self._home.delete(present)
        return len(present)

    def count(self, *, filter: Mapping[str, Any] | None = None) -> int:  # noqa: A002
        """How many records there are, or how many match the filter."""
        return self._home.count(parse_filter(filter))

    def __len__(self) -> int:
        """How many records there are."""
        return self.count()

    def __bool__(self) -> bool:
        """An empty index is still an index."""
        return True

    def optimize(self) -> None:
        """Build a graph that finds nearly the same (recall@10 .997) in 1.5 ms, however many there are.

        Worth it from a few hundred thousand records; 100,000 take about a minute on two cores.
        It runs in a process of its own, this one stays responsive, and other threads must not use
        the index meanwhile. Interrupting it loses nothing.
        """
        self._home.optimize()

    def flush(self) -> None:
        """Write everything to the disk, so that it survives a power cut as well."""
        self._home.flush()

    def close(self) -> None:
        """Flush, and let other processes open the folder. May be called twice."""
        self._home.close()

    def __enter__(self) -> Index:
        """The index itself; leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the index."""
        self.close()

    def __repr__(self) -> str:
        """Folder, model and dimensions."""
        return f"Index({str(self.folder)!r}, model={self.model.name!r}, dim={self.dim})"

    def embed(self, texts: Sequence[str]) -> tuple[NDArray[float32], NDArray[np.bool_]]:
        """Vectors of shape (n, dim), and which texts have one: the zero vector means nothing."""
        vectors = self.model.encode(texts, dim=self.dim)
        known = np.any(vectors, axis=1) if len(vectors) else np.zeros(0, dtype=bool)
        finite = np.isfinite(vectors).all(axis=1) if len(vectors) else known
        if not finite.all():
            at = int(np.flatnonzero(~finite)[0])
            raise SearchIndexError(
                f"model {self.model.name} gives a vector with NaN or infinity for text {at} of "
                "this batch: its file is damaged; use another model"
            )
        return vectors, known

    @property
    def home(self) -> Home:
        """Where the vectors are kept; for pumice's own use."""
        return self._home


def empty_index(folder: Path) -> None:
    """Delete what the index in `folder` holds, its model's name included; refused while in use."""
    if read_manifest(folder) is None:
        return
    owner = Owner(folder)
    try:
        mark_unfinished(folder)
        (folder / MANIFEST_FILE).unlink()
        shutil.rmtree(folder / SHARD_FOLDER, ignore_errors=True)
    finally:
        owner.release()


def _batches(records: Iterable[Mapping[str, Any]]) -> Iterator[list[Record]]:
    parsed = (parse_record(record, position=at) for at, record in enumerate(records))
    while batch := list(islice(_until_heavy(parsed), BATCH)):
        yield batch


def _until_heavy(records: Iterator[Record]) -> Iterator[Record]:
    characters = 0
    for record in records:
        yield record
        characters += len(record.text)
        if characters > _BATCH_CHARACTERS:
            return


def _find(folder: Path, *, create: bool) -> Manifest | None:
    if folder.exists() and not folder.is_dir():
        raise SearchIndexError(f"{folder} is a file: an index is a folder")
    manifest = read_manifest(folder)
    if manifest is not None:
        return manifest
    if not create:
        raise SearchIndexError(f"there is no index in {folder}: fill one first (pumice index PATH)")
    if folder.is_dir():
        return _check_free(folder)
    return None


def _check_free(folder: Path) -> Manifest | None:
    """Refuse a folder with anything in it that pumice cannot prove to be its own."""
    try:
        names = set(os.listdir(folder))
    except OSError as error:
        raise SearchIndexError(f"{folder} cannot be read: {error.strerror}") from None
    if MANIFEST_FILE in names:  # another process has just created it
        return read_manifest(folder)
    if SHARD_FOLDER in names and UNFINISHED_FILE not in names and LOCK_FILE in names:
        raise SearchIndexError(
            f"{folder} holds a shard but no {MANIFEST_FILE}: restore it or name a new folder"
        )
    ours = {LOCK_FILE, *([SHARD_FOLDER] if UNFINISHED_FILE in names else [])}
    foreign = [name for name in names if name not in ours and not name.startswith(MANIFEST_FILE)]
    if foreign:
        raise SearchIndexError(
            f"{folder} is not an index and not empty (it holds {min(foreign)!r}): name a new folder"
        )
    return None


def _model_for(
    folder: Path, given: Any, manifest: Manifest | None
) -> tuple[StaticModel, str | None]:
    """The model to use, and where `pumice.load` finds it again (None: the shipped one, or unknown).

    A path is kept absolute, so that the index opens from any working directory.
    """
    import pumice

    if given is None and manifest is not None and manifest.model_location is not None:
        try:
            return pumice.load(manifest.model_location), manifest.model_location
        except PumiceError as error:
            raise SearchIndexError(
                f"index {folder} needs the model {manifest.model_name} that filled it: {error}; "
                "where it has moved, run pumice index PATH --model NEWPLACE, or open the index "
                "with Index(folder, model=NEWPLACE)"
            ) from error
    if given is None:
        return pumice.load(), None
    if hasattr(given, "fingerprint"):
        return given, None
    model = pumice.load(given)
    place = os.fspath(given)
    return model, os.path.abspath(place) if os.path.exists(place) else place


def _check_model(folder: Path, manifest: Manifest, model: StaticModel) -> None:
    if manifest.model_fingerprint != model.fingerprint:
        raise SearchIndexError(
            f"index {folder} was filled by model {manifest.model_name} "
            f"(fingerprint {manifest.model_fingerprint[:8]}…), not by {model.name} "
            f"({model.fingerprint[:8]}…): open it with that model, or index again into a new folder"
        )
