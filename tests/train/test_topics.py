"""Topics: batches of pairs that are near each other, the same for any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.cli import main
from pumice.errors import InputError
from tests.train.conftest import make_pairs, write_jsonl
from tests.train.test_training import QUICK

torch = pytest.importorskip("torch")

from pumice.train.batches import BatchPlan
from pumice.train.dataset import TokenizedSource, tokenize_sources
from pumice.train.lanes import Lanes
from pumice.train.options import TrainOptions
from pumice.train.sources import Source
from pumice.train.taught import TaughtPairs
from pumice.train.tokens import TokenMemory
from pumice.train.topics import source_topics


@pytest.fixture
def source(start: pumice.StaticModel, tmp_path: Path) -> TokenizedSource:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(240))
    options = TrainOptions(hold_out=0.1)
    (one,) = tokenize_sources([Source(str(file))], start, options, TokenMemory(1 << 40, tmp_path))
    return one


def taught(source: TokenizedSource, kinds: int) -> tuple[TaughtPairs, np.ndarray]:
    """Positives of pair i lie close to direction i % kinds."""
    rng = np.random.default_rng(5)
    kind = np.arange(len(source.anchors)) % kinds
    vectors = np.eye(16)[kind] + 0.05 * rng.standard_normal((len(kind), 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = np.arange(len(kind))
    half = vectors.astype(np.float16)
    return TaughtPairs(half[::-1].copy(), half, rows, rows), kind


def test_topics_are_the_teachers_clusters(source: TokenizedSource) -> None:
    answers, kind = taught(source, 4)
    table = torch.zeros(1, 4)
    with Lanes(1) as one, Lanes(2) as two:
        found, same = (
            source_topics([source], [answers], table, size=15, lanes=lanes)[0]
            for lanes in (one, two)
        )
    assert (found == same).all()
    assert (found[source.train] >= 0).all()
    assert (np.delete(found, source.train) == -1).all()
    for topic in np.unique(found[source.train]):
        assert len(np.unique(kind[found == topic])) == 1


def test_without_a_teacher_equal_positives_share_a_topic(
    start: pumice.StaticModel, tmp_path: Path
) -> None:
    texts = [pair["positive"] for pair in make_pairs(4)]
    asked = [pair["anchor"] for pair in make_pairs(80, seed=2)]
    pairs = [{"anchor": one, "positive": texts[i % 4]} for i, one in enumerate(asked)]
    file = write_jsonl(tmp_path / "p.jsonl", pairs)
    options = TrainOptions(hold_out=0)
    (one,) = tokenize_sources([Source(str(file))], start, options, TokenMemory(1 << 40, tmp_path))
    table = torch.from_numpy(np.random.default_rng(1).standard_normal((len(start.tokens), 16)))
    with Lanes(2) as lanes:
        (found,) = source_topics([one], None, table.float(), size=2, lanes=lanes)
    _, text = np.unique(one.positives.hashes, return_inverse=True)
    for topic in np.unique(found[one.train]):
        of_it = one.train[found[one.train] == topic]
        alike = one.train[np.isin(text[one.train], text[of_it])]
        assert sorted(of_it) == sorted(alike)  # no text is in two topics


def test_batches_are_of_few_topics_and_see_every_pair_once(source: TokenizedSource) -> None:
    topics = np.arange(len(source.anchors)) % 6
    plan = BatchPlan([source], batch_size=18, epochs=2, seed=3, topics=[topics])
    free = BatchPlan([source], batch_size=18, epochs=2, seed=3)
    orders = []
    for epoch in range(2):
        batches = [plan.batch(epoch * plan.per_epoch + i).pairs for i in range(plan.per_epoch)]
        assert sorted(np.concatenate(batches)) == sorted(source.train)
        assert max(len(np.unique(topics[pairs])) for pairs in batches) <= 2
        orders.append({frozenset(pairs.tolist()) for pairs in batches})
    assert orders[0] != orders[1]  # drawn anew
    assert np.mean([len(np.unique(topics[free.batch(i).pairs])) for i in range(10)]) > 4


def test_a_run_by_topics_is_repeatable_and_learns(
    start: pumice.StaticModel, pairs_file: Path
) -> None:
    options = replace(QUICK, epochs=2, evaluations=1, topic_size=40, batch_size=32)
    made = [pumice.train(pairs_file, start=start, options=options) for _ in range(2)]
    assert made[0].model.fingerprint == made[1].model.fingerprint
    plain = pumice.train(pairs_file, start=start, options=replace(options, topic_size=None))
    assert plain.model.fingerprint != made[0].model.fingerprint
    assert made[0].figures[-1].ndcg > made[0].first_figures[-1].ndcg
    assert "| topic_size | 40 |" in made[0].card


@pytest.mark.parametrize("size", [1, 2.5, True, "many"])
def test_sizes_that_are_none(size: object) -> None:
    with pytest.raises(InputError, match="topic_size"):
        replace(QUICK, topic_size=size)


def test_the_command(
    complains: Callable[..., None], pairs_file: Path, start: pumice.StaticModel, tmp_path: Path
) -> None:
    corpus = tmp_path / "a.txt"
    corpus.write_text("a text\n")
    complains(
        ["--corpus", str(corpus), "--teacher", "t", "--topic-size", "64", "-o", "m.pumice"],
        code=2,
        message="--topic-size has no use without pairs: give --pairs",
    )
    start.save(tmp_path / "start.pumice")
    made = tmp_path / "m.pumice"
    arguments = ["train", "--pairs", str(pairs_file), "--init", str(tmp_path / "start.pumice")]
    assert main([*arguments, "--epochs", "1", "--topic-size", "64", "-o", str(made)]) == 0
    assert "| topic_size | 64 |" in made.with_suffix(".md").read_text()
