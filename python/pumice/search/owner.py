"""One process owns an index folder: a kernel lock, with a note saying who holds it."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pumice.errors import IndexInUseError, SearchIndexError

LOCK_FILE = "owner.lock"
_COMMAND_LENGTH = 120
_NOTE_SECONDS = 1.0  # how long a new holder may take to write its note
_RETRY_SECONDS = 0.01
# Windows locks are mandatory: lock a byte far behind the note, so that it stays readable.
_LOCKED_BYTE = 1 << 30

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        # flock, not lockf: a lockf lock is lost when any descriptor of the file is closed.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Owner:
    """Holds the folder's lock until `release` or the end of the process, `kill -9` included.

    The note in the file may be stale; the lock never is, because the kernel keeps it.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock, or raise IndexInUseError naming the process that has it."""
        self._descriptor = -1
        self._locked_by = -1
        try:
            # Not inherited by programs this process starts, unless it hands the descriptor on.
            self._descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise SearchIndexError(
                f"index {folder} cannot be locked: {error.strerror}; make the folder writable"
            ) from None
        deadline = time.monotonic() + _NOTE_SECONDS
        while not self._take():
            note = _read_note(self._descriptor)
            # No note, or that of a killed holder: the new one has yet to write its own.
            if _is_running(note) or time.monotonic() > deadline:
                self.release()
                raise IndexInUseError(_held(folder, note))
            time.sleep(_RETRY_SECONDS)
        self._locked_by = os.getpid()
        self.note(" ".join(sys.argv) or "python", pid=os.getpid())

    def _take(self) -> bool:
        try:
            _lock(self._descriptor)
        except OSError:
            return False
        return True

    @property
    def descriptor(self) -> int:
        """The open file that carries the lock: a child that gets it keeps the folder locked."""
        return self._descriptor

    def note(self, command: str, *, pid: int) -> None:
        """Write down who works on the folder now."""
        note = {
            "pid": pid,
            "host": socket.gethostname(),
            "command": command[:_COMMAND_LENGTH],
            "since": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        data = json.dumps(note).encode()
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, data)
        except OSError:
            pass  # a full disk: the lock holds all the same, only the note stays empty

    def __del__(self) -> None:
        """An Index that nobody holds any more lets its folder go."""
        self.release()

    def release(self) -> None:
        """Let the next process in. May be called twice."""
        if self._descriptor >= 0:
            if self._locked_by == os.getpid():  # not in a forked child: the note is its parent's
                with suppress(OSError):
                    os.ftruncate(self._descriptor, 0)  # or the next one would be taken for us
            os.close(self._descriptor)
            self._descriptor = -1


def _read_note(descriptor: int) -> dict[str, Any]:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        note = json.loads(os.read(descriptor, 4096))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _is_running(note: dict[str, Any]) -> bool:
    """Whether the note is of a process that may well hold the lock."""
    pid = note.get("pid")
    if not isinstance(pid, int) or pid < 1:
        return False
    if note.get("host") != socket.gethostname() or sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's process
    return True


def _held(folder: Path, note: dict[str, Any]) -> str:
    if note.get("pid") == os.getpid() and note.get("host") == socket.gethostname():
        return f"index {folder} is already open in this process: use that Index or close it first"
    if "pid" not in note:
        return f"index {folder} is in use by another process: close it there and try again"
    return (
        f"index {folder} is in use by process {note['pid']} on {note.get('host')} "
        f"({note.get('command')}, since {note.get('since')}): close it there and try again"
    )
