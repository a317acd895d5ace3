"""An index on a server: found, checked, created. Its manifest is the collection's metadata."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pumice.errors import SearchIndexError
from pumice.search.manifest import Manifest, parse_manifest
from pumice.search.server.address import Server
from pumice.search.server.config import sparse_config, vectors_config
from pumice.search.server.home import ServerHome
from pumice.search.server.library import client_library, is_local
from pumice.search.server.retry import RefusedError, Retrying
from pumice.search.spaces import dense_spaces
from pumice.search.wanted import Opened, Wanted

METADATA = "pumice"
_FIELDS = {"source": "keyword", "passage": "integer"}  # what indexing files asks for


def open_server(server: Server, wanted: Wanted) -> Opened:
    """Open the collection, or create it where `wanted` allows that."""
    client = server.connect(client_library())
    try:
        retrying = Retrying(server.where, tries=server.tries)
        manifest = _find(client, server, retrying, create=wanted.create)
        settled = wanted.settle(server.where, manifest)
        if manifest is None:
            _create(client, server, retrying, _portable(settled.manifest))
            # Read back: a server that knows no metadata has dropped it, another process may have
            # been faster, and a request that was sent twice has created it once.
            manifest = _find(client, server, retrying, create=False)
            settled = wanted.settle(server.where, manifest)
        spaces = dense_spaces(settled.manifest.storage, dim=settled.manifest.dim)
        return Opened(ServerHome(server, client, spaces), settled.model, settled.manifest)
    except BaseException:
        if server.client is None:
            client.close()
        raise


def _find(client: Any, server: Server, retrying: Retrying, *, create: bool) -> Manifest | None:
    name = server.collection
    if not retrying(lambda: client.collection_exists(name)):
        if not create:
            raise SearchIndexError(
                f"there is no index {server.where}: fill one first (pumice index PATH)"
            )
        return None
    info = retrying(lambda: client.get_collection(name))
    metadata = getattr(info.config, "metadata", None) or {}
    if METADATA not in metadata:
        raise SearchIndexError(
            f"{server.where} is no index of pumice (its metadata has no {METADATA!r}): name another "
            "collection; where pumice has just made it, the server is older than Qdrant 1.16, which "
            "keeps no metadata"
        )
    return parse_manifest(metadata[METADATA], server.where)


def _create(client: Any, server: Server, retrying: Retrying, manifest: Manifest) -> None:
    spaces = dense_spaces(manifest.storage, dim=manifest.dim)
    arguments: dict[str, Any] = {
        "vectors_config": vectors_config(spaces),
        "sparse_vectors_config": sparse_config() if manifest.storage.sparse else None,
        "shard_number": server.shards,
        "replication_factor": server.replicas,
        "on_disk_payload": True,
        "metadata": {METADATA: manifest.to_json()},
    }
    name = server.collection
    try:
        retrying(lambda: client.create_collection(name, **arguments))
    except RefusedError as refused:
        if refused.status != 409:  # it is there already
            raise
    except ValueError as error:  # qdrant-client's local mode
        if "already exists" not in str(error):
            raise
    for field, schema in _FIELDS.items():
        _index_field(client, name, retrying, field=field, schema=schema)


def _index_field(client: Any, name: str, retrying: Retrying, *, field: str, schema: str) -> None:
    if is_local(client):
        return  # local mode scans its payloads, and warns where an index is asked for
    retrying(lambda: client.create_payload_index(name, field, field_schema=schema, wait=True))


def _portable(manifest: Manifest) -> Manifest:
    """Without the model's place on this machine, which means nothing on another."""
    place = manifest.model_location
    local = place is not None and (place.startswith(("/", "\\")) or place[1:3] == ":\\")
    return replace(manifest, model_location=None) if local else manifest
