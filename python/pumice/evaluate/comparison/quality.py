"""Whose ranking is better, and how sure that is; without judgments, how alike two rankings are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pumice.evaluate import metrics
from pumice.evaluate.exact import NEAREST
from pumice.evaluate.metrics import Ranking
from pumice.evaluate.retrieval_set import RetrievalSet

METRIC = "nDCG@10"
_RESAMPLES = 2000
_CONFIDENCE = 95


@dataclass(frozen=True)
class Quality:
    """nDCG@10 of two rankings of the same queries."""

    static: float
    transformer: float
    low: float
    """Of static minus transformer: where 95 % of resampled sets of queries lie."""
    high: float
    queries: int

    @property
    def kept(self) -> float:
        """The share of the transformer's figure that the static model reaches."""
        return self.static / self.transformer if self.transformer else 1.0

    @property
    def can_tell(self) -> bool:
        """Whether the queries are enough to tell the two apart."""
        return self.high < 0 or self.low > 0


@dataclass(frozen=True)
class Agreement:
    """How alike two rankings are, which does not say which is better."""

    top: float
    """The mean share of the first ten that both have."""
    first: float
    """The share of queries whose first hit by the transformer is among the static model's ten."""
    least: tuple[str, ...]
    """Queries for a person to look at: with different first hits, and least in common."""


def judge(static: Ranking, transformer: Ranking, data: RetrievalSet) -> Quality:
    """Paired bootstrap over the queries (Sakai 2006), seeded: the same figures every time."""
    ours, theirs = (_by_query(ranking, data) for ranking in (static, transformer))
    difference = ours - theirs
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(difference), (_RESAMPLES, len(difference)))
    tail = (100 - _CONFIDENCE) / 2
    low, high = np.percentile(difference[drawn].mean(axis=1), [tail, 100 - tail])
    return Quality(
        float(ours.mean()), float(theirs.mean()), float(low), float(high), len(difference)
    )


def agree(static: Ranking, transformer: Ranking, *, shown: int = 3) -> Agreement:
    """Of the first ten of each query."""
    shares, differ, firsts = {}, {}, []
    for query, theirs in transformer.items():
        ours = static.get(query, ())[:NEAREST]
        best = theirs[:NEAREST]
        shares[query] = len(set(ours) & set(best)) / max(1, len(best))
        differ[query] = list(ours[:1]) != list(best[:1])
        firsts.append(bool(best) and best[0] in ours)
    least = sorted(shares, key=lambda query: (not differ[query], shares[query]))[:shown]
    return Agreement(float(np.mean(list(shares.values()))), float(np.mean(firsts)), tuple(least))


def _by_query(ranking: Ranking, data: RetrievalSet) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    scores = metrics.by_query(ranking, data, METRIC)
    values: Sequence[float] = [scores[query] for query in data.queries]
    return np.array(values)
