"""nDCG@10, MRR@10, recall and MAP of a ranking. The only user of ir_measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pumice.errors import MissingExtraError
from pumice.evaluate.retrieval_set import RetrievalSet

Ranking = Mapping[str, Sequence[str]]
"""Query id to document ids, best first."""
METRICS = {
    "nDCG@10": "nDCG@10",
    "MRR@10": "RR@10",
    "recall@10": "R@10",
    "recall@100": "R@100",
    "MAP@100": "AP@100",
}
"""The name in tables, and ir_measures' own."""
AT_TEN, AT_A_HUNDRED = tuple(METRICS)[:3], tuple(METRICS)[3:]
DEPTH = 100
"""Hits asked for each query."""


def measure(nearest: Ranking, deep: Ranking, data: RetrievalSet) -> dict[str, float]:
    """Each metric, the mean over the queries; a query that found nothing counts as 0.

    `nearest` was asked for ten hits, and gives what is cut at ten; `deep` for a hundred.
    """
    ir_measures = _library()
    result = {}
    for ranking, names in ((nearest, AT_TEN), (deep, AT_A_HUNDRED)):
        measures = {name: ir_measures.parse_measure(METRICS[name]) for name in names}
        relevant, found = _as_library(ir_measures, ranking, data)
        if not found:
            result.update(dict.fromkeys(names, 0.0))
            continue
        means = ir_measures.calc_aggregate(list(measures.values()), relevant, found)
        result.update({name: float(means[one]) for name, one in measures.items()})
    return result


def by_query(ranking: Ranking, data: RetrievalSet, name: str) -> dict[str, float]:
    """One metric of each query of the set."""
    ir_measures = _library()
    measure = ir_measures.parse_measure(METRICS[name])
    scores = dict.fromkeys(data.queries, 0.0)
    relevant, found = _as_library(ir_measures, ranking, data)
    if found:
        for one in ir_measures.iter_calc([measure], relevant, found):
            scores[one.query_id] = float(one.value)
    return scores


def check_installed() -> None:
    """MissingExtraError before anything takes minutes."""
    _library()


def _as_library(
    ir_measures: Any, ranking: Ranking, data: RetrievalSet
) -> tuple[list[Any], list[Any]]:
    """Judgments and hits; scores fall with the rank, so that equal ones stand as the engine has them."""
    relevant = [
        ir_measures.Qrel(query, document, grade)
        for query, grades in data.judgments.items()
        for document, grade in grades.items()
    ]
    found = [
        ir_measures.ScoredDoc(query, document, -float(rank))
        for query, documents in ranking.items()
        for rank, document in enumerate(documents[:DEPTH])
    ]
    return relevant, found


def _library() -> Any:
    try:
        import ir_measures
    except ImportError:
        raise MissingExtraError("ir-measures", "eval") from None
    return ir_measures
