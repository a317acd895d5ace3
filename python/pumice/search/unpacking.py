"""A packed index back into a folder. The file is a stranger's: it is checked before it is believed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from pumice.errors import SearchIndexError
from pumice.search.edge import SHARD_FOLDER
from pumice.search.location import unpacked_folder
from pumice.search.manifest import MANIFEST_FILE, read_manifest, write_manifest
from pumice.search.packing import CHUNK, FORMAT, LISTING, MODEL_FILE, VERSION

_MAX_LISTING = 16 << 20
_MAX_FILES = 100_000
_MAX_SIZE = 1 << 50
_RESERVE = 32 << 20  # bytes left free on the disk
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_OURS = (MANIFEST_FILE, MODEL_FILE)


@dataclass(frozen=True)
class _File:
    path: str
    size: int
    sha256: str


def is_packed(path: Path) -> bool:
    """Whether a packed index lies there, by its first bytes."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def unpack(file: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Path:
    """Write the index packed in `file` into `folder`, new or empty; all of it or nothing.

    Raises SearchIndexError for a damaged or foreign file, and for a disk without room.
    """
    packed, target = Path(file), Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise SearchIndexError(f"{target} is there already: name a new folder to unpack into")
    with _opened(packed) as archive:
        _unpack(archive, packed, target)
    return target


def unpacked(file: Path) -> Path:
    """The folder in the user's cache that holds this very file unpacked; made where there is none."""
    with _opened(file) as archive:
        listing = _listing_bytes(archive, file)
        target = unpacked_folder() / hashlib.sha256(listing).hexdigest()[:32]
        if read_manifest(target) is None:
            _unpack(archive, file, target)
    return target


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SearchIndexError(f"{file} cannot be read as a packed index: {reason}") from None


def _unpack(archive: zipfile.ZipFile, file: Path, target: Path) -> None:
    files = _checked_listing(archive, file)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise SearchIndexError(
            f"{file} cannot be unpacked into {target.parent}: {error.strerror}; pumice index --unpack "
            f"{file} --index FOLDER puts it elsewhere"
        ) from None
    try:
        for one in files:
            _extract(archive, file, one, partial)
        manifest = read_manifest(partial)
        if manifest is None:
            raise _damaged(file, f"it has no {MANIFEST_FILE}")
        if (partial / MODEL_FILE).exists():
            place = str((target / MODEL_FILE).absolute())
            write_manifest(partial, replace(manifest, model_location=place))
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        try:
            partial.rename(target)
        except OSError:
            if read_manifest(target) is None:  # another process was not faster
                raise
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _damaged(file, str(getattr(error, "strerror", None) or error)) from None
    except RuntimeError as error:  # zipfile: encrypted
        raise _damaged(file, str(error)) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _listing_bytes(archive: zipfile.ZipFile, file: Path) -> bytes:
    try:
        entry = archive.getinfo(LISTING)
        if entry.file_size > _MAX_LISTING:
            raise _damaged(file, "its list of files is too long")
        with archive.open(entry) as reading:
            return reading.read(_MAX_LISTING)
    except KeyError:
        raise SearchIndexError(
            f"{file} is no packed index (it has no {LISTING}): pumice index --pack makes one"
        ) from None
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise _damaged(file, str(error)) from None


def _checked_listing(archive: zipfile.ZipFile, file: Path) -> list[_File]:
    """What is in the file: as listed, neither more nor less, and nothing that leads outside."""
    try:
        listing = json.loads(_listing_bytes(archive, file))
    except (ValueError, RecursionError):
        raise _damaged(file, "its list of files is no JSON") from None
    if not isinstance(listing, dict) or listing.get("format") != FORMAT:
        raise _damaged(file, "its list of files is another's")
    if listing.get("version") != VERSION:
        raise SearchIndexError(
            f"{file} has format version {listing.get('version')!r}, this pumice knows {VERSION}: "
            "upgrade pumice, or pack the index again"
        )
    given = listing.get("files")
    if not isinstance(given, list) or len(given) > _MAX_FILES:
        raise _damaged(file, "its list of files is none")
    files = [_parsed(one, file) for one in given]
    names = [one.path for one in files]
    entries = [entry.filename for entry in archive.infolist()]
    if len(set(names)) != len(names) or sorted([*names, LISTING]) != sorted(entries):
        raise _damaged(file, "it holds other files than it lists")
    if sum(one.size for one in files) > _MAX_SIZE:
        raise _damaged(file, "its files are too large")
    for entry in archive.infolist():
        if (entry.external_attr >> 16) & 0o170000 not in (0, 0o100000):
            raise _damaged(file, f"{entry.filename!r} is a link or a device")
    return files


def _parsed(given: Any, file: Path) -> _File:
    path = given.get("path") if isinstance(given, dict) else None
    size = given.get("size") if isinstance(given, dict) else None
    digest = given.get("sha256") if isinstance(given, dict) else None
    if (
        not isinstance(path, str)
        or not isinstance(digest, str)
        or isinstance(size, bool)
        or not isinstance(size, int)
        or size < 0
    ):
        raise _damaged(file, "its list of files is damaged")
    parts = path.split("/")
    inside = path in _OURS or (len(parts) > 1 and parts[0] == SHARD_FOLDER)
    if not inside or not all(_PART.fullmatch(part) for part in parts) or len(path) > 1000:
        raise _damaged(file, f"{path!r} is no file of an index")
    return _File(path, size, digest)


def _extract(archive: zipfile.ZipFile, file: Path, one: _File, folder: Path) -> None:
    target = folder / one.path
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with archive.open(one.path) as reading, target.open("xb") as writing:
        while data := reading.read(CHUNK):
            digest.update(data)
            size += len(data)
            if size > one.size:
                raise _damaged(file, f"{one.path} is larger than listed")
            _write(writing, data, folder, file)
        writing.truncate(size)
    if size != one.size or digest.hexdigest() != one.sha256:
        raise _damaged(file, f"{one.path} is not the one that was packed")


def _write(writing: IO[bytes], data: bytes, folder: Path, file: Path) -> None:
    if not data.strip(b"\0"):  # a hole
        writing.seek(len(data), os.SEEK_CUR)
        return
    if shutil.disk_usage(folder).free < len(data) + _RESERVE:
        raise SearchIndexError(f"{file}: the disk is full: free some space and unpack it again")
    writing.write(data)


def _damaged(file: Path, reason: str) -> SearchIndexError:
    return SearchIndexError(f"{file} is damaged: {reason}; get it again")
