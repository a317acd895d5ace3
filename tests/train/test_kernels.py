"""The native kernels: a caller's mistakes are refused, sizes past a chunk and a tile come out right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pumice import _core
from pumice.train.lanes import Lanes, native_kernels
from pumice.train.products import products
from pumice.train.ranked import Excluded
from pumice.train.ranking_loss import RankingLoss
from pumice.train.soft_targets import SoftTargets

if not _core.training_kernels():
    pytest.skip("this processor has no AVX2 and FMA", allow_module_level=True)


def test_the_best_kernels_come_first() -> None:
    names = _core.training_kernels()
    assert names[-1] == "avx2"
    assert native_kernels("auto") == names[0]
    assert native_kernels("torch") is None


@pytest.mark.parametrize("kernels", _core.training_kernels())
@pytest.mark.parametrize("dims", [(64, 128, 256), (50, 51, 200), (7,)])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize(("anchors", "negatives"), [(300, 0), (257, 500), (1, 0)])
def test_large_batches_equal_torch(
    kernels: str, dims: tuple[int, ...], symmetric: bool, anchors: int, negatives: int
) -> None:
    """A lane's chunk has 128 anchors, a tile 512 candidates, a panel 32 dimensions."""
    generator = torch.Generator().manual_seed(anchors)
    left = torch.randn(anchors, dims[-1], generator=generator)
    noise = torch.randn(anchors, dims[-1], generator=generator)
    more = torch.randn(negatives, dims[-1], generator=generator)
    right = torch.cat((left + noise, more))
    pairs = torch.randint(0, anchors, (2, 400), generator=generator)
    excluded = Excluded(*pairs[:, pairs[0] != pairs[1]])
    made = []
    for name in (kernels, None):
        with Lanes(2, kernels=name) as lanes:
            loss = RankingLoss(lanes, dims, [1.0] * len(dims), symmetric=symmetric)
            loss(right, right)  # buffers that another batch has used
            ranked = loss(left, right, excluded=excluded)
            ranked = replace(ranked, gradients=ranked.gradients.clone())
            again = loss(left, right, excluded=excluded)
            assert torch.equal(ranked.gradients, again.gradients)
            made.append(ranked)
    own, torchs = made
    torch.testing.assert_close(own.losses, torchs.losses, rtol=1e-5, atol=1e-5)
    size = float(torchs.gradients.abs().max())
    torch.testing.assert_close(
        own.gradients, torchs.gradients, rtol=1e-4, atol=max(1e-5 * size, 1e-6)
    )


@pytest.mark.parametrize("kernels", _core.training_kernels())
@pytest.mark.parametrize(("left", "right", "dim"), [(300, 500, 70), (1, 1, 1), (129, 32, 64)])
def test_products_equal_torch(kernels: str, left: int, right: int, dim: int) -> None:
    a, b = torch.randn(left, dim), torch.randn(right, dim)
    wider = torch.full((left, right + 3), 7.0)
    with Lanes(3, kernels=kernels) as lanes:
        torch.testing.assert_close(products(a, b, lanes=lanes), a @ b.T, rtol=1e-5, atol=1e-5)
        assert products(a, b, lanes=lanes, out=wider) is wider
    torch.testing.assert_close(wider[:, :right], a @ b.T, rtol=1e-5, atol=1e-5)
    assert (wider[:, right:] == 7).all()


@pytest.mark.parametrize("kernels", _core.training_kernels())
@pytest.mark.parametrize("symmetric", [False, True])
def test_a_teachers_answers_equal_torch(kernels: str, symmetric: bool) -> None:
    n = 300  # some chunks
    vectors = torch.nn.functional.normalize(torch.randn(2, n, 48), dim=2)
    excluded = Excluded(torch.tensor([0, 7, 299]), torch.tensor([290, 310, 4]))
    made = []
    for name in (kernels, None):
        with Lanes(2, kernels=name) as lanes:
            soft = SoftTargets(0.7, 20.0, symmetric, lanes)
            soft(*vectors, n + 90, None)  # a buffer that was used
            made.append(soft(*vectors, n + 50, excluded))
    torch.testing.assert_close(made[0], made[1], rtol=1e-5, atol=1e-8)
    assert made[0][7, 310] == made[0][0, 290] == 0


def test_wrong_shapes_are_refused() -> None:
    kernels = _core.training_kernels()[0]

    def ranking(dims: list[int], weights: list[float], name: str = kernels) -> _core.Ranking:
        return _core.Ranking(name, dims, weights, scale=20, symmetric=True, lanes=1)

    for dims, weights in (([], []), ([8, 4], [1, 1]), ([0, 4], [1, 1]), ([4], [1, 1])):
        with pytest.raises(ValueError, match="do not fit"):
            ranking(dims, weights)
    with pytest.raises(ValueError, match="no kernels sse here"):
        ranking([4], [1], "sse")
    one = ranking([4], [1])
    few, many = (np.zeros((n, 4), np.float32) for n in (2, 3))
    none, far = np.empty(0, np.int64), np.array([3])
    both = np.zeros((5, 4), np.float32)
    for given in (
        (many, few, none, none, None, both),
        (few, many, none, none, None, many),
        (few, many, far, far, None, both),
        (few, many, none, far, None, both),
        (few, many, none, none, few, both),
        (few[:0], many, none, none, None, many),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            one.begin(*given)
    with pytest.raises(ValueError, match="do not fit"):
        _core.dot_products(kernels, few, many, out=many)
    one.begin(few, many, none, none, None, both)
    with pytest.raises(ValueError, match="do not fit"):
        one.forward(0, 0, 3)
    with pytest.raises(ValueError, match="do not fit"):
        one.pack(0, 0, 2)
    with pytest.raises(ValueError, match="do not fit"):
        one.backward(1, 0, 2)


def test_rows_out_of_range_are_refused() -> None:
    kernels = _core.training_kernels()[0]
    state = [np.zeros((5, 4), np.float32) for _ in range(3)]
    texts, gradients = np.zeros(2, np.int32), np.zeros((1, 4), np.float32)
    numbers = (0.1, 0.999, 0.001, 0.1, 1e-8)
    for rows, offsets in (([5], [0, 1]), ([-1], [0, 1]), ([1], [0, 3]), ([1], [1, 0]), ([1], [0])):
        with pytest.raises(ValueError, match="do not fit"):
            _core.adam_rows(
                kernels,
                state,
                rows=np.array(rows, np.int32),
                offsets=np.array(offsets, np.int32),
                texts=texts,
                weights=None,
                gradients=gradients,
                numbers=numbers,
            )
