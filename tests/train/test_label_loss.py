"""Learning scores: autograd of the definition and sentence-transformers' losses are the oracles."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

torch = pytest.importorskip("torch")

from pumice.train.label_loss import CandidateLists, LabelLoss
from pumice.train.lanes import Lanes

DIMS, SCALE, WEIGHTS = (4, 8, 24), 7.0, (1.0, 0.5, 2.0)
KINDS = ("kl", "margin-mse")


@pytest.fixture(scope="module", params=[1, 3])
def lanes(request: pytest.FixtureRequest) -> Iterator[Lanes]:
    with Lanes(request.param) as opened:
        yield opened


def random_lists(count: int, longest: int, *, ragged: bool) -> CandidateLists:
    """Lists over count anchors and then texts in a shuffled order."""
    generator = torch.Generator().manual_seed(count)
    order = torch.randperm(count * longest, generator=generator).view(count, longest) + count
    present = torch.ones(count, longest, dtype=torch.bool)
    if ragged:
        sizes = torch.randint(2, longest + 1, (count,), generator=generator)
        present = torch.arange(longest) < sizes[:, None]
        order[~present] = 0
    scores = torch.randn(count, longest, generator=generator) * 5
    return CandidateLists(torch.arange(count), order, scores, present)


def vectors(count: int) -> torch.Tensor:
    made = torch.randn(count, DIMS[-1], generator=torch.Generator().manual_seed(count))
    return made.double().requires_grad_()


def dense(kind: str, table: torch.Tensor, lists: CandidateLists) -> list[torch.Tensor]:
    """The definition, a prefix and a list at a time, in float64."""
    losses = []
    for dim in DIMS:
        parts = []
        for anchor, row, scores, present in zip(
            lists.anchors, lists.candidates, lists.scores, lists.present, strict=True
        ):
            mine = torch.nn.functional.cosine_similarity(
                table[anchor, :dim][None], table[row[present], :dim]
            )
            mine, wanted = SCALE * mine, scores[present].double()
            if kind == "kl":
                wanted = wanted.softmax(0)
                parts.append((wanted * (wanted.log() - mine.log_softmax(0))).sum()[None])
            else:
                parts.append(((mine[0] - mine[1:]) - (wanted[0] - wanted[1:])).square())
        losses.append(torch.cat(parts).mean())
    return losses


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_loss_and_gradient_equal_autograd(
    lanes: Lanes, kind: str, ragged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pumice.train.label_loss._CHUNK_BYTES", 4 * 6 * 24 * 5)  # 5 lists at a time
    lists = random_lists(23, 6, ragged=ragged)
    table = vectors(23 + 23 * 6 + 4)
    expected = dense(kind, table, lists)
    sum(w * e for w, e in zip(WEIGHTS, expected, strict=True)).backward()
    made = LabelLoss(kind, lanes, DIMS, WEIGHTS, scale=SCALE)(table.detach().float(), lists)
    assert made.losses.tolist() == pytest.approx([float(e.detach()) for e in expected], rel=1e-5)
    torch.testing.assert_close(made.gradients.double(), table.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("negatives", [1, 5])
def test_loss_equals_sentence_transformers(lanes: Lanes, kind: str, negatives: int) -> None:
    losses = pytest.importorskip("sentence_transformers.sentence_transformer.losses")
    util = pytest.importorskip("sentence_transformers.util")

    def scaled(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return SCALE * util.pairwise_cos_sim(left, right)

    build = {"kl": losses.DistillKLDivLoss, "margin-mse": losses.MarginMSELoss}[kind]
    theirs = partial(build, similarity_fct=scaled)(model=torch.nn.Identity())
    lists = random_lists(40, 1 + negatives, ragged=False)
    table = vectors(40 * (2 + negatives))
    expected = []
    for dim in DIMS:
        columns = [table[lists.anchors, :dim], *table[lists.candidates, :dim].unbind(1)]
        expected.append(theirs.compute_loss_from_embeddings(columns, lists.scores.double()))
    sum(w * e for w, e in zip(WEIGHTS, expected, strict=True)).backward()
    made = LabelLoss(kind, lanes, DIMS, WEIGHTS, scale=SCALE)(table.detach().float(), lists)
    assert made.losses.tolist() == pytest.approx([float(e.detach()) for e in expected], rel=1e-5)
    torch.testing.assert_close(made.gradients.double(), table.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_that_are_met_leave_nothing_to_learn(lanes: Lanes, kind: str) -> None:
    lists = random_lists(5, 3, ragged=False)
    table = torch.ones(20, DIMS[-1])
    table[7] = 0  # a vector without length
    same = CandidateLists(lists.anchors, lists.candidates, torch.ones(5, 3), lists.present)
    made = LabelLoss(kind, lanes, DIMS, WEIGHTS)(table, same)
    assert torch.isfinite(made.gradients).all()
    table[7] = 1
    made = LabelLoss(kind, lanes, DIMS, WEIGHTS)(table, same)
    assert made.losses.abs().max() < 1e-6
    assert made.gradients.abs().max() < 1e-6
