"""The index folder's own description: which model filled it, and how. Written atomically."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pumice.errors import SearchIndexError

MANIFEST_FILE = "pumice-index.json"
# Stands beside the shard while it is created or emptied: only then may pumice delete the shard.
UNFINISHED_FILE = f"{MANIFEST_FILE}.unfinished"
_FORMAT = "pumice-index"
_VERSION = 1
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What must agree before a vector is added or a query is answered."""

    model_name: str
    model_fingerprint: str
    dim: int
    model_location: str | None = None  # what pumice.load takes; None: the shipped model, or unknown
    distance: str = "cosine"


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
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise SearchIndexError(f"{path} is damaged: index again into a new folder")
    if content.get("version") != _VERSION:
        raise SearchIndexError(
            f"{path} has format version {content.get('version')!r}, this pumice knows {_VERSION}: "
            "upgrade pumice, or index again into a new folder"
        )
    return _parse(content, path)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in one step: a reader sees the old one or the new one, never half."""
    content = {"format": _FORMAT, "version": _VERSION, **asdict(manifest)}
    data = json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n"
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


def _parse(content: dict[str, Any], path: Path) -> Manifest:
    name, fingerprint = content.get("model_name"), content.get("model_fingerprint")
    dim, location = content.get("dim"), content.get("model_location")
    if (
        not isinstance(name, str)
        or not isinstance(fingerprint, str)
        or not isinstance(dim, int)
        or dim < 1
        or not (location is None or isinstance(location, str))
        or content.get("distance") != "cosine"
    ):
        raise SearchIndexError(f"{path} is damaged: index again into a new folder")
    return Manifest(name, fingerprint, dim, location)
