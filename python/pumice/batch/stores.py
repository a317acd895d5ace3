"""Where outputs lie, a folder or a URL: files appear whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from pumice.batch.arrow import filesystems
from pumice.batch.inputs import told
from pumice.errors import OutputError

PRIVATE = "_pumice"
_PARTIAL = ".partial"
_BUCKETS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl"}
# Where several processes may make the same file, after one is thought dead, each has a name of its own;
# so has what Lance begins, before it takes the name that it was given.
_OWN = re.compile(r"\.partial-\w+$|^data/\.tmp\w{6}$")


class Store(Protocol):
    """Where outputs lie: a folder, or what fsspec has under a URL. Paths are relative."""

    def read(self, path: str) -> bytes | None:
        """A file's content; None where there is none."""

    def write(self, path: str, data: bytes) -> None:
        """Replace a file, whole."""

    def sizes(self) -> dict[str, int]:
        """Every file's size."""

    def size(self, path: str) -> int | None:
        """One file's size; None where there is none."""

    def remove(self, path: str) -> None:
        """Delete a file; one that is not there is no error."""

    def partial(self, path: str, own: str = "") -> Path:
        """A local place to write the file to before it is finished; ``own`` tells writers apart."""

    def finish(self, partial: Path, path: str, *, record: str, data: bytes) -> None:
        """Keep the record, and give the partial file its name."""


class Folder:
    """A folder of this machine."""

    def __init__(self, location: str, *, own: str = "") -> None:
        self.own = own
        self.root = Path(os.path.expanduser(location))

    def make(self) -> None:
        """The folder, and where records go."""
        try:
            (self.root / PRIVATE).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{self.root}: cannot be made or written to: {error.strerror}: name another output folder"
            ) from None

    def read(self, path: str) -> bytes | None:
        """See Store."""
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutputError(f"{self.root / path}: cannot be read: {error.strerror}") from None

    def write(self, path: str, data: bytes) -> None:
        """See Store."""
        partial = self.partial(path, self.own)
        try:
            with writing(self.root):
                with partial.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                partial.replace(self.root / path)
                _sync(partial.parent)
        except OutputError:
            partial.unlink(missing_ok=True)
            raise

    def sizes(self) -> dict[str, int]:
        """See Store."""
        found = {}
        for parent, _, files in os.walk(self.root):
            for name in files:
                path = Path(parent) / name
                with suppress(FileNotFoundError):  # another process has just renamed it
                    found[path.relative_to(self.root).as_posix()] = path.stat().st_size
        return found

    def size(self, path: str) -> int | None:
        """See Store."""
        try:
            return (self.root / path).stat().st_size
        except FileNotFoundError:
            return None

    def remove(self, path: str) -> None:
        """See Store."""
        (self.root / path).unlink(missing_ok=True)

    def partial(self, path: str, own: str = "") -> Path:
        """See Store."""
        partial = self.root / partial_name(path, own)
        with writing(self.root):
            partial.parent.mkdir(parents=True, exist_ok=True)
        return partial

    def finish(self, partial: Path, path: str, *, record: str, data: bytes) -> None:
        """See Store."""
        with writing(self.root):
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            self.write(record, data)
            partial.replace(self.root / path)
            _sync(partial.parent)


class UrlStore:
    """What fsspec has under a URL: an object is there when its upload is complete, and its record after it."""

    def __init__(self, location: str) -> None:
        self._location = location
        with told(location):
            self._store, self._root = filesystems().url_to_fs(location.rstrip("/"))
        self._here = tempfile.TemporaryDirectory(prefix="pumice-")

    def read(self, path: str) -> bytes | None:
        """See Store."""
        with told(self._location):
            try:
                data: bytes = self._store.cat_file(f"{self._root}/{path}")
                return data
            except FileNotFoundError:
                return None

    def write(self, path: str, data: bytes) -> None:
        """See Store."""
        with told(self._location, "cannot be written to"):
            self._parent(path)
            self._store.pipe_file(f"{self._root}/{path}", data)

    def sizes(self) -> dict[str, int]:
        """See Store."""
        with told(self._location):
            try:
                self._store.invalidate_cache()
                found = self._store.find(self._root, detail=True)
            except FileNotFoundError:
                return {}
            return {
                path[len(self._root) :].lstrip("/"): int(info["size"] or 0)
                for path, info in found.items()
            }

    def size(self, path: str) -> int | None:
        """See Store."""
        with told(self._location):
            try:
                return int(self._store.info(f"{self._root}/{path}")["size"])
            except FileNotFoundError:
                return None

    def remove(self, path: str) -> None:
        """See Store."""
        with told(self._location, "cannot be removed"):
            try:
                self._store.rm_file(f"{self._root}/{path}")
            except FileNotFoundError:
                return

    def partial(self, path: str, own: str = "") -> Path:
        """See Store."""
        place = Path(self._here.name) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def finish(self, partial: Path, path: str, *, record: str, data: bytes) -> None:
        """See Store."""
        with told(self._location, "cannot be written to"):
            self._parent(path)
            self._store.put_file(str(partial), f"{self._root}/{path}")
        partial.unlink()
        self.write(record, data)

    def _parent(self, path: str) -> None:
        if not _BUCKETS.isdisjoint(_names(self._store.protocol)):
            return  # such a store has no folders, and would make a bucket of a name that was misspelt
        self._store.makedirs(f"{self._root}/{path}".rpartition("/")[0], exist_ok=True)


def _names(protocol: str | tuple[str, ...]) -> tuple[str, ...]:
    """fsspec gives one name or several."""
    return (protocol,) if isinstance(protocol, str) else protocol


@contextmanager
def writing(folder: object) -> Iterator[None]:
    """A system error inside the ``with`` becomes one sentence that says what to do."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise OutputError(
            f"{folder}: cannot be written to: {reason}: mend that, and start the "
            "same command again; it goes on where it was"
        ) from None


def _sync(folder: Path) -> None:
    """So that a rename survives a power cut; Windows keeps no folder open."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def partial_name(file: str, own: str = "") -> str:
    """What a file is called before it is finished."""
    folder, _, name = file.rpartition("/")
    partial = f".{name}{_PARTIAL}" + (f"-{own}" if own else "")
    return f"{folder}/{partial}" if folder else partial


def is_left_over(path: str) -> bool:
    """Whether it is an unfinished file of a name of its own, which nobody takes up again."""
    return _OWN.search(path) is not None
