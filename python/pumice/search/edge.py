"""Qdrant Edge as the home of an index: a folder, in this process. The only user of qdrant_edge.

Observed in Edge 0.9 and handled here: its files are sparse and memory-mapped, so a full disk is
not an error but a fatal SIGBUS (space is checked before each write); a forked child deadlocks
(refused) and keeps the parent's lock alive (let go at the fork); `optimize()` holds the GIL for
its whole run (see optimize.py); bools match only as numpy bools. Not handled: a payload float of
17 digits may come back one unit in the last place off.
"""

from __future__ import annotations

import os
import shutil
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from pumice.errors import MissingExtraError, PumiceError, SearchIndexError
from pumice.search.filter import AnyOf, Condition, Missing, Range, Value
from pumice.search.home import Payload, Point, PointId, Scored
from pumice.search.optimize import TEMPORARY, optimize_in_child
from pumice.search.owner import Owner

if TYPE_CHECKING:
    import qdrant_edge

SHARD_FOLDER = "shard"
_RESERVE = 32 << 20  # bytes left free on the disk: one write-ahead log segment
_OPEN_RESERVE = 8 << 20  # searching must work on a disk that is too full to add to
_DELETE_RESERVE = 4 << 20  # deleting must work on a disk that is too full to add to
_SCROLL_PAGE = 4096
_QUERY_PAGE = 256
# Candidates a query keeps in the graph; an index without one is scanned and ignores it. Recall@10 on
# 60,000 real passages: Edge's default .938, 512 .985 in 0.9 ms, 1024 .997 in 1.5 ms.
_GRAPH_BREADTH = 1024
_EXACT_FLOAT_INTEGER = 2**53
_open_homes: weakref.WeakSet[EdgeHome] = weakref.WeakSet()


class EdgeHome:
    """An Edge shard in `folder / "shard"`. Threads may share it; processes may not."""

    def __init__(self, folder: Path, *, owner: Owner, dim: int, create: bool) -> None:
        """Open the shard, or create it in place of one the caller knows to be unfinished.

        SearchIndexError says why neither works.
        """
        self._folder = folder
        self._path = folder / SHARD_FOLDER
        self._owner = owner
        self._dim = dim
        self._pid = os.getpid()
        self._qe = engine()
        self._shard: qdrant_edge.EdgeShard | None = None
        self._need_space(0, _RESERVE if create else _OPEN_RESERVE)
        if create:
            with self._translated("created"):
                if self._path.exists():  # left by a creation that was killed; Index has checked
                    shutil.rmtree(self._path)
                self._path.mkdir()
                self._shard = self._qe.EdgeShard.create(str(self._path), self._config())
                self._shard.update(
                    self._qe.UpdateOperation.create_field_index(
                        "source", self._qe.PayloadSchemaType.Keyword
                    )
                )
        else:
            self._load()
        self._wal = _identity(self._path / "wal")
        _forget_at_fork()
        _open_homes.add(self)

    def upsert(self, points: Sequence[Point]) -> None:
        """See Home; a disk without room for the points is refused before anything is written."""
        shard = self._opened()
        # The write-ahead log and the storage each take a copy; JSON escapes may double a text.
        size = sum(16 * p.vector.size + 4 * _weight(p.payload) for p in points)
        self._need_space(size)
        edge_points = [self._qe.Point(p.id, p.vector.tolist(), p.payload) for p in points]
        with self._translated("written"):
            shard.update(self._qe.UpdateOperation.upsert_points(edge_points))

    def delete(self, ids: Sequence[PointId]) -> None:
        """See Home."""
        shard = self._opened()
        self._need_space(0, _DELETE_RESERVE)
        with self._translated("written"):
            shard.update(self._qe.UpdateOperation.delete_points(list(ids)))

    def delete_matching(self, conditions: Sequence[Condition]) -> None:
        """See Home."""
        shard = self._opened()
        self._need_space(0, _DELETE_RESERVE)
        with self._translated("written"):
            shard.update(self._qe.UpdateOperation.delete_points_by_filter(self._filter(conditions)))

    def set_payload(self, ids: Sequence[PointId], payload: Payload) -> None:
        """See Home."""
        shard = self._opened()
        self._need_space(_weight(payload) * len(ids))
        with self._translated("written"):
            shard.update(self._qe.UpdateOperation.set_payload(list(ids), payload))

    def present(self, ids: Sequence[PointId]) -> set[PointId]:
        """See Home."""
        shard = self._opened()
        with self._translated("read"):
            found = shard.retrieve(list(ids), with_payload=False, with_vector=False)
        return {_plain_id(record.id) for record in found}

    def count(self, conditions: Sequence[Condition]) -> int:
        """See Home."""
        shard = self._opened()
        with self._translated("read"):
            return shard.count(self._qe.CountRequest(filter=self._filter(conditions)))

    def scroll(
        self, conditions: Sequence[Condition], *, keys: Sequence[str]
    ) -> Iterator[tuple[PointId, Payload]]:
        """See Home; pages of 4,096."""
        offset = None
        while True:
            request = self._qe.ScrollRequest(
                offset=offset,
                limit=_SCROLL_PAGE,
                filter=self._filter(conditions),
                with_payload=list(keys),
                with_vector=False,
            )
            with self._translated("read"):
                page, offset = self._opened().scroll(request)
            for record in page:
                yield _plain_id(record.id), record.payload or {}
            if offset is None:
                return

    def query(
        self, vectors: NDArray[float32], *, k: int, conditions: Sequence[Condition]
    ) -> list[list[Scored]]:
        """See Home; 256 queries at a time, which share their passes over the vectors."""
        qe, shard, results = self._qe, self._opened(), []
        matching = self._filter(conditions)
        for start in range(0, len(vectors), _QUERY_PAGE):
            requests = [
                qe.QueryRequest(
                    query=qe.Query.Nearest(vector),
                    limit=k,
                    filter=matching,
                    with_payload=True,
                    params=qe.SearchParams(hnsw_ef=max(_GRAPH_BREADTH, k)),
                )
                for vector in vectors[start : start + _QUERY_PAGE].tolist()
            ]
            with self._translated("read"):
                found = shard.query_batch(qe.QueryBatchRequest(requests))
            results += [
                [Scored(_plain_id(hit.id), hit.score, hit.payload or {}) for hit in hits]
                for hits in found
            ]
        return results

    def optimize(self) -> None:
        """Build the search graph in a process of its own; the shard is closed meanwhile."""
        self._need_space(2 * _disk_usage(self._path))
        self.flush()
        try:
            self._close_shard()
            shutil.rmtree(self._path / TEMPORARY, ignore_errors=True)  # left by a killed run
            optimize_in_child(self._path, owner=self._owner)
        finally:
            self._close_shard()  # where the interrupt came before it was closed
            self._load()
            self._wal = _identity(self._path / "wal")

    def flush(self) -> None:
        """See Home."""
        with self._translated("written"):
            self._opened().flush()

    def close(self) -> None:
        """See Home; in a forked child it does nothing, the parent still works here."""
        if self._pid == os.getpid():
            try:
                if self._shard is not None:
                    self.flush()
            finally:
                self._close_shard()
                self._owner.release()
        _open_homes.discard(self)

    def _load(self) -> None:
        with self._translated("opened"):
            self._shard = self._qe.EdgeShard.load(str(self._path))

    def _close_shard(self) -> None:
        if self._shard is not None:
            with self._translated("closed"):
                self._shard.close()  # closing twice is no error
            self._shard = None

    def _opened(self) -> qdrant_edge.EdgeShard:
        if self._pid != os.getpid():
            raise SearchIndexError(
                f"index {self._folder} was opened by process {self._pid} before this one forked "
                "from it: search in that process, or close it there and open it here"
            )
        if self._shard is None:
            raise SearchIndexError(f"index {self._folder} is closed: open it again with Index(...)")
        return self._shard

    def _config(self) -> Any:
        # Cosine, not dot: the same for models whose vectors are not of norm 1, prefixes included.
        # Cold, not the default: as fast to search, twice as fast to open, and opening does not
        # fill the holes of the files where reading a hole takes space (tmpfs).
        vectors = self._qe.EdgeVectorParams(
            size=self._dim, distance=self._qe.Distance.Cosine, memory=self._qe.Memory.Cold
        )
        return self._qe.EdgeConfig(vectors=vectors)

    def _need_space(self, size: int, reserve: int = _RESERVE) -> None:
        free = shutil.disk_usage(self._folder).free
        if free < size + reserve:
            raise SearchIndexError(
                f"index {self._folder}: the disk is full ({free >> 20} MB free, "
                f"{(size + reserve + (1 << 20) - 1) >> 20} MB needed); what was stored before is "
                "safe: free some space and run this again"
            )

    @contextmanager
    def _translated(self, done: str) -> Iterator[None]:
        try:
            yield
        except PumiceError:
            raise
        except BaseException as error:
            # Edge raises bare Exception; a Rust panic is a BaseException of its own kind.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            reason = " ".join(str(error).split())[:300]
            raise SearchIndexError(f"index {self._folder} could not be {done}: {reason}") from error

    def _filter(self, conditions: Sequence[Condition]) -> Any:
        if not conditions:
            return None
        return self._qe.Filter(must=[self._condition(condition) for condition in conditions])

    def _condition(self, condition: Condition) -> Any:
        """`a.b` and `a[0]` are paths, but may be the names of fields too: either will do."""
        key = condition.key
        if '"' in key or not ("." in key or "[" in key):
            return self._one_reading(condition)
        both = [self._one_reading(one) for one in (condition, replace(condition, key=f'"{key}"'))]
        neither = isinstance(condition, Missing) and condition.absent
        return self._qe.Filter(must=both) if neither else self._qe.Filter(should=both)

    def _one_reading(self, condition: Condition) -> Any:
        qe = self._qe
        if isinstance(condition, Missing):
            return qe.FieldCondition(condition.key, is_empty=condition.absent)
        if isinstance(condition, Range):
            bounds = {name: getattr(condition, name) for name in ("gte", "gt", "lte", "lt")}
            dates = any(isinstance(bound, str) for bound in bounds.values())
            kind = qe.RangeDateTime if dates else qe.RangeFloat
            return qe.FieldCondition(condition.key, range=kind(**bounds))
        strings = [value for value in condition.values if isinstance(value, str)]
        others = [value for value in condition.values if not isinstance(value, str)]
        either = [self._equals(condition, value) for value in others]
        if strings or not others:  # an empty list matches nothing
            match = qe.MatchAny(strings) if len(strings) != 1 else qe.MatchValue(strings[0])
            either.append(qe.FieldCondition(condition.key, match=match))
        return either[0] if len(either) == 1 else qe.Filter(should=either)

    def _equals(self, condition: AnyOf, value: Value) -> Any:
        qe, key = self._qe, condition.key
        if isinstance(value, bool):
            # A Python bool is taken for the integer 1 or 0 and matches nothing.
            match: Any = np.bool_(value)
            return qe.FieldCondition(key, match=qe.MatchValue(match))
        if isinstance(value, int) and abs(value) > _EXACT_FLOAT_INTEGER:
            return qe.FieldCondition(key, match=qe.MatchValue(value))
        assert not isinstance(value, str)
        # A range of one point: 2024 finds 2024 and 2024.0, as == does in Python.
        return qe.FieldCondition(key, range=qe.RangeFloat(gte=value, lte=value))


def engine() -> Any:
    """Qdrant Edge; MissingExtraError where it is not installed."""
    try:
        import qdrant_edge
    except ImportError:
        raise MissingExtraError("qdrant-edge-py", "search") from None
    return qdrant_edge


def _plain_id(point_id: Any) -> PointId:
    return point_id  # type: ignore[no-any-return]  # int or UUID; the stub adds the str it accepts


def _weight(value: Any) -> int:
    """About how many bytes a payload takes."""
    if isinstance(value, str):
        return len(value) if value.isascii() else 4 * len(value)
    if isinstance(value, dict):
        return sum(len(key) + 8 + _weight(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(8 + _weight(item) for item in value)
    return 16


def _disk_usage(folder: Path) -> int:
    """Bytes really taken: Edge's files are mostly holes."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            stat = os.stat(os.path.join(root, name))
            total += getattr(stat, "st_blocks", stat.st_size // 512) * 512
    return total


def _identity(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino


_fork_hook_registered = False


def _forget_at_fork() -> None:
    global _fork_hook_registered
    if not _fork_hook_registered and hasattr(os, "register_at_fork"):
        _fork_hook_registered = True
        os.register_at_fork(after_in_child=_let_go_of_locks)


def _let_go_of_locks() -> None:
    """In a forked child: drop inherited locks, or the parent's close would not free the folder.

    The descriptors are pointed at the null device instead of closed, so that their numbers are
    not reused while Edge, in the child's copy of the memory, still believes it owns them.
    """
    homes = list(_open_homes)
    if not homes:
        return
    locked = {home._wal for home in homes}
    owners = {home._owner.descriptor for home in homes}
    null = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/dev/fd"):
        descriptor = int(name)
        try:
            stat = os.fstat(descriptor)
        except OSError:
            continue
        if (stat.st_dev, stat.st_ino) in locked or descriptor in owners:
            os.dup2(null, descriptor, inheritable=False)
    os.close(null)
