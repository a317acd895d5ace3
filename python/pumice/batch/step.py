"""What flows through a run: a chunk of rows, and which part of which input it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from numpy.typing import NDArray

from pumice.batch.cutting import Chunk
from pumice.batch.folder import Record
from pumice.batch.inputs import Input


@dataclass(frozen=True)
class Step:
    """A chunk on its way into a part; without a chunk, word that its part will not be finished."""

    source: Input
    part: int
    first_row: int
    chunk: Chunk | None
    last_part: bool = True

    @property
    def ends_part(self) -> bool:
        """Whether the part is complete with it."""
        return self.chunk is not None and self.chunk.ends_part

    def pieces(self, most: int | None) -> Iterator[Step]:
        """Steps of at most so many rows."""
        if most is None or self.chunk is None:
            yield self
            return
        for chunk in self.chunk.pieces(most):
            yield replace(self, chunk=chunk)


class OpenPart(Protocol):
    """A part on its way: a file, or rows of an index."""

    def add(self, chunk: Chunk, vectors: NDArray[Any]) -> None:
        """Take a chunk's rows. The array is used again as soon as this returns."""

    def finish(self, *, last: bool) -> Record:
        """Complete it; ``last`` says that the input ends with it."""

    def abandon(self) -> None:
        """Leave nothing half-written."""
