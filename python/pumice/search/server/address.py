"""Where a collection is, and how to talk to its server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from pumice.errors import InputError

_REST_PORT, _GRPC_PORT = 6333, 6334


@dataclass(frozen=True)
class Server:
    """A collection on a Qdrant server or cluster: `http://host:6333/collection`."""

    url: str
    """Scheme, host, port (6333 if left out) and, as the last part of the path, the collection."""
    api_key: str | None = field(default=None, repr=False)
    grpc: bool = False
    """Talk gRPC, on `grpc_port`."""
    grpc_port: int = _GRPC_PORT
    timeout: int = 60
    """Seconds that one request may take."""
    tries: int = 6
    """How often a request is sent before it has failed; waits between them grow from 0.25 to 8 s."""
    parallel: int = 4
    """Requests of one upload that are under way together."""
    wait: bool = True
    """False: an upload ends when the server has logged it, not when it can be found; `Index.flush` waits."""
    shards: int | None = None
    """Of a new collection; None: the server's default."""
    replicas: int | None = None
    """Of each shard of a new collection."""
    client: Any = None
    """A `QdrantClient` of your own to use instead; `url` is then the collection's name alone."""

    def __post_init__(self) -> None:
        for name in ("grpc_port", "timeout", "tries", "parallel", "shards", "replicas"):
            given = getattr(self, name)
            if name in ("shards", "replicas") and given is None:
                continue
            if isinstance(given, bool) or not isinstance(given, int) or given < 1:
                raise InputError(f"server: {name} is {given!r}: give an int of at least 1")
        self.collection  # noqa: B018  # refuses a URL without one

    @property
    def collection(self) -> str:
        """The collection's name."""
        if not isinstance(self.url, str):
            raise InputError(f"server: url is a {type(self.url).__name__}: give a str")
        if self.client is not None:
            if not self.url or "/" in self.url:
                raise InputError(f"server: {self.url!r} names no collection: give its name alone")
            return self.url
        name = unquote(self._parts().path.rstrip("/").rpartition("/")[2])
        if not name:
            raise InputError(
                f"{self.url} names no collection: write it behind the server, as in "
                "http://localhost:6333/articles"
            )
        return name

    @property
    def where(self) -> str:
        """For error messages; it shows no password."""
        if self.client is not None:
            return f"collection {self.url}"
        parts = self._parts()
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def connect(self, library: Any) -> Any:
        """A client; nothing is sent yet."""
        if self.client is not None:
            return self.client
        parts = self._parts()
        prefix = parts.path.rstrip("/").rpartition("/")[0].strip("/")
        return library.QdrantClient(
            host=parts.hostname,
            port=parts.port or _REST_PORT,
            https=parts.scheme == "https",
            prefix=prefix or None,
            api_key=self.api_key,
            prefer_grpc=self.grpc,
            grpc_port=self.grpc_port,
            timeout=self.timeout,
            check_compatibility=False,  # it would warn on standard error; see opening.py
        )

    def _parts(self) -> Any:
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError as error:
            raise InputError(f"{self.url!r} is no URL: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise InputError(f"{self.url!r} is no http:// or https:// URL of a Qdrant server")
        if parts.query or parts.fragment:
            raise InputError(f"{self.url!r}: nothing may follow the collection's name")
        if parts.username or parts.password:
            raise InputError(
                "a password in a URL ends up in logs: give Server(url, api_key=...), or, to the "
                "command line, QDRANT_API_KEY"
            )
        return parts
