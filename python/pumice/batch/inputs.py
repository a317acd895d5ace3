"""Which files are read: paths, folders, globs and URLs, each with a name, a size and a version."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumice.batch.arrow import filesystems
from pumice.errors import InputError, PumiceError

COMPRESSIONS = {".gz": "gzip", ".xz": "xz", ".zst": "zstd", ".bz2": "bz2"}
INPUT_FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "text",
}
_MAGIC = "*?["
_VERSIONS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated")


Kind = tuple[str, "str | None"]
"""A format, and a compression where there is one."""


@dataclass(frozen=True)
class Input:
    """One file to read. ``name`` is its path below the folder or glob it was found in; outputs bear it."""

    location: str
    name: str
    size: int
    version: str
    """Its mtime in nanoseconds, or what its store calls a version: another one, another content."""
    format: str
    compression: str | None = None
    fault: str = ""
    """Why it cannot be read, where that is known before it is opened."""

    @property
    def is_local(self) -> bool:
        """Whether it is a path of this machine."""
        return not is_url(self.location)


def is_url(location: str) -> bool:
    """Whether fsspec, and not this machine's file system, has it."""
    return "://" in location


def as_locations(inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[str]:
    """One or several paths and URLs, as strings."""
    if isinstance(inputs, (str, os.PathLike)):
        inputs = [inputs]
    return [os.fspath(one) for one in inputs]


def find_inputs(
    locations: Iterable[str], *, as_format: str | None = None, past_faults: bool = False
) -> list[Input]:
    """Every file, in the order of their names. A folder gives what it holds of known formats, at any depth.

    Names that begin with a dot or an underscore are left out of folders and globs, as everywhere. Raises
    InputError for what is not there, and where two files would have the same name; also for what lies in a
    folder and cannot be read, such as a pipe, unless ``past_faults`` wants it among the others with its fault.
    """
    if as_format is not None and as_format not in INPUT_FORMATS.values():
        known = ", ".join(dict.fromkeys(INPUT_FORMATS.values()))
        raise InputError(f"input_format={as_format!r} is not one of {known}")
    found: dict[str, Input] = {}
    for location in locations:
        here = list((_remote if is_url(location) else _local)(location, as_format))
        if not here:
            raise InputError(
                f"{location}: no file of a known format ({', '.join(INPUT_FORMATS)}, packed by "
                f"{', '.join(COMPRESSIONS)} or not)"
            )
        for one in here:
            if one.fault and not past_faults:
                raise InputError(one.fault)
            other = found.setdefault(one.name, one)
            if other.location != one.location:
                raise InputError(
                    f"{one.location} and {other.location} would both be called {one.name}: name the folder "
                    "that holds both, or run them into two output folders"
                )
    if not found:
        raise InputError("there is no file to read: name files, folders or URLs")
    return [found[name] for name in sorted(found)]


def format_of(name: str) -> tuple[str | None, str | None]:
    """What a file's name says of its format and of its compression."""
    stem, suffix = os.path.splitext(name.lower())
    compression = COMPRESSIONS.get(suffix)
    if compression is not None:
        suffix = os.path.splitext(stem)[1]
    return INPUT_FORMATS.get(suffix), compression


def _local(location: str, as_format: str | None) -> Iterator[Input]:
    path = Path(os.path.expanduser(location))
    if path.is_dir():
        faults: dict[str, str] = {}
        yield from _local_files(path, sorted(_walk(path, faults)), as_format)
        for folder, fault in sorted(faults.items()):
            yield Input(folder, os.path.relpath(folder, path), 0, "", "text", fault=fault)
    elif path.exists():
        one = _local_input(path, path.name, _asked_format(location, as_format))
        if one.fault:
            raise InputError(one.fault)
        yield one
    elif any(c in location for c in _MAGIC):
        matches = sorted(map(Path, glob.glob(str(path), recursive=True)))
        root = Path(*_before_magic(path.parts))
        yield from _local_files(root, [m for m in matches if m.is_file()], as_format)
    else:
        raise InputError(f"{location}: no such file or folder")


def _walk(folder: Path, faults: dict[str, str]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        faults[error.filename] = f"{error.filename}: cannot be read: {error.strerror}"

    for parent, folders, files in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if not _hidden(name)]
        yield from (Path(parent) / name for name in files)


def _local_files(root: Path, paths: list[Path], as_format: str | None) -> Iterator[Input]:
    for path in paths:
        name = path.relative_to(root).as_posix()
        kind = _format(path.name, as_format)
        if kind is not None and not _hidden(path.name):
            yield _local_input(path, name, kind)


def _local_input(path: Path, name: str, kind: Kind) -> Input:
    try:
        found = path.stat()
    except OSError as error:
        fault = f"{path}: cannot be read: {error.strerror}"
        return Input(str(path), name, 0, "", *kind, fault=fault)
    if not path.is_file():
        fault = f"{path}: is not a regular file: write what it gives into one"
        return Input(str(path), name, 0, "", *kind, fault=fault)
    return Input(str(path), name, found.st_size, str(found.st_mtime_ns), *kind)


def _format(name: str, as_format: str | None) -> Kind | None:
    """None for a file of another kind."""
    told, compression = format_of(name)
    kind = as_format or told
    return None if kind is None else (kind, compression)


def _asked_format(name: str, as_format: str | None) -> Kind:
    """That of a file that was asked for by name; InputError where it is of another kind."""
    kind = _format(name, as_format)
    if kind is None:
        raise InputError(
            f"{name}: of no known format ({', '.join(INPUT_FORMATS)}, packed by {', '.join(COMPRESSIONS)} or "
            "not): say which with input_format (--input-format)"
        )
    return kind


def _remote(location: str, as_format: str | None) -> Iterator[Input]:
    with told(location):
        store, path = filesystems().url_to_fs(location)
        if any(c in path for c in _MAGIC):
            root, infos = "/".join(_before_magic(path.split("/"))), store.glob(path, detail=True)
        elif store.isdir(path):
            root, infos = path.rstrip("/"), store.find(path, detail=True)
        else:
            info = store.info(path)
            name = path.rsplit("/", 1)[-1]
            yield _remote_input(store, info, name, _asked_format(path, as_format))
            return
        for path, info in sorted(infos.items()):
            name = path[len(root) :].lstrip("/")
            if info.get("type") == "directory" or any(map(_hidden, name.split("/"))):
                continue
            if (kind := _format(path, as_format)) is not None:
                yield _remote_input(store, info, name, kind)


def _remote_input(store: Any, info: dict[str, Any], name: str, kind: Kind) -> Input:
    version = next((str(info[key]) for key in _VERSIONS if info.get(key)), "")
    return Input(
        store.unstrip_protocol(info["name"]), name, int(info.get("size") or 0), version, *kind
    )


@contextmanager
def told(location: str, what: str = "cannot be read") -> Iterator[None]:
    """Whatever a store's library raises inside the ``with`` becomes an InputError that names the location.

    Each store has errors of its own (botocore's are no OSError), so that every Exception is meant.
    """
    try:
        yield
    except (PumiceError, MemoryError):
        raise
    except FileNotFoundError:
        raise InputError(f"{location}: {what}: no such file or folder") from None
    except Exception as error:
        errno = getattr(error, "errno", None)
        # Arrow's own errors carry an errno too, and a strerror with the path in it.
        reason = os.strerror(errno) if errno else str(error) or type(error).__name__
        raise InputError(f"{location}: {what}: {' '.join(reason.split())[:300]}") from None


def _before_magic(parts: Iterable[str]) -> list[str]:
    before = []
    for part in parts:
        if any(c in part for c in _MAGIC):
            break
        before.append(part)
    return before


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))
