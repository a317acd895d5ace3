"""Answers to queries out of an engine's lists: what its fusions do not do is done here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pumice.search.home import Query, Scored
from pumice.search.points import Payload, PointId
from pumice.search.steps import Found, Fused, Pair, Planner, Step


class Engine(Protocol):
    """What has the points, for the length of one call."""

    def lists(self, asked: Sequence[Step | Fused], *, payloads: bool) -> Sequence[Sequence[Found]]:
        """What each search finds, best first, with payloads or without."""

    def payloads(self, ids: Sequence[Any]) -> dict[Any, Payload]:
        """Of these points, those that are still there."""

    def plain_id(self, given: Any) -> PointId:
        """An id of the engine's as an int or a UUID."""


def answers(queries: Sequence[Query], planner: Planner, engine: Engine) -> list[list[Scored]]:
    """The best points of each query.

    Lists that are fused here come without payloads, all in one request; those of the few that are left are
    fetched by a second one, so that no text is read that nobody sees.
    """
    steps = [planner.steps(query) for query in queries]
    alone = [one for one in steps if not isinstance(one, Pair)]
    pairs = [one for one in steps if isinstance(one, Pair)]
    singles = iter(_scored(alone, planner, engine))
    fused = iter(_fused(pairs, planner, engine))
    return [next(fused) if isinstance(one, Pair) else next(singles) for one in steps]


def _scored(asked: Sequence[Step | Fused], planner: Planner, engine: Engine) -> list[list[Scored]]:
    if not asked:
        return []
    return [
        [
            Scored(engine.plain_id(hit.id), planner.score(one, hit.score), hit.payload or {})
            for hit in found
        ]
        for one, found in zip(asked, engine.lists(asked, payloads=True), strict=True)
    ]


def _fused(pairs: Sequence[Pair], planner: Planner, engine: Engine) -> list[list[Scored]]:
    if not pairs:
        return []
    asked = [step for pair in pairs for step in (pair.dense, pair.words)]
    lists = engine.lists(asked, payloads=False)
    best = [
        planner.fused(dense, words) for dense, words in zip(lists[::2], lists[1::2], strict=True)
    ]
    wanted = {one for found in best for one, _ in found}
    payloads = engine.payloads(list(wanted)) if wanted else {}
    return [
        [
            Scored(engine.plain_id(one), score, payloads[one])
            for one, score in found
            if one in payloads  # deleted meanwhile by another thread or process
        ]
        for found in best
    ]
