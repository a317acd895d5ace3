"""A model hub on loopback: the requests that huggingface_hub makes, answered from one folder or kept."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serve(folder: Path, *, kind: str = "models") -> Iterator[tuple[str, list[str]]]:
    """Serve the folder as repository owner/name; gives the hub's address and the paths asked for."""
    asked: list[str] = []
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    tree = [
        {"type": "file", "path": name, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}
        for name, body in files.items()
    ]

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            asked.append(self.path)
            if self.path.startswith(f"/api/{kind}/owner/name/tree/"):
                body = json.dumps(tree).encode()
                headers = {"Content-Type": "application/json"}
            elif self.path.startswith(f"/api/{kind}/owner/name"):
                siblings = [{"rfilename": name} for name in files]
                body = json.dumps(
                    {"id": "owner/name", "sha": COMMIT, "siblings": siblings}
                ).encode()
                headers = {"Content-Type": "application/json"}
            elif (name := self.path.partition(f"/owner/name/resolve/{COMMIT}/")[2]) in files:
                body = files[name]
                headers = {"X-Repo-Commit": COMMIT, "ETag": hashlib.sha256(body).hexdigest()}
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_GET = do_HEAD = reply  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Uploads:
    """What a hub was sent."""

    address: str = ""
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    private: dict[str, bool] = field(default_factory=dict)
    """By repository that was made."""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """By repository: names and content of all commits."""


@contextmanager
def receive(*, refuses: int | None = None) -> Iterator[Uploads]:
    """A hub that makes repositories and takes commits, or answers each of these with ``refuses``."""
    uploads = Uploads()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, value: object, *, status: int = 200) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            uploads.asked.append(f"GET {self.path}")
            name = "/".join(self.path.removeprefix("/api/models/").split("?")[0].split("/")[:2])
            described = {"id": name, "sha": COMMIT, "private": uploads.private.get(name, False)}
            self.answer({**described, "siblings": []})

        def do_POST(self) -> None:
            uploads.asked.append(f"POST {self.path}")
            uploads.tokens.add(self.headers.get("Authorization") or "")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            name = "/".join(self.path.removeprefix("/api/models/").split("/")[:2])
            if self.path == "/api/validate-yaml":
                self.answer({"errors": [], "warnings": []})
            elif refuses is not None:
                self.answer({"error": "no"}, status=refuses)
            elif self.path == "/api/repos/create":
                made = json.loads(body)
                name = "/".join(filter(None, (made.get("organization"), made["name"])))
                if name in uploads.private:
                    self.answer({"url": f"{uploads.address}/{name}"}, status=409)
                    return
                hidden = made.get("private") or made.get("visibility") == "private"
                uploads.private[name] = bool(hidden)
                self.answer({"url": f"{uploads.address}/{name}"})
            elif "/preupload/" in self.path:
                wanted = json.loads(body)["files"]
                modes = [
                    {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for one in wanted
                ]
                self.answer({"files": modes})
            elif "/commit/" in self.path:
                kept = uploads.files.setdefault(name, {})
                for line in body.decode().splitlines():
                    one = json.loads(line)
                    if one["key"] == "file":
                        kept[one["value"]["path"]] = base64.b64decode(one["value"]["content"])
                self.answer(
                    {
                        "commitUrl": f"{uploads.address}/{name}/commit/{COMMIT}",
                        "commitOid": COMMIT,
                    }
                )
            else:
                self.answer({"error": "not found"}, status=404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    uploads.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield uploads
    finally:
        server.shutdown()
        server.server_close()
