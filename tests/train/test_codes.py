"""Training for codes: gradients against autograd, runs that rank better as sign bits, figures of real codes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.cli import main
from pumice.errors import InputError
from pumice.train import TrainOptions
from tests.train.conftest import make_pairs, write_jsonl
from tests.train.test_training import QUICK, beir_folder

torch = pytest.importorskip("torch")

from pumice.train.code_loss import SOFTNESS, CodedRankingLoss, softness
from pumice.train.figures import _code
from pumice.train.lanes import Lanes, native_kernels
from pumice.train.plot import draw
from pumice.train.ranked import Excluded
from pumice.train.ranking_loss import RankingLoss
from pumice.train.soft_targets import SoftTargets

DIMS = (4, 8, 24)


def autograd_code(vectors: torch.Tensor, kind: str, soft: float) -> torch.Tensor:
    """The definition, in float64."""
    if kind == "binary":
        return torch.tanh(soft * vectors / vectors.square().mean(1, keepdim=True).sqrt())
    if kind == "int8":
        step = vectors.detach().abs().amax(1, keepdim=True) / 127
        return vectors + (torch.round(vectors / step) * step - vectors).detach()
    return vectors


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("taught", [False, True])
@pytest.mark.parametrize("codes", [("binary",), ("int8",), ("binary", "int8")])
@pytest.mark.parametrize("kernels", ["torch", "auto"])
@pytest.mark.parametrize("threads", [1, 2])
def test_loss_and_gradient_equal_autograd(
    codes: tuple[str, ...], symmetric: bool, taught: bool, threads: int, kernels: str
) -> None:
    """With hard negatives, excluded candidates, and a teacher's soft targets."""
    n, k, step, steps = 21, 30, 3, 11
    generator = torch.Generator().manual_seed(5)
    leaf = torch.randn(n + k, DIMS[-1], generator=generator).double().requires_grad_()
    excluded = Excluded(torch.tensor([0, 20]), torch.tensor([1, 25]))
    vectors = torch.nn.functional.normalize(torch.randn(2, n, 6, generator=generator), dim=2)
    mask = torch.zeros(n, k, dtype=torch.bool)
    mask[excluded.anchors, excluded.candidates] = True
    share = 0.3
    # Rows and columns aim at different softmaxes: the loss is linear in them, so their mean is what counts.
    with Lanes(threads, kernels=native_kernels(kernels)) as lanes:
        soft = SoftTargets(0.7 if taught else 0.0, 20.0, symmetric, lanes)
        targets = soft(*vectors, k, excluded).double()
    expected = torch.zeros(3, dtype=torch.float64)
    weight_of = {"": 1 - share, **dict.fromkeys(codes, share / len(codes))}
    for kind, weight in weight_of.items():
        coded = autograd_code(leaf, kind, 1 + (SOFTNESS - 1) * step / (steps - 1))
        for level, dim in enumerate(DIMS):
            unit = torch.nn.functional.normalize(coded[:, :dim], dim=1)
            scores = (20 * unit[:n] @ unit[n:].T).masked_fill(mask, -torch.inf)
            own = (targets * scores.masked_fill(mask, 0)).sum(1)
            loss = (scores.logsumexp(1) - own).mean()
            if symmetric:
                loss = (loss + (scores[:, :n].logsumexp(0) - own).mean()) / 2
            expected[level] = expected[level] + weight * loss
    expected.sum().backward()

    with Lanes(threads, kernels=native_kernels(kernels)) as lanes:
        ranking = RankingLoss(lanes, DIMS, (1.0, 1.0, 1.0), scale=20, symmetric=symmetric)
        loss = CodedRankingLoss(ranking, codes, share)
        for _ in range(2):  # the second call finds used buffers
            ranked = loss(
                leaf.detach().float(),
                anchors=n,
                softness=softness(step, steps),
                excluded=excluded,
                targets=targets.float() if taught else None,
            )
            assert ranked.losses.tolist() == pytest.approx(expected.tolist(), rel=1e-5)
            made = torch.cat((ranked.anchor_gradients, ranked.candidate_gradients))
            torch.testing.assert_close(made.double(), leaf.grad, rtol=1e-4, atol=1e-5)


def test_codes_are_trained_for_measured_and_told(start: pumice.StaticModel, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(600, negatives=True))
    evaluation = make_pairs(60, seed=9)
    folder = beir_folder(tmp_path / "own", evaluation)
    options = replace(QUICK, codes=("binary", "int8"), dtype="float32")
    training = pumice.train(file, start=start, evaluation=[folder], options=options)
    again = pumice.train(file, start=start, evaluation=[folder], options=options)
    assert training.model.fingerprint == again.model.fingerprint
    plain = pumice.train(file, start=start, evaluation=[folder], options=QUICK)
    assert {figure.code for figure in plain.figures} == {""}
    after = {(f.name, f.dim, f.code): f.ndcg for f in training.figures}
    queries, documents = (
        training.model.encode([p[role] for p in evaluation], dtype="int8").astype(np.float64)
        for role in ("anchor", "positive")
    )
    cosines = queries @ documents.T / np.linalg.norm(documents, axis=1)
    ranks = (cosines > np.diag(cosines)[:, None]).sum(1)
    expected = np.where(ranks < 10, 1 / np.log2(ranks + 2), 0).mean()
    assert after["own", 16, "int8"] == pytest.approx(expected, abs=0.02)
    queries, documents = (
        np.unpackbits(training.model.encode([p[role] for p in evaluation], dtype="binary"), axis=1)
        for role in ("anchor", "positive")
    )
    apart = (queries[:, None] != documents).sum(2)
    own = np.diag(apart)[:, None]
    discounts = np.append(1 / np.log2(np.arange(2, 12)), np.zeros(len(apart)))
    high = discounts[(apart < own).sum(1)].mean()  # ties, all won or all lost
    low = discounts[(apart <= own).sum(1) - 1].mean()
    assert low <= after["own", 16, "binary"] <= high
    assert "| own, binary |" in training.card
    training.save(tmp_path / "made.pumice")
    drawn = (tmp_path / "made.svg").read_text()
    assert drawn != draw(plain.history).decode()
    assert "stroke-dasharray" in drawn


def test_measured_codes_are_those_of_encode(start: pumice.StaticModel) -> None:
    texts = [pair["anchor"] for pair in make_pairs(200)]
    vectors = torch.from_numpy(start.encode(texts))
    bits = np.unpackbits(start.encode(texts, dtype="binary"), axis=1)
    assert ((_code(vectors, "binary") > 0).numpy() == bits).all()
    assert (_code(vectors, "int8").numpy() == start.encode(texts, dtype="int8")).all()


@pytest.mark.parametrize("kind", ["binary", "int8"])
def test_fitting_codes_ranks_codes(kind: str) -> None:
    """The hard codes of one batch, fitted with and without their loss."""
    fitted = {}
    with Lanes(1) as lanes:
        ranking = RankingLoss(lanes, DIMS, (1.0, 1.0, 1.0))
        for share in (0.0, 0.8):
            generator = torch.Generator().manual_seed(2)
            vectors = torch.randn(120, DIMS[-1], generator=generator)
            adam, loss = (
                torch.optim.Adam([vectors], lr=0.02),
                CodedRankingLoss(ranking, [kind], share),
            )
            before = ranking(*hard(vectors, kind)).losses
            for step in range(40):
                ranked = loss(vectors, anchors=60, softness=softness(step, 40))
                vectors.grad = torch.cat((ranked.anchor_gradients, ranked.candidate_gradients))
                adam.step()
            fitted[share] = ranking(*hard(vectors, kind)).losses
    assert (fitted[0.8] < before / 2).all()
    if kind == "binary":
        assert (fitted[0.8] < 0.9 * fitted[0.0]).all()


def hard(vectors: torch.Tensor, kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    rounded = (127 * vectors / vectors.abs().amax(1, keepdim=True)).round()
    coded = torch.where(vectors > 0, 1.0, -1.0) if kind == "binary" else rounded
    return coded[:60], coded[60:]


def test_the_command_tells_codes(
    start: pumice.StaticModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(300))
    start.save(tmp_path / "start.pumice")
    arguments = ["train", "--pairs", str(file), "--init", str(tmp_path / "start.pumice")]
    arguments += ["--batch-size", "64", "--evaluations", "1", "--hold-out", "0.2"]
    arguments += ["-o", str(tmp_path / "m.pumice"), "--codes", "binary"]
    assert main([*arguments, "--code-share", "0.7"]) == 0
    assert "held-out p, binary: " in capsys.readouterr().out
    settings = pumice.load(tmp_path / "m.pumice").metadata["provenance"]["settings"]
    assert (settings["codes"], settings["code_share"]) == (["binary"], 0.7)
    assert main([*arguments, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert {figure["code"] for figure in figures} == {"", "binary"}
    for wrong, message in (
        (["--codes", "ternary"], "codes holds 'ternary': only binary and int8 can be trained for"),
        (["--codes", "int8,int8"], "codes holds 'int8' twice: name each code once"),
        (["--code-share", "2"], "code_share is 2.0: give a number from 0 to 1"),
    ):
        assert main([*arguments, *wrong]) == 2
        assert capsys.readouterr().err == f"pumice train: error: {message}\n"
    without = [one for one in arguments if one not in ("--codes", "binary")]
    assert main([*without, "--code-share", "0.5"]) == 2
    assert "--code-share has no use without --codes" in capsys.readouterr().err
    with pytest.raises(InputError, match="codes is 'binary': give a tuple"):
        TrainOptions(codes="binary")  # type: ignore[arg-type]
