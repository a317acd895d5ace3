"""What an index asks of the place that keeps its vectors, whichever that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from numpy import float32, uint32
from numpy.typing import NDArray

from pumice.search.filter import Condition
from pumice.search.points import Payload, PointId, Points
from pumice.search.search_params import SearchParams


@dataclass(frozen=True)
class Terms:
    """The words of a text: uint32 numbers, each once, and their weights."""

    numbers: NDArray[uint32]
    weights: NDArray[float32]


@dataclass(frozen=True)
class Query:
    """What is looked for: by its vector, its words, or, where it has both, by both lists fused."""

    dense: NDArray[float32] | None
    terms: Terms | None


@dataclass(frozen=True)
class Plan:
    """How queries are answered: `k` hits among the points that match, with their payload."""

    k: int
    conditions: Sequence[Condition]
    params: SearchParams
    oversampling: float
    keys: Sequence[str] | None = None  # top-level payload keys; None: all of them


@dataclass(frozen=True)
class Scored:
    """A stored point that a query found; `score` is the cosine, BM25, or the fused score."""

    id: PointId
    score: float
    payload: Payload


class Home(Protocol):
    """Keeps points. A list of conditions is a conjunction; an empty one matches everything.

    Whatever `upsert`, `delete` and `set_payload` have returned from survives `kill -9`;
    `flush` makes it survive a power cut too.
    """

    atomic: bool
    """Whether one `upsert` that fails has stored all of its points or none."""
    batch: int
    """How many points are best stored at once."""

    def check_open(self) -> None:
        """SearchIndexError where it was closed, or opened by a process that this one forked from."""

    def upsert(self, points: Points) -> None:
        """Store points, replacing those of the same id."""

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
        self, conditions: Sequence[Condition], *, keys: Sequence[str] | None
    ) -> Iterator[tuple[PointId, Payload]]:
        """Matching points in id order, with these payload keys, or (None) all."""

    def query(self, queries: Sequence[Query], plan: Plan) -> list[list[Scored]]:
        """The best points of each query, best first."""

    def optimize(self) -> None:
        """Build what makes large collections fast; blocks, but not the interpreter."""

    def flush(self) -> None:
        """Write everything to the disk."""

    def close(self) -> None:
        """Flush and let go; may be called twice."""
