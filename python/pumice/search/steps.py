"""A query in steps that every engine has: codes, then vectors; a prefix, then more; two lists fused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy import float32
from numpy.typing import NDArray

from pumice.search.home import Plan, Query, Terms
from pumice.search.linear_fusion import Listed, linear
from pumice.search.points import Payload
from pumice.search.search_params import Fusion
from pumice.search.spaces import SPARSE, Space

# Candidates a query keeps in the graph; an index without one is scanned and ignores it. Recall@10 of hybrid
# search on a million real passages: 512 .982 and .986 in graphs of 32 edges, .973 in one of 16 (1024: .982).
_GRAPH_BREADTH = 512
_SPARSE_GRAPH_BREADTH = 1024
_MANY_EDGES = 32


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
    """The `limit` best of two lists, made one by the engine."""

    steps: tuple[Step, Step]
    fusion: Fusion
    limit: int


@dataclass(frozen=True)
class Pair:
    """Two lists, which are made one here: no engine has this fusion."""

    dense: Step
    words: Step


class Found(Protocol):
    """A point as an engine gives it."""

    @property
    def id(self) -> Any:
        """The engine's."""

    @property
    def score(self) -> float:
        """Of the list's own kind."""

    @property
    def payload(self) -> Payload | None:
        """None where none was asked for."""


Steps = Step | Fused | Pair


class Planner:
    """Turns the queries of one call into steps, and what was found into scores."""

    def __init__(self, plan: Plan, *, spaces: Sequence[Space]) -> None:
        self._plan = plan
        begin = 0
        if plan.params.exact:
            begin = len(spaces) - 1
        elif plan.params.prefix is not None:
            begin = [space.size for space in spaces].index(plan.params.prefix)
        self._stages = spaces[begin:]

    def steps(self, query: Query) -> Steps:
        """What finds the `k` best of one query."""
        k, fusion = self._plan.k, self._plan.params.fusion
        if query.dense is not None and query.terms is not None:
            each = max(k, fusion.listed)
            words = Step(SPARSE, query.terms, each)
            if fusion.kind == "linear":
                return Pair(self._dense(query.dense, each), words)
            return Fused((self._dense(query.dense, each), words), fusion, k)
        if query.dense is not None:
            return self._dense(query.dense, k)
        assert query.terms is not None
        return Step(SPARSE, query.terms, k)

    def score(self, steps: Step | Fused, score: float) -> float:
        """The score as the user sees it."""
        if isinstance(steps, Fused) or steps.using == SPARSE:
            return score
        return self._stages[-1].cosine(score)

    def fused(self, dense: Sequence[Found], words: Sequence[Found]) -> Listed:
        """Ids and scores of the `k` best of a Pair's two lists."""
        k, fusion = self._plan.k, self._plan.params.fusion
        space = self._stages[-1]
        vectors = [(one.id, one.score) for one in dense]
        if space.distance != "cosine":
            vectors = [(one, space.cosine(score)) for one, score in vectors]
        scores = [(one.id, one.score) for one in words]
        whole = len(scores) < max(k, fusion.listed)
        return linear(vectors, scores, weights=fusion.shares, whole=whole)[:k]

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
        usual = _GRAPH_BREADTH if space.m >= _MANY_EDGES else _SPARSE_GRAPH_BREADTH
        breadth = asked.breadth or max(usual, limit)
        if not space.quantize or asked.exact:
            return Scan(breadth, asked.exact)
        rescore = asked.rescore is not False
        return Scan(breadth, False, rescore, self._plan.oversampling if rescore else None)
