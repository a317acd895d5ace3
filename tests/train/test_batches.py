"""Batches: one source each, weights as passes, a step's batch known from its number; false negatives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import pumice
from pumice.train.batches import BatchPlan
from pumice.train.dataset import TokenizedSource, tokenize_sources
from pumice.train.false_negatives import SimilarityFilter, same_text
from pumice.train.lanes import Lanes, native_kernels
from pumice.train.options import TrainOptions
from pumice.train.pooling import Bags
from pumice.train.sources import Source
from pumice.train.tokens import TokenMemory
from tests.train.conftest import make_pairs, write_jsonl


@pytest.fixture
def sources(start: pumice.StaticModel, tmp_path: Path) -> list[TokenizedSource]:
    given = []
    for name, count, weight in (("a", 100, 1.0), ("b", 30, 2.0), ("c", 90, 0.5), ("d", 5, 1.0)):
        file = write_jsonl(tmp_path / f"{name}.jsonl", make_pairs(count, seed=ord(name)))
        given.append(Source(str(file), weight))
    return tokenize_sources(given, start, TrainOptions(hold_out=0), TokenMemory(1 << 40, tmp_path))


def test_an_epoch_sees_each_pair_as_often_as_its_weight_says(
    sources: list[TokenizedSource],
) -> None:
    plan = BatchPlan(sources, batch_size=32, epochs=2, seed=1)
    assert plan.steps == 2 * (4 + 2 + 2 + 1)
    for epoch in range(2):
        batches = [plan.batch(epoch * plan.per_epoch + i) for i in range(plan.per_epoch)]
        seen = [np.zeros(len(source.train), int) for source in sources]
        for batch in batches:
            assert 2 <= len(batch.pairs) <= 32
            np.add.at(seen[batch.source], batch.pairs, 1)
        assert (seen[0] == 1).all()
        assert (seen[1] == 2).all()
        assert seen[2].sum() == 45
        assert seen[2].max() == 1
        assert (seen[3] == 1).all()


def test_a_step_is_known_from_its_number(sources: list[TokenizedSource]) -> None:
    whole, later = (BatchPlan(sources, batch_size=32, epochs=3, seed=1) for _ in range(2))
    made = [whole.batch(step) for step in range(whole.steps)]
    for step in (20, 3, 11):
        assert later.batch(step).source == made[step].source
        assert (later.batch(step).pairs == made[step].pairs).all()
    other = BatchPlan(sources, batch_size=32, epochs=3, seed=2)
    assert any((other.batch(s).source != made[s].source) for s in range(whole.steps))


def test_same_texts_are_no_negatives() -> None:
    anchors = np.array([1, 2, 1, 4], np.uint64)
    candidates = np.array([10, 11, 12, 11, 10, 99], np.uint64)
    found = set(zip(*(side.tolist() for side in same_text(anchors, candidates)), strict=True))
    # Equal positives (1, 3) and (0, 4), equal anchors (0, 2); never an anchor's own positive.
    assert found == {(1, 3), (3, 1), (0, 4), (0, 2), (2, 0)}
    assert len(same_text(anchors[:2], candidates[:2])[0]) == 0


@pytest.mark.parametrize("kernels", ["torch", "auto"])
def test_similar_candidates_are_left_out(kernels: str) -> None:
    import torch

    table = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    bags = Bags.of(np.array([0, 2, 1, 2, 0], np.int32), np.ones(5, np.int64))
    with Lanes(2, kernels=native_kernels(kernels)) as lanes:
        excluded = SimilarityFilter(table, margin=0.0)(bags, 2, candidates=3, lanes=lanes)
        assert [excluded.anchors.tolist(), excluded.candidates.tolist()] == [[0], [2]]
        none = SimilarityFilter(table, margin=-0.5)(bags, 2, candidates=3, lanes=lanes)
        assert len(none.anchors) == 0
