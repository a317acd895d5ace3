"""The rotation after training: whole vectors keep their dot products, prefixes rank better."""

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

from pumice.train.contrastive import Contrastive
from pumice.train.dataset import tokenize_sources
from pumice.train.lanes import Lanes
from pumice.train.pooling import pool
from pumice.train.rotation import (
    _largest_singular_value,
    _product,
    _share,
    _tangent,
    rotated,
)
from pumice.train.sources import Source
from pumice.train.tokens import TokenMemory

ONCE = replace(QUICK, epochs=1, evaluations=1, dtype="float32", dims=(16, 8, 4))


def test_whole_vectors_stay_and_prefixes_rank_better(
    start: pumice.StaticModel, pairs_file: Path
) -> None:
    turning = replace(ONCE, rotation_epochs=12)
    plain = pumice.train(pairs_file, start=start, options=ONCE)
    turned = pumice.train(pairs_file, start=start, options=turning)
    texts = [pair["positive"] for pair in make_pairs(50, seed=4)]
    before, after = (one.model.encode(texts) for one in (plain, turned))
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=1e-5)
    assert np.abs(after - before).max() > 0.05
    ndcg = [{f.dim: f.ndcg for f in one.figures} for one in (plain, turned)]
    assert ndcg[1][16] == pytest.approx(ndcg[0][16], abs=1e-9)
    assert ndcg[1][4] > ndcg[0][4] + 0.02
    assert (
        turned.model.fingerprint
        == pumice.train(pairs_file, start=start, options=turning).model.fingerprint
    )
    assert "| rotation_epochs | 12 |" in turned.card


@pytest.mark.parametrize("threads", [1, 2])
def test_gradient_equals_that_of_small_turns(
    start: pumice.StaticModel, tmp_path: Path, threads: int
) -> None:
    """With hard negatives; the loss falls as the tangent says, by differences in float64 directions."""
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(200, negatives=True))
    options = replace(ONCE, hold_out=0)
    (data,) = tokenize_sources([Source(str(file))], start, options, TokenMemory(1 << 30, tmp_path))
    table = torch.from_numpy(np.random.default_rng(1).standard_normal((len(start.tokens), 16)))
    table = table.float()
    with Lanes(threads) as lanes:
        objective = Contrastive(table, [data], (4, 8, 16), options=options, lanes=lanes)
        batch = objective.prepare(0)
        vectors = pool(table, batch.bags, lanes=lanes)
        slope = objective.slope(batch, vectors.clone())
        gradient = _tangent(torch.eye(16), _product(vectors, slope.gradients, lanes=lanes))
        skew = torch.randn(16, 16, generator=torch.Generator().manual_seed(2))
        skew = (skew - skew.T) / 2
        losses = []
        for sign in (1, -1):
            turn = torch.linalg.matrix_exp(sign * 3e-3 * skew.double()).float()
            losses.append(float(objective.slope(batch, vectors @ turn).losses.double().sum()))
    assert (losses[0] - losses[1]) / 6e-3 == pytest.approx(float((gradient * skew).sum()), rel=0.02)


def test_rows_without_a_better_turn_keep_their_lengths(
    start: pumice.StaticModel, tmp_path: Path
) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(100))
    options = replace(ONCE, hold_out=0)
    (data,) = tokenize_sources([Source(str(file))], start, options, TokenMemory(1 << 30, tmp_path))
    table = torch.randn(len(start.tokens), 16, generator=torch.Generator().manual_seed(0))
    with Lanes(2) as lanes:
        objective = Contrastive(table, [data], (4, 16), options=options, lanes=lanes)
        turned = rotated(table, objective, lanes=lanes)
    torch.testing.assert_close(turned @ turned.T, table @ table.T, rtol=1e-5, atol=1e-4)


def test_wide_rows_whose_steps_agree_keep_their_lengths(
    start: pumice.StaticModel, tmp_path: Path
) -> None:
    """All rows share a direction, so that a step of Adam's is longer the more dimensions there are."""
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(100))
    options = replace(ONCE, hold_out=0, batch_size=32, dims=(1024, 64))
    (data,) = tokenize_sources([Source(str(file))], start, options, TokenMemory(1 << 30, tmp_path))
    table = torch.randn(len(start.tokens), 1024, generator=torch.Generator().manual_seed(0)) + 1
    with Lanes(2) as lanes:
        objective = Contrastive(table, [data], (64, 1024), options=options, lanes=lanes)
        turned = rotated(table, objective, lanes=lanes)
    torch.testing.assert_close(turned @ turned.T, table @ table.T, rtol=1e-4, atol=1e-2)
    assert (turned - table).abs().max() > 0.1


@pytest.mark.parametrize("wide", [8, 300])
def test_largest_singular_value(wide: int) -> None:
    matrix = torch.randn(wide, wide, generator=torch.Generator().manual_seed(1))
    exact = float(torch.linalg.matrix_norm(matrix, 2))
    assert 0.93 * exact < _largest_singular_value(matrix) <= exact * 1.0001


def test_rate_rises_and_falls() -> None:
    shares = [_share(step, 20) for step in range(20)]
    assert shares[:3] == [0.5, 1.0, 1.0]
    assert shares[-1] == pytest.approx(1 / 18)
    assert _share(0, 1) == 1.0


def test_mistakes(
    start: pumice.StaticModel, pairs_file: Path, complains: Callable[..., None], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="rotation_epochs has no use for one dimension: name"):
        pumice.train(pairs_file, start=start, options=replace(ONCE, dims=(16,), rotation_epochs=1))
    with pytest.raises(InputError, match="rotation_epochs is -1: give a number from 0 to 10000"):
        replace(ONCE, rotation_epochs=-1)
    corpus = tmp_path / "a.txt"
    corpus.write_text("a text\n")
    complains(
        ["--corpus", str(corpus), "--teacher", "t", "--rotation-epochs", "1", "-o", "m.pumice"],
        code=2,
        message="--rotation-epochs has no use without pairs: give --pairs",
    )


def test_the_command_rotates(
    start: pumice.StaticModel, pairs_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start.save(tmp_path / "start.pumice")
    made = tmp_path / "made.pumice"
    arguments = ["train", "--pairs", str(pairs_file), "--init", str(tmp_path / "start.pumice")]
    assert main([*arguments, "--rotation-epochs", "2", "-o", str(made)]) == 0
    assert "rotated for the prefixes" in capsys.readouterr().err
    assert pumice.load(made).dimensions == 16
