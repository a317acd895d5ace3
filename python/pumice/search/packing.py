"""An index folder as one file, to ship to a device: a zip with a list of what is in it, checked by hash.

Edge's files are mostly holes, which deflate to nothing and are left as holes when they are unpacked.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pumice.errors import InputError, SearchIndexError
from pumice.search.edge import SHARD_FOLDER
from pumice.search.manifest import MANIFEST_FILE, Manifest, manifest_bytes, read_manifest
from pumice.search.models import model_for
from pumice.search.owner import Owner

LISTING = "pumice-pack.json"
MODEL_FILE = "model.pumice"
FORMAT, VERSION = "pumice-pack", 1
CHUNK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same index gives the same bytes


def pack(folder: str | os.PathLike[str], file: str | os.PathLike[str]) -> int:
    """Write the index in `folder`, and the model it needs, to `file`; return the file's size.

    The index must be open nowhere. The shipped model is not packed: whoever has pumice has it.
    Raises SearchIndexError for what is no index or in use, InputError for a file that cannot be written.
    """
    source, target = Path(folder), Path(file)
    manifest = read_manifest(source)
    if manifest is None:
        raise SearchIndexError(f"there is no index in {source}: fill one first (pumice index PATH)")
    owner = Owner(source)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            _write(archive, source, manifest)
        partial.replace(target)
        return target.stat().st_size
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
        owner.release()


def _write(archive: zipfile.ZipFile, source: Path, manifest: Manifest) -> None:
    portable = replace(manifest, model_location=None)
    files = [_stored(archive, MANIFEST_FILE, manifest_bytes(portable))]
    if manifest.model_location is not None:
        model, _ = model_for(str(source), None, manifest)
        saved = source / f"{MANIFEST_FILE}.model.tmp"
        try:
            model.save(saved)
            files.append(_copied(archive, MODEL_FILE, saved))
        finally:
            saved.unlink(missing_ok=True)
    for path in _files(source / SHARD_FOLDER):
        files.append(_copied(archive, path.relative_to(source).as_posix(), path))
    listing = {"format": FORMAT, "version": VERSION, "files": files}
    _stored(archive, LISTING, json.dumps(listing, indent=1).encode())


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(root, name)


def _stored(archive: zipfile.ZipFile, name: str, data: bytes) -> dict[str, Any]:
    archive.writestr(_entry(name), data)
    return {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _copied(archive: zipfile.ZipFile, name: str, path: Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as reading, archive.open(_entry(name), "w", force_zip64=True) as writing:
        while data := reading.read(CHUNK):
            digest.update(data)
            size += len(data)
            writing.write(data)
    return {"path": name, "size": size, "sha256": digest.hexdigest()}


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
