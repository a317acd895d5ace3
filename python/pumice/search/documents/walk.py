"""Finds the files to index under some paths, and says why others are left out."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pumice.errors import InputError
from pumice.search.documents.formats import SUFFIXES
from pumice.search.documents.packed import format_and_compression
from pumice.search.manifest import MANIFEST_FILE


@dataclass(frozen=True)
class SkippedFile:
    """A file or folder that was not indexed, and why; with `rows`, so many of its rows alone."""

    path: str
    reason: str
    rows: int = 0


@dataclass(frozen=True)
class Found:
    """What a walk saw. `unseen` are folders whose content could not be listed: what the index
    holds from below them stays, because nobody knows whether it is still there."""

    roots: tuple[str, ...]
    files: tuple[str, ...]
    skipped: tuple[SkippedFile, ...]
    unseen: tuple[str, ...]


def find_files(paths: Sequence[str | os.PathLike[str]], *, known: Callable[[str], bool]) -> Found:
    """Walk the paths in name order; InputError if one does not exist and is not `known` either.

    A path named by the caller is indexed even if hidden; below it hidden files and folders are
    skipped, links to folders are not followed, and index folders are left out.
    """
    roots = [os.path.abspath(os.fspath(path)) for path in paths]
    walk = _Walk()
    for given, root in zip(paths, roots, strict=True):
        try:
            mode = os.stat(root).st_mode
        except OSError as error:
            if isinstance(error, (FileNotFoundError, NotADirectoryError)) and known(root):
                walk.gone(root)
                continue
            raise InputError(
                f"{os.fspath(given)!r} cannot be indexed: {_why_not_there(root, error)}"
            ) from None
        if stat.S_ISDIR(mode):
            walk.folder(root)
        else:
            walk.file(root)
    return Found(tuple(roots), tuple(sorted(walk.files)), tuple(walk.skipped), tuple(walk.unseen))


def _why_not_there(path: str, error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a link that leads back to itself"
    if isinstance(error, FileNotFoundError) and os.path.islink(path):
        return "a link to nothing"
    return error.strerror or str(error)


class _Walk:
    def __init__(self) -> None:
        self.files: set[str] = set()
        self.skipped: list[SkippedFile] = []
        self.unseen: list[str] = []

    def folder(self, top: str) -> None:
        pending = [top]
        while pending:
            folder = pending.pop()
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                self.unseen.append(folder)
                self._skip(folder, error.strerror or str(error))
                continue
            if any(entry.name == MANIFEST_FILE for entry in entries):
                self._skip(folder, "a pumice index")
                continue
            for entry in entries:
                if entry.name == "__pycache__":
                    self._skip(entry.path, "cache folder")
                elif entry.name.startswith("."):
                    self._skip(entry.path, "hidden")
                elif entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.is_symlink() and os.path.isdir(entry.path):
                    self._skip(entry.path, "link to a folder")
                else:
                    self.file(entry.path)

    def file(self, path: str) -> None:
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            self._skip(path.encode("utf-8", "replace").decode(), "its name is not UTF-8")
            return
        suffix, compression = format_and_compression(Path(path))
        if suffix not in SUFFIXES:
            name = suffix + compression
            self._skip(path, f"format {name} is not supported" if name else "no file extension")
            return
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                self._skip(path, "not a regular file")
                return
        except OSError as error:
            self._skip(path, _why_not_there(path, error))
            return
        self.files.add(path)

    def gone(self, root: str) -> None:
        self._skip(root, "no longer there, its passages are removed")

    def _skip(self, path: str, reason: str) -> None:
        self.skipped.append(SkippedFile(path, reason))
