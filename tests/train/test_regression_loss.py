"""The losses of a regression and their gradients: autograd of the definitions in float64 is the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

torch = pytest.importorskip("torch")

from pumice.train.lanes import Lanes, native_kernels
from pumice.train.ranking_loss import RankingLoss
from pumice.train.regression_loss import (
    CosineLoss,
    OwnTargetLoss,
    RegressionLoss,
    SimilarityLoss,
)

DIMS, WEIGHTS, SCALE = (4, 8, 24), (1.0, 0.5, 2.0), 20.0
Definition = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


@pytest.fixture(
    scope="module",
    params=[(count, kernels) for kernels in ("auto", "torch") for count in (1, 2, 3)],
    ids=lambda param: f"{param[0]} {param[1]}",
)
def lanes(request: pytest.FixtureRequest) -> Iterator[Lanes]:
    count, kernels = request.param
    with Lanes(count, kernels=native_kernels(kernels)) as opened:
        yield opened


def unit(vectors: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors, dim=1)


def cosine(student: torch.Tensor, target: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    return 1 - torch.cosine_similarity(student, target).mean()


def own_target(student: torch.Tensor, target: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    scores = SCALE * unit(student) @ unit(target).T
    return torch.nn.functional.cross_entropy(scores, torch.arange(len(scores)))


def similarity(student: torch.Tensor, _: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    def others(vectors: torch.Tensor) -> torch.Tensor:
        cosines = unit(vectors) @ unit(vectors).T
        n = len(cosines)
        kept = cosines[~torch.eye(n, dtype=torch.bool)].view(n, n - 1)
        return torch.log_softmax(SCALE * kept, dim=1)

    return torch.nn.functional.kl_div(
        others(student), others(whole), log_target=True, reduction="batchmean"
    )


def losses(lanes: Lanes) -> dict[str, tuple[RegressionLoss, Definition]]:
    ranking = RankingLoss(lanes, DIMS, WEIGHTS, scale=SCALE, symmetric=False)
    return {
        "cosine": (CosineLoss(lanes, DIMS, WEIGHTS), cosine),
        "contrastive": (OwnTargetLoss(ranking), own_target),
        "similarity": (SimilarityLoss(lanes, DIMS, WEIGHTS, scale=SCALE), similarity),
    }


@pytest.mark.parametrize("name", ["cosine", "contrastive", "similarity"])
@pytest.mark.parametrize("count", [2, 37, 600])
def test_loss_and_gradient_equal_autograd(lanes: Lanes, name: str, count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    vectors = torch.randn(count, DIMS[-1], generator=generator).double().requires_grad_()
    targets = torch.randn(count, 30, generator=generator).double()
    made, definition = losses(lanes)[name]
    expected = [definition(vectors[:, :dim], targets[:, :dim], targets) for dim in DIMS]
    total = sum(weight * one for weight, one in zip(WEIGHTS, expected, strict=True))
    total.backward()  # type: ignore[union-attr]
    for _ in range(2):
        slope = made(vectors.detach().float(), targets.float())
        assert slope.losses.tolist() == pytest.approx(
            [float(one.detach()) for one in expected], rel=1e-5, abs=4e-6
        )
        assert vectors.grad is not None
        largest = float(vectors.grad.abs().max())
        rounding = 1e-9 if count > 2 else 1e-5  # one other to be like: the gradient is 0
        torch.testing.assert_close(
            slope.gradients.double(), vectors.grad, rtol=0, atol=1e-5 * largest + rounding
        )


@pytest.mark.parametrize("name", ["cosine", "contrastive", "similarity"])
def test_zero_and_equal_vectors_give_finite_gradients(lanes: Lanes, name: str) -> None:
    vectors, targets = torch.ones(5, DIMS[-1]), torch.ones(5, 30)
    vectors[2], targets[3] = 0, 0
    slope = losses(lanes)[name][0](vectors, targets)
    assert torch.isfinite(slope.losses).all()
    assert torch.isfinite(slope.gradients).all()


@pytest.mark.parametrize("name", ["cosine", "contrastive", "similarity"])
def test_not_a_number_is_not_hidden(lanes: Lanes, name: str) -> None:
    vectors = torch.ones(5, DIMS[-1])
    vectors[3, 0] = float("nan")
    slope = losses(lanes)[name][0](vectors, torch.ones(5, 30))
    assert not torch.isfinite(slope.losses).any()
