"""The home of an index on a server: requests that are sent again, uploads in parallel.

The server keeps what it has acknowledged, and optimizes by itself. Processes may share a collection.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pumice.errors import SearchIndexError
from pumice.search.answering import answers
from pumice.search.filter import Condition
from pumice.search.home import Plan, Query, Scored
from pumice.search.points import Payload, PointId, Points
from pumice.search.server.address import Server
from pumice.search.server.config import point_id, server_points
from pumice.search.server.filters import server_filter
from pumice.search.server.library import client_models, is_local
from pumice.search.server.queries import ServerLists, plain_id
from pumice.search.server.retry import Retrying
from pumice.search.spaces import Space
from pumice.search.steps import Planner

T = TypeVar("T")
_UPLOAD = 256  # points a request
_IDS = 4096
_SCROLL_PAGE = 1024
_QUERY_PAGE = 64
_GREEN_SECONDS = 0.5  # between two looks at whether the server is done optimizing


class ServerHome:
    """A collection. Threads may share it; a forked child may not."""

    atomic = False
    batch = 1024

    def __init__(self, server: Server, client: Any, spaces: list[Space]) -> None:
        self._server = server
        self._client = client
        self._spaces = spaces
        self._name = server.collection
        self._retrying = Retrying(server.where, tries=server.tries)
        self._local = is_local(client)  # it warns of settings that change nothing in it
        self._pid = os.getpid()
        self._uploads: ThreadPoolExecutor | None = None
        self._closed = False
        self._behind = False  # points may be logged that cannot be found yet

    def check_open(self) -> None:
        """See Home."""
        where = self._server.where
        if self._pid != os.getpid():
            raise SearchIndexError(
                f"index {where} was opened by process {self._pid} before this one forked from it: "
                "open it here"
            )
        if self._closed:
            raise SearchIndexError(f"index {where} is closed: open it again with Index(...)")

    def upsert(self, points: Points) -> None:
        """See Home; parts of 256 points, several at a time, each all or nothing."""
        rows = range(len(points))
        parts = [points.take(rows[at : at + _UPLOAD]) for at in range(0, len(points), _UPLOAD)]
        if len(parts) == 1:
            self._upload(parts[0])
            return
        if self._uploads is None:
            self._uploads = ThreadPoolExecutor(self._server.parallel, "pumice-upload")
        try:
            uploads: Iterator[None] = self._uploads.map(self._upload, parts)
        except RuntimeError:  # the interpreter is shutting down: no thread takes more
            uploads = map(self._upload, parts)
        list(uploads)  # the first error of the parts is raised

    def delete(self, ids: Sequence[PointId]) -> None:
        """See Home."""
        for at in range(0, len(ids), _IDS):
            selected = [point_id(one) for one in ids[at : at + _IDS]]
            self._send("delete", points_selector=selected, wait=True)

    def delete_matching(self, conditions: Sequence[Condition]) -> None:
        """See Home."""
        models = client_models()
        selected = models.FilterSelector(filter=server_filter(conditions) or models.Filter())
        self._send("delete", points_selector=selected, wait=True)

    def set_payload(self, ids: Sequence[PointId], payload: Payload) -> None:
        """See Home."""
        selected = [point_id(one) for one in ids]
        self._send("set_payload", payload=payload, points=selected, wait=True)

    def present(self, ids: Sequence[PointId]) -> set[PointId]:
        """See Home."""
        found: set[PointId] = set()
        for at in range(0, len(ids), _IDS):
            asked = [point_id(one) for one in ids[at : at + _IDS]]
            records = self._send("retrieve", ids=asked, with_payload=False, with_vectors=False)
            found |= {plain_id(record.id) for record in records}
        return found

    def count(self, conditions: Sequence[Condition]) -> int:
        """See Home."""
        counted = self._send("count", count_filter=server_filter(conditions), exact=True)
        return int(counted.count)

    def scroll(
        self, conditions: Sequence[Condition], *, keys: Sequence[str] | None
    ) -> Iterator[tuple[PointId, Payload]]:
        """See Home; pages of 1,024."""
        offset = None
        matching = server_filter(conditions)
        while True:
            page, offset = self._send(
                "scroll",
                scroll_filter=matching,
                limit=_SCROLL_PAGE,
                offset=offset,
                with_payload=True if keys is None else list(keys),
                with_vectors=False,
            )
            for record in page:
                yield plain_id(record.id), record.payload or {}
            if offset is None:
                return

    def query(self, queries: Sequence[Query], plan: Plan) -> list[list[Scored]]:
        """See Home; 64 queries a request."""
        lists = ServerLists(self._send, plan, exact=self._local)
        planner = Planner(plan, spaces=self._spaces)
        results: list[list[Scored]] = []
        for start in range(0, len(queries), _QUERY_PAGE):
            results += answers(queries[start : start + _QUERY_PAGE], planner, lists)
        return results

    def optimize(self) -> None:
        """Wait until the server has built what it builds by itself."""
        while True:
            info = self._send("get_collection")
            if str(getattr(info.status, "value", info.status)) != "yellow":
                return
            time.sleep(_GREEN_SECONDS)

    def flush(self) -> None:
        """What the server has acknowledged is in its log; with `Server.wait` off it can be found now too."""
        self.check_open()
        if self._behind:
            # Every shard applies updates in their order: one that does nothing, awaited, is behind them all.
            models = client_models()
            nothing = models.Filter(must=[models.HasIdCondition(has_id=[])])
            self._send("delete", points_selector=models.FilterSelector(filter=nothing), wait=True)
            self._behind = False

    def close(self) -> None:
        """See Home; a client that the caller made is left open."""
        if self._closed or self._pid != os.getpid():
            return
        self._closed = True
        if self._uploads is not None:
            self._uploads.shutdown()
        if self._server.client is None:
            self._client.close()

    def _upload(self, points: Points) -> None:
        wait = self._server.wait
        self._behind = self._behind or not wait
        self._send("upsert", points=server_points(points, self._spaces), wait=wait)

    def _send(self, call: str, **arguments: Any) -> Any:
        self.check_open()
        method: Callable[..., Any] = getattr(self._client, call)
        return self._retrying(lambda: method(self._name, **arguments))
