"""Which files the index holds, kept in the index itself: on the first passage of each file.

One store means nothing to disagree with after `kill -9`. The first passage of a file is written
before the others, marked as unfinished, and told the file's hash only when all are in.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pumice.search.filter import Missing
from pumice.search.home import Home
from pumice.search.points import PointId
from pumice.search.record import PRIVATE

_FILE = "file"
# Passages cut by other rules are not comparable: raise this when reading or splitting changes.
RULES = 2
# A file changed within this time of being read may change again and keep its time stamp.
_RACY_NANOSECONDS = 2_000_000_000


@dataclass(frozen=True)
class FileState:
    """What the index knows of a file: enough to tell an unchanged one without reading it."""

    size: int = -1
    modified: int = -1  # st_mtime_ns
    read: int = -1  # when it was read, time.time_ns()
    sha256: str = ""  # empty: unfinished
    rules: int = RULES

    def same_stat(self, size: int, modified: int) -> bool:
        """Whether the file needs no reading to be known as unchanged."""
        return (
            self.complete
            and (self.size, self.modified) == (size, modified)
            and self.modified < self.read - _RACY_NANOSECONDS
        )

    def same_content(self, sha256: str) -> bool:
        """Whether the file read now is the file in the index."""
        return self.complete and self.sha256 == sha256

    @property
    def complete(self) -> bool:
        """Whether all passages are stored, cut by today's rules."""
        return bool(self.sha256) and self.rules == RULES


UNFINISHED = FileState()


def private_of(state: FileState) -> dict[str, Any]:
    """What goes into the first passage's private payload."""
    return {_FILE: asdict(state)}


@dataclass(frozen=True)
class Entry:
    """A file in the index: its first passage's point, that point's id for users, its state."""

    point_id: PointId
    record_id: str
    state: FileState


def write_state(home: Home, entry: Entry, state: FileState) -> None:
    """Record the state; the first passage must be stored already."""
    home.set_payload([entry.point_id], {PRIVATE: {**private_of(state), "id": entry.record_id}})


def read_ledger(home: Home) -> dict[str, Entry]:
    """Every file that the index holds, by its source."""
    ledger = {}
    conditions = [Missing(f"{PRIVATE}.{_FILE}", absent=False)]
    for point_id, payload in home.scroll(conditions, keys=["source", PRIVATE]):
        private = payload[PRIVATE]
        ledger[payload["source"]] = Entry(point_id, private["id"], FileState(**private[_FILE]))
    return ledger
