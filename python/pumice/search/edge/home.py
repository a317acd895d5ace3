"""The home of an index in a folder.

Observed in Edge 0.9 and handled here: its files are sparse and memory-mapped, so a full disk is
not an error but a fatal SIGBUS (space is checked before each write); a forked child deadlocks
(refused) and keeps the parent's lock alive (let go at the fork); `optimize()` holds the GIL for
its whole run (see optimize.py). Not handled: a payload float of 17 digits may come back one unit
in the last place off.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumice.errors import PumiceError, SearchIndexError
from pumice.search.answering import answers
from pumice.search.edge.config import edge_config, edge_points
from pumice.search.edge.engine import engine
from pumice.search.edge.filters import edge_filter
from pumice.search.edge.forks import closed, let_go_at_fork
from pumice.search.edge.optimize import TEMPORARY, optimize_in_child
from pumice.search.edge.queries import EdgeLists
from pumice.search.filter import Condition
from pumice.search.home import Plan, Query, Scored
from pumice.search.owner import Owner
from pumice.search.points import Payload, PointId, Points
from pumice.search.record import TEXT
from pumice.search.spaces import dense_spaces
from pumice.search.steps import Planner
from pumice.search.storage import Storage

if TYPE_CHECKING:
    import qdrant_edge

SHARD_FOLDER = "shard"
_RESERVE = 32 << 20  # bytes left free on the disk: one write-ahead log segment
_OPEN_RESERVE = 8 << 20  # searching must work on a disk that is too full to add to
_DELETE_RESERVE = 4 << 20  # deleting must work on a disk that is too full to add to
_SCROLL_PAGE = 4096
_QUERY_PAGE = 256


class EdgeHome:
    """An Edge shard in `folder / "shard"`. Threads may share it; processes may not."""

    atomic = True
    # With glibc's malloc 400,000 passages are stored 8 % faster so than 1,024 at once; a million as fast.
    batch = 256

    def __init__(
        self, folder: Path, *, owner: Owner, dim: int, storage: Storage, create: bool
    ) -> None:
        """Open the shard, or create it in place of one the caller knows to be unfinished.

        SearchIndexError says why neither works.
        """
        self._folder = folder
        self._path = folder / SHARD_FOLDER
        self._owner = owner
        self._spaces = dense_spaces(storage, dim=dim)
        self._pid = os.getpid()
        self._qe = engine()
        self._shard: qdrant_edge.EdgeShard | None = None
        self._need_space(0, _RESERVE if create else _OPEN_RESERVE)
        if create:
            with self._translated("created"):
                if self._path.exists():  # left by a creation that was killed; Index has checked
                    shutil.rmtree(self._path)
                self._path.mkdir()
                self._shard = self._qe.EdgeShard.create(
                    str(self._path), edge_config(storage, dim=dim)
                )
                self._shard.update(
                    self._qe.UpdateOperation.create_field_index(
                        "source", self._qe.PayloadSchemaType.Keyword
                    )
                )
        else:
            self._load()
        self._wal = _identity(self._path / "wal")
        let_go_at_fork(self)

    def check_open(self) -> None:
        """See Home."""
        self._opened()

    def upsert(self, points: Points) -> None:
        """See Home; a disk without room for the points is refused before anything is written."""
        shard = self._opened()
        # The write-ahead log and the storage each take a copy; JSON escapes may double a text.
        width = sum(16 * space.size for space in self._spaces)
        words = 32 * len(points.terms.numbers) if points.terms is not None else 0
        texts = [payload[TEXT] for payload in points.payloads if len(payload) == 1]
        payloads = 4 * sum(map(len, texts))
        if len(texts) < len(points):
            payloads += sum(_weight(payload) for payload in points.payloads if len(payload) > 1)
        self._need_space(width * len(points) + words + 4 * payloads)
        written = edge_points(points, self._spaces)
        with self._translated("written"):
            shard.update(self._qe.UpdateOperation.upsert_points(written))

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
            shard.update(self._qe.UpdateOperation.delete_points_by_filter(edge_filter(conditions)))

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
            return shard.count(self._qe.CountRequest(filter=edge_filter(conditions)))

    def scroll(
        self, conditions: Sequence[Condition], *, keys: Sequence[str] | None
    ) -> Iterator[tuple[PointId, Payload]]:
        """See Home; pages of 4,096."""
        offset = None
        while True:
            request = self._qe.ScrollRequest(
                offset=offset,
                limit=_SCROLL_PAGE,
                filter=edge_filter(conditions),
                with_payload=True if keys is None else list(keys),
                with_vector=False,
            )
            with self._translated("read"):
                page, offset = self._opened().scroll(request)
            for record in page:
                yield _plain_id(record.id), record.payload or {}
            if offset is None:
                return

    def query(self, queries: Sequence[Query], plan: Plan) -> list[list[Scored]]:
        """See Home; 256 queries at a time, which share their passes over the vectors."""
        lists = EdgeLists(self._opened(), plan, translated=self._translated)
        planner = Planner(plan, spaces=self._spaces)
        results: list[list[Scored]] = []
        for start in range(0, len(queries), _QUERY_PAGE):
            results += answers(queries[start : start + _QUERY_PAGE], planner, lists)
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
        closed(self)

    def locked_files(self) -> tuple[set[tuple[int, int]], set[int]]:
        """What a forked child must let go of."""
        return {self._wal}, {self._owner.descriptor}

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


def _plain_id(point_id: Any) -> PointId:
    return point_id  # type: ignore[no-any-return]  # int or UUID; the stub adds the str it accepts


def _weight(value: Any) -> int:
    """About how many bytes a payload takes."""
    if isinstance(value, str):
        return len(value) if value.isascii() else 4 * len(value)
    if isinstance(value, dict):
        size = 0
        # Without a call for each: nearly all items of records are such.
        for key, item in value.items():
            if isinstance(item, str) and item.isascii():
                size += len(key) + 8 + len(item)
            else:
                size += len(key) + 8 + (16 if isinstance(item, (int, float)) else _weight(item))
        return size
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
