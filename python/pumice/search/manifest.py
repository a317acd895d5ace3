"""An index's own description: which model filled it, and how. In a folder, a file written atomically."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumice.errors import InputError, SearchIndexError
from pumice.search.storage import Storage

MANIFEST_FILE = "pumice-index.json"
# Stands beside the shard while it is created or emptied: only then may pumice delete the shard.
UNFINISHED_FILE = f"{MANIFEST_FILE}.unfinished"
_FORMAT = "pumice-index"
_VERSION = 2
WORDS = 1
"""How words are read and weighted (bm25.py): raise it when a text's terms would come out otherwise."""
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What must agree before a vector is added or a query is answered."""

    model_name: str
    model_fingerprint: str
    dim: int
    storage: Storage
    model_location: str | None = None  # what pumice.load takes; None: the shipped model, or unknown

    def to_json(self) -> dict[str, Any]:
        """What is written; `parse_manifest` reads it."""
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "model_name": self.model_name,
            "model_fingerprint": self.model_fingerprint,
            "model_location": self.model_location,
            "dim": self.dim,
            "storage": self.storage.to_json(),
            "words": WORDS if self.storage.sparse else None,
        }


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of `folder`, None where there is none; SearchIndexError where it is damaged."""
    path = folder / MANIFEST_FILE
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SearchIndexError(f"{path} cannot be read: {error.strerror}") from None
    try:
        content = json.loads(data) if len(data) <= _MAX_BYTES else None
    except (ValueError, RecursionError):
        content = None
    return parse_manifest(content, str(path))


def manifest_bytes(manifest: Manifest) -> bytes:
    """As it stands in the file."""
    return json.dumps(manifest.to_json(), indent=2, ensure_ascii=False).encode() + b"\n"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in one step: a reader sees the old one or the new one, never half."""
    data = manifest_bytes(manifest)
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=MANIFEST_FILE, suffix=".tmp", dir=folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / MANIFEST_FILE)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise SearchIndexError(f"index {folder} cannot be written: {error.strerror}") from None


def mark_unfinished(folder: Path) -> None:
    """Say that the shard of `folder`, from here on, is pumice's own and holds nothing to keep."""
    try:
        with (folder / UNFINISHED_FILE).open("w") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise SearchIndexError(f"index {folder} cannot be written: {error.strerror}") from None


def mark_finished(folder: Path) -> None:
    """Say that the shard is to be kept; nothing deletes it any more."""
    try:
        (folder / UNFINISHED_FILE).unlink(missing_ok=True)
    except OSError as error:
        raise SearchIndexError(f"index {folder} cannot be written: {error.strerror}") from None


def parse_manifest(content: Any, where: str) -> Manifest:
    """The manifest read at `where`; SearchIndexError where it is damaged, or of another version."""
    again = "index again into a new folder"
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise SearchIndexError(f"{where} is damaged: {again}")
    if content.get("version") != _VERSION:
        raise SearchIndexError(
            f"{where} has format version {content.get('version')!r}, this pumice knows {_VERSION}: "
            f"upgrade pumice, or {again}"
        )
    name, fingerprint = content.get("model_name"), content.get("model_fingerprint")
    dim, location = content.get("dim"), content.get("model_location")
    try:
        stored = content.get("storage")
        storage = Storage.from_json(stored) if isinstance(stored, dict) else None
    except InputError:
        storage = None
    if (
        not isinstance(name, str)
        or not isinstance(fingerprint, str)
        or isinstance(dim, bool)
        or not isinstance(dim, int)
        or dim < 1
        or not (location is None or isinstance(location, str))
        or storage is None
        or any(stage >= dim for stage in storage.stages)
    ):
        raise SearchIndexError(f"{where} is damaged: {again}")
    if storage.sparse and content.get("words") != WORDS:
        raise SearchIndexError(
            f"{where}: its words were read by rules {content.get('words')!r}, this pumice has rules "
            f"{WORDS}: {again}"
        )
    return Manifest(name, fingerprint, dim, storage, location)
