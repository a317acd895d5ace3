"""A model hub on loopback: the requests that huggingface_hub makes, answered from one folder."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serve(folder: Path) -> Iterator[tuple[str, list[str]]]:
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
            if self.path.startswith("/api/models/owner/name/tree/"):
                body = json.dumps(tree).encode()
                headers = {"Content-Type": "application/json"}
            elif self.path.startswith("/api/models/owner/name"):
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

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
