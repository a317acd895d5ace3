"""One run at a time has an output folder: a kernel lock on a file that says which process it is."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from pumice.errors import InputError

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # behind the note, which others may read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """Held until `release` or the end of the process, ``kill -9`` included."""

    def __init__(self, path: Path, *, folder: str) -> None:
        """Take it, or raise InputError naming the process that has it."""
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(f"{folder}: cannot be written to: {error.strerror}") from None
        try:
            _lock(self._descriptor)
        except OSError:
            note = os.read(self._descriptor, 200).decode("utf-8", "replace")
            os.close(self._descriptor)
            self._descriptor = -1
            raise InputError(
                f"{folder}: process {note or 'unknown'} is writing there: wait for it, or name another "
                "output folder"
            ) from None
        with suppress(OSError):  # a full disk: the lock holds all the same
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, f"{os.getpid()} on {socket.gethostname()}".encode())

    def release(self) -> None:
        """Let the next run in."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1
