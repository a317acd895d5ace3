"""What indexing did, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pumice.search.documents.walk import SkippedFile


@dataclass(frozen=True)
class IndexProgress:
    """How far `index_paths` is; `source` is the file just done, or a large one it is at."""

    files_done: int
    files_total: int
    passages: int
    source: str


Progress = Callable[[IndexProgress], None]


@dataclass
class IndexReport:
    """What `index_paths` did. `embedded_bytes` counts the UTF-8 text given to the model and
    `embedding_seconds` the time its vectors and words took; `seconds` is everything, reading included."""

    files_indexed: int = 0
    files_unchanged: int = 0
    files_removed: int = 0
    passages_added: int = 0
    passages_removed: int = 0
    embedded_bytes: int = 0
    embedding_seconds: float = 0.0
    seconds: float = 0.0
    skipped: tuple[SkippedFile, ...] = ()
