"""What an index asks of the place that keeps its vectors: Qdrant Edge now, a server later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from numpy import float32
from numpy.typing import NDArray

from pumice.search.filter import Condition

PointId = int | UUID
Payload = dict[str, Any]


@dataclass(frozen=True)
class Point:
    """A vector with its payload, ready to be stored: checked, finite, not zero."""

    id: PointId
    vector: NDArray[float32]
    payload: Payload


@dataclass(frozen=True)
class Scored:
    """A stored point that a query found; `score` is the cosine similarity."""

    id: PointId
    score: float
    payload: Payload


class Home(Protocol):
    """Keeps points. A list of conditions is a conjunction; an empty one matches everything.

    Whatever `upsert`, `delete` and `set_payload` have returned from survives `kill -9`;
    `flush` makes it survive a power cut too.
    """

    def upsert(self, points: Sequence[Point]) -> None:
        """Store points, replacing those of the same id; all or none of one call."""

    def delete(self, ids: Sequence[PointId]) -> None:
        """Remove points; ids that are not there are no error."""

    def delete_matching(self, conditions: Sequence[Condition]) -> None:
        """Remove the points whose payload matches."""

    def set_payload(self, ids: Sequence[PointId], payload: Payload) -> None:
        """Replace these top-level keys of stored points' payloads."""

    def present(self, ids: Sequence[PointId]) -> set[PointId]:
        """Which of these ids are stored."""

    def count(self, conditions: Sequence[Condition]) -> int:
        """How many points match, exactly."""

    def scroll(
        self, conditions: Sequence[Condition], *, keys: Sequence[str]
    ) -> Iterator[tuple[PointId, Payload]]:
        """Matching points in id order, with these payload keys."""

    def query(
        self, vectors: NDArray[float32], *, k: int, conditions: Sequence[Condition]
    ) -> list[list[Scored]]:
        """The `k` nearest matching points of each row of `vectors`, best first."""

    def optimize(self) -> None:
        """Build what makes large collections fast; blocks, but not the interpreter."""

    def flush(self) -> None:
        """Write everything to the disk."""

    def close(self) -> None:
        """Flush and let go; may be called twice."""
