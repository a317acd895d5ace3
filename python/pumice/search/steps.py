"""A query in steps that every engine has: codes, then vectors; a prefix, then more; two lists fused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from numpy import float32
from numpy.typing import NDArray

from pumice.search.home import Plan, Query, Terms
from pumice.search.search_params import Fusion
from pumice.search.spaces import SPARSE, Space

# Candidates a query keeps in the graph; an index without one is scanned and ignores it. Recall@10 on
# 60,000 real passages: Edge's default .938, 512 .985 in 0.9 ms, 1024 .997 in 1.5 ms.
_GRAPH_BREADTH = 1024


@dataclass(frozen=True)
class Scan:
    """How a space is searched: the first step's settings."""

    breadth: int
    exact: bool
    rescore: bool | None = None  # None: the space has no codes
    oversampling: float | None = None


@dataclass(frozen=True)
class Step:
    """The `limit` points nearest to `vector` in one space: of all, or of what `before` found."""

    using: str
    vector: list[float] | Terms
    limit: int
    scan: Scan | None = None
    before: Step | None = None


@dataclass(frozen=True)
class Fused:
    """The `limit` best of two lists."""

    steps: tuple[Step, Step]
    fusion: Fusion
    limit: int


class Planner:
    """Turns the queries of one call into steps."""

    def __init__(self, plan: Plan, *, spaces: Sequence[Space]) -> None:
        self._plan = plan
        begin = 0
        if plan.params.exact:
            begin = len(spaces) - 1
        elif plan.params.prefix is not None:
            begin = [space.size for space in spaces].index(plan.params.prefix)
        self._stages = spaces[begin:]

    def steps(self, query: Query) -> Step | Fused:
        """What finds the `k` best of one query."""
        k, fusion = self._plan.k, self._plan.params.fusion
        if query.dense is not None and query.terms is not None:
            each = max(k, fusion.candidates)
            both = (self._dense(query.dense, each), Step(SPARSE, query.terms, each))
            return Fused(both, fusion, k)
        if query.dense is not None:
            return self._dense(query.dense, k)
        assert query.terms is not None
        return Step(SPARSE, query.terms, k)

    def score(self, query: Query, score: float) -> float:
        """The score as the user sees it."""
        return self._stages[-1].cosine(score) if query.terms is None else score

    def _dense(self, vector: NDArray[float32], k: int) -> Step:
        """The last stage; each earlier one gives it its candidates."""
        step: Step | None = None
        for after, space in zip(range(len(self._stages) - 1, -1, -1), self._stages, strict=True):
            limit = math.ceil(k * self._plan.oversampling**after)
            scan = self._scan(space, limit) if step is None else None
            step = Step(space.name, space.stored(vector), limit, scan, step)
        assert step is not None
        return step

    def _scan(self, space: Space, limit: int) -> Scan:
        asked = self._plan.params
        breadth = asked.breadth or max(_GRAPH_BREADTH, limit)
        if not space.quantize or asked.exact:
            return Scan(breadth, asked.exact)
        rescore = asked.rescore is not False
        return Scan(breadth, False, rescore, self._plan.oversampling if rescore else None)
