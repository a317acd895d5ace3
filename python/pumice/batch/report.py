"""How far a run is, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class EncodeProgress:
    """``input_bytes_done`` is of the files as they lie on the disk, packed where they are packed."""

    files_done: int
    files: int
    input_bytes_done: int
    input_bytes: int
    rows: int
    text_bytes: int
    seconds: float


@dataclass(frozen=True)
class EncodeReport:
    """What is in the output folder now, and what this run did of it.

    ``rows``, ``text_bytes`` and ``bad`` (bad rows by reason) are of every input, ``embedded_rows`` and
    ``embedded_bytes`` of this run alone. ``failed`` are the inputs that could not be read, and why.
    """

    output: str
    files: int
    files_unchanged: int
    rows: int
    text_bytes: int
    bad: dict[str, int]
    embedded_rows: int
    embedded_bytes: int
    output_files: int
    output_bytes: int
    seconds: float
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def megabytes_per_second(self) -> float:
        """Of text, in this run."""
        return self.embedded_bytes / 1e6 / self.seconds if self.seconds else 0.0


Progress = Callable[[EncodeProgress], None]
