"""Writes a file whole or not at all: to a name of its own first, then over the target."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from pumice.errors import InputError


def checked_path(path: object, *, what: str) -> Path:
    """A path argument as a Path; InputError for anything that is none."""
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise InputError(f"{what} is {path!r}: pass a path")
    return Path(os.fspath(path))


def write_whole(path: Path, data: bytes) -> None:
    """Replace the file's content; a failure, or a full disk, leaves the old file as it was.

    A symbolic link is followed. Raises InputError where the target is no regular file or cannot be written.
    """
    target = path.resolve() if path.is_symlink() else path
    if target.exists() and not target.is_file():
        raise InputError(f"{path}: cannot be written: not a regular file")
    own = f".{target.name}.{os.getpid()}.{threading.get_ident()}.partial"
    partial = target.with_name(own)
    try:
        partial.write_bytes(data)
        partial.replace(target)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    finally:  # an interrupt leaves nothing either
        with suppress(OSError):  # what could not be made cannot be removed
            partial.unlink()
