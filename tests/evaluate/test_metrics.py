"""Metrics against values reckoned by hand, and against a second implementation on random rankings."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from pumice.evaluate.metrics import METRICS, measure
from pumice.evaluate.retrieval_set import RetrievalSet, checked_set

IDS = [f"d{at}" for at in range(200)]


def collection(judgments: dict[str, dict[str, int]]) -> RetrievalSet:
    return checked_set(
        "made", dict.fromkeys(IDS, "text"), dict.fromkeys(judgments, "query"), judgments
    )


def test_reckoned_by_hand() -> None:
    data = collection({"a": {"d0": 2, "d1": 1, "d9": 0}, "b": {"d5": 1}, "c": {"d7": 1}})
    ranking = {"a": ["d1", "d9", "d0"], "b": ["d3", "d5"], "c": []}
    found = measure(ranking, ranking, data)
    # Query a: gains 1, 0, 2 at ranks 1 to 3; ideally 2, 1.
    a = (1 + 2 / log2(4)) / (2 + 1 / log2(3))
    b = 1 / log2(3)
    assert found["nDCG@10"] == pytest.approx((a + b + 0) / 3)
    assert found["MRR@10"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["recall@10"] == pytest.approx((1 + 1 + 0) / 3)
    assert found["recall@100"] == pytest.approx((1 + 1 + 0) / 3)
    assert found["MAP@100"] == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2 + 0) / 3)


def test_cut_offs() -> None:
    data = collection({"a": {"d15": 1, "d120": 1}})
    found = measure({"a": IDS}, {"a": IDS}, data)
    assert found["nDCG@10"] == found["MRR@10"] == found["recall@10"] == 0
    assert found["recall@100"] == 0.5
    assert found["MAP@100"] == pytest.approx(1 / 16 / 2)


def test_nothing_found_is_zero() -> None:
    assert measure({}, {}, collection({"a": {"d1": 1}})) == dict.fromkeys(METRICS, 0.0)


def test_the_order_of_the_engine_stands() -> None:
    """trec_eval would break ties by id."""
    data = collection({"a": {"d1": 1}})
    assert measure({"a": ["d1", "d2"]}, {}, data)["MRR@10"] == 1
    assert measure({"a": ["d2", "d1"]}, {}, data)["MRR@10"] == 0.5


def test_random_rankings_agree_with_plain_code() -> None:
    rng = np.random.default_rng(3)
    judgments = {
        f"q{q}": {one: int(rng.integers(1, 4)) for one in rng.choice(IDS, 7, replace=False)}
        for q in range(20)
    }
    ranking = {query: rng.permutation(IDS)[:100].tolist() for query in judgments}
    found = measure(ranking, ranking, collection(judgments))
    discounts = 1 / np.log2(np.arange(2, 12))
    ndcg, recall = [], []
    for query, grades in judgments.items():
        gains = np.array([grades.get(one, 0) for one in ranking[query][:10]])
        ideal = np.sort(list(grades.values()))[::-1]
        ndcg.append(gains @ discounts / (ideal @ discounts[: len(ideal)]))
        recall.append((gains > 0).sum() / len(grades))
    assert found["nDCG@10"] == pytest.approx(np.mean(ndcg))
    assert found["recall@10"] == pytest.approx(np.mean(recall))
