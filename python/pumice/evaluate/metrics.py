"""nDCG@10, MRR@10, recall and MAP of a ranking. The only user of ir_measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pumice.errors import InputError, MissingExtraError
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
DEPTH = 100
"""Hits asked for each query."""


def measure(ranking: Ranking, data: RetrievalSet) -> dict[str, float]:
    """Each metric, the mean over the queries; a query that found nothing counts as 0.

    Scores given to ir_measures fall with the rank, so that equal scores stand as the engine has them.
    """
    ir_measures = _library()
    measures = {name: ir_measures.parse_measure(own) for name, own in METRICS.items()}
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
    if not found:
        return dict.fromkeys(METRICS, 0.0)
    result = ir_measures.calc_aggregate(list(measures.values()), relevant, found)
    return {name: float(result[one]) for name, one in measures.items()}


def check_installed() -> None:
    """MissingExtraError before anything takes minutes."""
    _library()


def check_metric(name: str) -> None:
    """InputError for a metric that is not measured."""
    if name not in METRICS:
        raise InputError(f"{name}: no such metric: choose from {', '.join(METRICS)}")


def _library() -> Any:
    try:
        import ir_measures
    except ImportError:
        raise MissingExtraError("ir-measures", "eval") from None
    return ir_measures
