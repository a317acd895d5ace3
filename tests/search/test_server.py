"""A server that drops connections, is overloaded, refuses, or is none: real sockets before a real engine."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pumice.errors import InputError, PumiceError, SearchIndexError
from pumice.search import Index, Server
from pumice.search.server import retry

qdrant_client = pytest.importorskip("qdrant_client", reason="needs pumice[server]")


class Backend:
    """Qdrant's REST calls that an index makes, answered by qdrant-client's own engine."""

    def __init__(self) -> None:
        self.client = qdrant_client.QdrantClient(":memory:", force_disable_check_same_thread=True)
        self.lock = threading.Lock()
        self.requests: list[tuple[str, str]] = []
        self.queries: list[str] = []
        self.failures: Iterator[str] = iter(())  # what becomes of the coming uploads
        self.keeps_metadata = True

    def answer(self, method: str, path: str, body: Any) -> Any:
        """The `result` of the answer; LookupError for what is not there."""
        models = qdrant_client.models
        parts = path.strip("/").split("/")
        name, rest = parts[1], "/".join(parts[2:])
        with self.lock:
            if method == "GET" and rest == "exists":
                return {"exists": self.client.collection_exists(name)}
            if method == "PUT" and not rest:
                made = models.CreateCollection(**body)
                self.client.create_collection(
                    name,
                    vectors_config=made.vectors,
                    sparse_vectors_config=made.sparse_vectors,
                    metadata=made.metadata if self.keeps_metadata else None,
                )
                return True
            if method == "GET" and not rest:
                return self.client.get_collection(name).model_dump(mode="json")
            if (method, rest) == ("PUT", "points"):
                points = [models.PointStruct(**point) for point in body["points"]]
                self.client.upsert(name, points)
            if (method, rest) == ("POST", "points/count"):
                return {"count": self.client.count(name).count}
            if (method, rest) == ("POST", "points"):
                found = self.client.retrieve(name, body["ids"], with_payload=False)
                return [{"id": one.id} for one in found]
            return {"operation_id": 1, "status": "completed"}


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A server on a port of its own; `backend.url` is a collection there."""
    one = Backend()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length) or "null")
            path = self.path.partition("?")[0]
            one.requests.append((self.command, path))
            one.queries.append(self.path.partition("?")[2])
            upload = self.command == "PUT" and path.endswith("/points")
            failure = next(one.failures, "") if upload else ""
            if failure == "drop":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if failure.isdigit():
                self._send(int(failure), {"status": {"error": "not now"}})
                return
            if self.headers.get("api-key") not in (None, "right"):
                self._send(403, {"status": {"error": "forbidden"}})
                return
            result = one.answer(self.command, path, body)
            if failure == "store and drop":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._send(200, {"result": result, "status": "ok", "time": 0.0})

        do_GET = do_PUT = do_POST = _handle  # noqa: N815

        def _send(self, status: int, content: Any) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    one.url = f"http://127.0.0.1:{server.server_port}/articles"  # type: ignore[attr-defined]
    yield one
    server.shutdown()
    server.server_close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of milliseconds."""
    monkeypatch.setattr(retry, "_FIRST_WAIT", 0.002)


def records(count: int) -> list[dict[str, Any]]:
    return [{"id": f"r{at}", "text": f"bread number {at}"} for at in range(count)]


@pytest.mark.usefixtures("quick")
def test_uploads_that_are_awaited_at_the_end(backend: Any, model: Any) -> None:
    with Index(Server(backend.url, wait=False), model) as index:
        backend.failures = iter(["drop", "503", "store and drop"])
        for _ in range(2):
            assert index.add(records(1000)).added == 1000
            sent = [
                query
                for (method, path), query in zip(backend.requests, backend.queries, strict=True)
                if (method, path.rpartition("/")[2]) == ("PUT", "points")
            ]
            assert len(sent) >= 4
            assert {query.rpartition("wait=")[2] for query in sent} == {"false"}
        index.flush()
        assert backend.requests[-1][1].endswith("/points/delete")
        assert backend.queries[-1] == "wait=true"
        assert len(index) == 1000
        before = len(backend.requests)
        index.flush()  # nothing is behind
        assert len(backend.requests) == before


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "failures",
    [
        ["drop", "503", "429", "502"],
        ["store and drop", "store and drop", "500"],
        ["408", "drop", "drop", "504", "store and drop"],
    ],
)
def test_passing_failures_cost_no_record_and_double_none(
    backend: Any, model: Any, failures: list[str]
) -> None:
    with Index(backend.url, model) as index:
        backend.failures = iter(failures)
        assert index.add(records(1000)).added == 1000
        assert len(index) == 1000
        uploads = [
            one for one in backend.requests if one == ("PUT", "/collections/articles/points")
        ]
        assert len(uploads) == 4 + len(failures)


@pytest.mark.usefixtures("quick")
def test_a_failure_that_stays_is_one_error_and_running_again_completes(
    backend: Any, model: Any
) -> None:
    with Index(backend.url, model) as index:
        index.add(records(100))
        backend.failures = itertools.repeat("drop")
        with pytest.raises(
            SearchIndexError, match=r"does not answer \(.+\), tried 6 times"
        ) as told:
            index.add(records(2000))
        assert "\n" not in str(told.value)
        backend.failures = iter(())
        index.add(records(2000))
        assert len(index) == 2000


def test_no_server_is_one_error(model: Any, quick: None) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/articles"
    with pytest.raises(SearchIndexError, match=r"does not answer .*refused"):
        Index(Server(url, tries=2), model)


def test_a_silent_server_times_out(model: Any, quick: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/articles"
        with pytest.raises(SearchIndexError, match=r"does not answer \(ReadTimeout"):
            Index(Server(url, tries=2, timeout=1), model)


def test_a_wrong_key_is_told_at_once(backend: Any, model: Any) -> None:
    with pytest.raises(SearchIndexError, match="403: it wants another API key"):
        Index(Server(backend.url, api_key="wrong"), model)
    Index(Server(backend.url, api_key="right"), model).close()


def test_another_ones_collection_is_left_alone(backend: Any, model: Any) -> None:
    backend.keeps_metadata = False  # as servers before 1.16
    with pytest.raises(SearchIndexError, match="is no index of pumice"):
        Index(backend.url, model)
    with pytest.raises(SearchIndexError, match="is no index of pumice"):
        Index(backend.url, model, create=False)


def test_creates_nothing_when_told_not_to(backend: Any, model: Any) -> None:
    with pytest.raises(SearchIndexError, match="there is no index http"):
        Index(backend.url, model, create=False)
    assert not backend.client.collection_exists("articles")


def test_the_manifest_names_no_path_of_this_machine(backend: Any, model_path: Any) -> None:
    Index(backend.url, model_path).close()
    metadata = backend.client.get_collection("articles").config.metadata
    assert metadata["pumice"]["model_location"] is None
    assert str(model_path) not in json.dumps(metadata)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://localhost:6333", "names no collection"),
        ("http://localhost:6333/", "names no collection"),
        ("ftp://localhost/articles", "no http:// or https://"),
        ("http:///articles", "no http:// or https://"),
        ("http://localhost:99999/articles", "is no URL"),
        ("http://me:secret@localhost/articles", "ends up in logs"),
        ("http://localhost/articles?key=1", "nothing may follow"),
    ],
)
def test_urls_that_mean_nothing(url: str, told: str, model: Any) -> None:
    with pytest.raises(InputError, match=told) as refused:
        Index(url, model)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "wrong", [{"tries": 0}, {"timeout": -1}, {"parallel": True}, {"shards": 0}]
)
def test_servers_that_mean_nothing(wrong: Any) -> None:
    with pytest.raises(InputError, match="server: "):
        Server("http://localhost/articles", **wrong)


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(Server("http://localhost/articles", api_key="secret"))


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    monkeypatch.setitem(__import__("sys").modules, "qdrant_client", None)
    with pytest.raises(PumiceError, match=r"pumice\[server\]"):
        Index("http://localhost:1/articles", model)
