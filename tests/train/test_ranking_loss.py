"""The loss and its gradient: sentence-transformers' losses and autograd of a dense formula are the oracles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")

from pumice import _core
from pumice.train.lanes import Lanes
from pumice.train.options import MAX_SCALE
from pumice.train.ranked import Excluded
from pumice.train.ranking_loss import RankingLoss
from pumice.train.soft_targets import SoftTargets

DIMS = (4, 8, 24)


KERNELS = [None, *_core.training_kernels()]


@pytest.fixture(
    scope="module",
    params=[(count, kernels) for kernels in KERNELS for count in (1, 2, 3)],
    ids=lambda param: f"{param[0]} {param[1] or 'torch'}",
)
def lanes(request: pytest.FixtureRequest) -> Iterator[Lanes]:
    count, kernels = request.param
    with Lanes(count, kernels=kernels) as opened:
        yield opened


def vectors(count: int, *, seed: int, double: bool = True) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    made = torch.randn(count, DIMS[-1], generator=generator)
    return made.double().requires_grad_() if double else made


def dense(
    anchors: torch.Tensor,
    candidates: torch.Tensor,
    weights: tuple[float, ...],
    *,
    scale: float,
    symmetric: bool,
    excluded: Excluded | None,
) -> list[torch.Tensor]:
    """The definition, a prefix at a time, in float64."""
    n, losses = len(anchors), []
    for dim, weight in zip(DIMS, weights, strict=True):
        left = torch.nn.functional.normalize(anchors[:, :dim], dim=1)
        right = torch.nn.functional.normalize(candidates[:, :dim], dim=1)
        scores = scale * left @ right.T
        if excluded is not None:
            mask = torch.zeros_like(scores, dtype=torch.bool)
            mask[excluded.anchors, excluded.candidates] = True
            scores = scores.masked_fill(mask, -torch.inf)
        wanted = torch.arange(n)
        loss = torch.nn.functional.cross_entropy(scores, wanted)
        if symmetric:
            loss = (loss + torch.nn.functional.cross_entropy(scores[:, :n].T, wanted)) / 2
        losses.append(weight * loss)
    return losses


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("hard_negatives", [0, 9])
@pytest.mark.parametrize("scale", [1.0, 20.0, MAX_SCALE])
def test_loss_and_gradient_equal_autograd(
    lanes: Lanes, symmetric: bool, hard_negatives: int, scale: float
) -> None:
    weights = (1.0, 0.5, 2.0)
    anchors, candidates = vectors(37, seed=1), vectors(37 + hard_negatives, seed=2)
    excluded = Excluded(torch.tensor([0, 0, 20, 36]), torch.tensor([1, 36, 3, 0]))
    expected = dense(
        anchors, candidates, weights, scale=scale, symmetric=symmetric, excluded=excluded
    )
    sum(expected).backward()
    loss = RankingLoss(lanes, DIMS, weights, scale=scale, symmetric=symmetric)
    for _ in range(2):  # the second call finds used buffers
        ranked = loss(anchors.detach().float(), candidates.detach().float(), excluded=excluded)
        unweighted = [float(e.detach()) / w for e, w in zip(expected, weights, strict=True)]
        assert ranked.losses.tolist() == pytest.approx(unweighted, rel=1e-5)
        for made, leaf in (
            (ranked.anchor_gradients, anchors),
            (ranked.candidate_gradients, candidates),
        ):
            torch.testing.assert_close(made.double(), leaf.grad, rtol=1e-4, atol=2e-6 * scale)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("hard_negatives", [0, 9])
def test_soft_targets_equal_autograd(lanes: Lanes, symmetric: bool, hard_negatives: int) -> None:
    n, weights = 37, (1.0, 0.5, 2.0)
    anchors, candidates = vectors(n, seed=1), vectors(n + hard_negatives, seed=2)
    teacher = torch.nn.functional.normalize(torch.randn(2, n, 6, dtype=torch.float64), dim=2)
    excluded = Excluded(torch.tensor([0, 0, 20, 36]), torch.tensor([1, 36, 3, 0]))
    mask = torch.zeros(n, n + hard_negatives, dtype=torch.bool)
    mask[excluded.anchors, excluded.candidates] = True
    wanted = (9 * teacher[0] @ teacher[1].T).masked_fill(mask[:, :n], -torch.inf)
    own = torch.eye(n)
    rows, columns = (0.7 * torch.softmax(wanted, axis) + 0.3 * own for axis in (1, 0))
    expected = []
    for dim, weight in zip(DIMS, weights, strict=True):
        left = torch.nn.functional.normalize(anchors[:, :dim], dim=1)
        right = torch.nn.functional.normalize(candidates[:, :dim], dim=1)
        scores = (20 * left @ right.T).masked_fill(mask, -1e30)
        loss = -(rows * torch.log_softmax(scores, 1)[:, :n]).sum(1).mean()
        if symmetric:
            back = -(columns * torch.log_softmax(scores[:, :n], 0)).sum(0).mean()
            loss = (loss + back) / 2
        expected.append(weight * loss)
    sum(expected).backward()
    soft = SoftTargets(0.7, 9.0, symmetric, lanes)
    targets = soft(teacher[0].float(), teacher[1].float(), n + hard_negatives, excluded)
    assert float(targets.sum()) == pytest.approx(n, rel=1e-5)
    loss = RankingLoss(lanes, DIMS, weights, scale=20, symmetric=symmetric)
    ranked = loss(
        anchors.detach().float(), candidates.detach().float(), excluded=excluded, targets=targets
    )
    unweighted = [float(e.detach()) / w for e, w in zip(expected, weights, strict=True)]
    assert ranked.losses.tolist() == pytest.approx(unweighted, rel=1e-5)
    torch.testing.assert_close(ranked.anchor_gradients.double(), anchors.grad, rtol=1e-4, atol=4e-5)
    torch.testing.assert_close(
        ranked.candidate_gradients.double(), candidates.grad, rtol=1e-4, atol=4e-5
    )


def test_hard_targets_are_those_of_no_teacher(lanes: Lanes) -> None:
    anchors, candidates = (vectors(30, seed=seed, double=False) for seed in (3, 4))
    loss = RankingLoss(lanes, DIMS, (1.0, 1.0, 1.0))
    plain = loss(anchors, candidates)
    before = plain.anchor_gradients.clone()
    units = (torch.nn.functional.normalize(one, dim=1) for one in (anchors, candidates))
    soft = SoftTargets(0.0, 20.0, True, lanes)(*units, 30, None)
    ranked = loss(anchors, candidates, targets=soft)
    assert ranked.losses.tolist() == pytest.approx(plain.losses.tolist(), rel=1e-6)
    torch.testing.assert_close(ranked.anchor_gradients, before, rtol=1e-5, atol=1e-6)


def test_loss_equals_sentence_transformers(lanes: Lanes) -> None:
    st = pytest.importorskip("sentence_transformers")
    import json

    import numpy as np
    from sentence_transformers.sentence_transformer.losses import (
        MatryoshkaLoss,
        MultipleNegativesRankingLoss,
    )
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    from pumice.train.pooling import Bags, pool, row_gradients
    from tests.train.conftest import make_pairs, tokenizer_json

    tokenizer = Tokenizer.from_str(json.dumps(tokenizer_json()))
    table = vectors(tokenizer.get_vocab_size(), seed=5, double=False)
    embedding = StaticEmbedding(tokenizer, embedding_weights=table.numpy().copy())
    model = st.SentenceTransformer(modules=[embedding], device="cpu")
    pairs = make_pairs(40, negatives=False)
    texts = [[p[name] for p in pairs] for name in ("anchor", "positive")]
    hard = [f"the {p['positive']}" for p in pairs]
    columns = [*texts, hard]
    features = [model.tokenize(column) for column in columns]
    loss = MatryoshkaLoss(model, MultipleNegativesRankingLoss(model), matryoshka_dims=[24, 8, 4])
    expected = loss(features, torch.empty(0))
    expected.backward()

    ids = [tokenizer.encode(t, add_special_tokens=False).ids for column in columns for t in column]
    lengths = np.array([len(one) for one in ids])
    bags = Bags.of(np.concatenate([np.array(one, np.int32) for one in ids]), lengths)
    pooled = pool(table, bags, lanes=lanes)
    ranked = RankingLoss(lanes, DIMS, (1.0, 1.0, 1.0), symmetric=False)(pooled[:40], pooled[40:])
    assert float(ranked.losses.sum()) == pytest.approx(float(expected.detach()), rel=1e-5)
    both = torch.cat((ranked.anchor_gradients, ranked.candidate_gradients))
    gradients = row_gradients(bags, both)
    dense_gradient = torch.zeros_like(table)
    dense_gradient[bags.rows.long()] = gradients.of(0, len(bags.rows))
    torch.testing.assert_close(dense_gradient, next(model.parameters()).grad, rtol=1e-3, atol=1e-5)


def test_identical_and_zero_vectors_give_finite_gradients(lanes: Lanes) -> None:
    same = torch.ones(5, DIMS[-1])
    same[2] = 0
    ranked = RankingLoss(lanes, DIMS, (1.0, 1.0, 1.0), scale=MAX_SCALE)(same, same.clone())
    assert torch.isfinite(ranked.losses).all()
    assert torch.isfinite(ranked.anchor_gradients).all()
    excluded = Excluded(torch.tensor([2, 0]), torch.tensor([0, 2]))
    targets = torch.eye(5)
    for scale in (1.0, MAX_SCALE):
        loss = RankingLoss(lanes, DIMS, (1.0, 1.0, 1.0), scale=scale)
        ranked = loss(same, same.clone(), excluded=excluded, targets=targets)
        assert torch.isfinite(ranked.losses).all()
        assert torch.isfinite(ranked.gradients).all()


def test_not_a_number_is_not_hidden(lanes: Lanes) -> None:
    anchors = vectors(5, seed=1, double=False)
    anchors[3, 0] = float("nan")
    ranked = RankingLoss(lanes, DIMS, (1.0, 1.0, 1.0))(anchors, vectors(5, seed=2, double=False))
    assert not torch.isfinite(ranked.losses).any()
