"""The homes that an index may have, for suites that every home must pass."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pumice.search import Server

LIVE = "PUMICE_QDRANT_URL"
OTHERS = [
    "local",
    pytest.param("live", marks=pytest.mark.skipif(LIVE not in os.environ, reason=f"no {LIVE}")),
]
"""Beside Edge: qdrant-client's own engine in this process, and a server where one is named."""


@contextmanager
def location(kind: str, folder: Path) -> Iterator[Any]:
    """Where an index of this kind may be made: what `Index` takes, good for opening it again."""
    if kind == "edge":
        yield folder / "edge"
        return
    qdrant_client = pytest.importorskip("qdrant_client", reason="needs pumice[server]")
    if kind == "local":
        client = qdrant_client.QdrantClient(":memory:")
        yield Server("articles", client=client)
        client.close()
        return
    server = Server(
        f"{os.environ[LIVE].rstrip('/')}/pumice-{uuid.uuid4().hex}",
        api_key=os.environ.get("QDRANT_API_KEY"),
    )
    yield server
    client = server.connect(qdrant_client)
    client.delete_collection(server.collection)
    client.close()
