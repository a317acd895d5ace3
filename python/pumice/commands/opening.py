"""Opens an index for a command: one that is in use for a moment is waited for."""

from __future__ import annotations

import time
from pathlib import Path

from pumice.errors import IndexInUseError
from pumice.search import Index

_PATIENCE_SECONDS = 5.0
_RETRY_SECONDS = 0.05


def open_index(folder: Path, model: str | None, *, create: bool = True) -> Index:
    """The index; IndexInUseError where another process keeps it for more than five seconds."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return Index(folder, model, create=create)
        except IndexInUseError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_SECONDS)
