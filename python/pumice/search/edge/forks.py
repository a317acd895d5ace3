"""A forked child of a process with an open shard: it may not use it, nor keep its locks."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Locked(Protocol):
    """What holds files that a forked child must let go of."""

    def locked_files(self) -> tuple[set[tuple[int, int]], set[int]]:
        """Files by device and inode, and descriptors."""


_open: weakref.WeakSet[Locked] = weakref.WeakSet()
_hook_registered = False


def let_go_at_fork(holder: Locked) -> None:
    """From now on, a forked child lets go of the holder's locks."""
    global _hook_registered
    _open.add(holder)
    if not _hook_registered and hasattr(os, "register_at_fork"):
        _hook_registered = True
        os.register_at_fork(after_in_child=_let_go_of_locks)


def closed(holder: Locked) -> None:
    """The holder has no locks any more."""
    _open.discard(holder)


def _let_go_of_locks() -> None:
    """In a forked child: drop inherited locks, or the parent's close would not free the folder.

    The descriptors are pointed at the null device instead of closed, so that their numbers are
    not reused while Edge, in the child's copy of the memory, still believes it owns them.
    """
    holders = list(_open)
    if not holders:
        return
    locked: set[tuple[int, int]] = set()
    owners: set[int] = set()
    for holder in holders:
        files, descriptors = holder.locked_files()
        locked |= files
        owners |= descriptors
    null = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/dev/fd"):
        descriptor = int(name)
        try:
            stat = os.fstat(descriptor)
        except OSError:
            continue
        if (stat.st_dev, stat.st_ino) in locked or descriptor in owners:
            os.dup2(null, descriptor, inheritable=False)
    os.close(null)
