"""Opens an index for a command: one that is in use for a moment is waited for."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

from pumice.errors import IndexInUseError
from pumice.search import Index, Server
from pumice.search.location import default_index_folder

_PATIENCE_SECONDS = 5.0
_RETRY_SECONDS = 0.05
_KEY = "QDRANT_API_KEY"  # an argument would stand in the list of processes


def add_place_argument(parser: argparse.ArgumentParser) -> None:
    """--index, the same in every command."""
    parser.add_argument(
        "--index",
        metavar="INDEX",
        help="a folder, or http://host:6333/collection of a Qdrant server (default: the user's own "
        "folder, ~/.local/share/pumice/index on Linux)",
    )


def index_place(given: str | None) -> Path | Server:
    """The folder or the server that the user named; his own folder where he named none."""
    if given is None:
        return default_index_folder()
    if "://" in given:
        return Server(given, api_key=os.environ.get(_KEY) or None)
    return Path(given)


def told(place: Path | Server) -> str:
    """As the user would write it."""
    return place.where if isinstance(place, Server) else str(place)


def open_index(place: Path | Server, model: str | None, **asked: Any) -> Index:
    """The index; IndexInUseError where another process keeps it for more than five seconds."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return Index(place, model, **asked)
        except IndexInUseError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_SECONDS)
