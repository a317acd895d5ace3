"""The native kernels: a caller's mistakes are refused, sizes past a chunk and a tile come out right."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pumice import _core
from pumice.modelfile.counting import Counting
from pumice.train.lanes import Lanes, native_kernels
from pumice.train.pooling import Bags, row_gradients
from pumice.train.products import products
from pumice.train.ranked import Excluded
from pumice.train.ranking_loss import RankingLoss
from pumice.train.soft_targets import SoftTargets
from pumice.train.sparse_adam import SparseAdam

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


def test_texts_out_of_range_are_refused() -> None:
    kernels = _core.training_kernels()[0]
    state = [np.zeros((5, 4), np.float32) for _ in range(3)]
    row, offsets, numbers = (
        np.array([1], np.int32),
        np.array([0, 1], np.int32),
        (0.1, 0.9, 0.1, 1, 1),
    )
    for text in (-1, 2):
        with pytest.raises(ValueError, match="do not fit"):
            _core.adam_rows(
                kernels,
                state,
                rows=row,
                offsets=offsets,
                texts=np.array([text], np.int32),
                weights=None,
                gradients=np.ones((2, 4), np.float32),
                numbers=numbers,
            )
    ids, far = np.zeros(2, np.int32), 1 << 62
    for lengths in ([far, far, far, far, 2], [3, -1], [1], [-1, 3]):
        with pytest.raises(ValueError, match="do not fit"):
            _core.token_bags(ids, np.array(lengths), repeats=[], places=[])
    with pytest.raises(ValueError, match="do not fit"):
        _core.token_bags(ids - 1, np.array([2]), repeats=[], places=[])


def test_what_would_have_to_be_copied_is_refused() -> None:
    """A copy of the table would be changed in its place; one of the targets would be gone when it is read."""
    kernels = _core.training_kernels()[0]
    one = np.array([0, 1], np.int32)
    for wrong in (
        np.zeros((5, 4)),
        np.zeros((5, 8), np.float32)[:, ::2],
        np.zeros((4, 5), np.float32).T,
    ):
        with pytest.raises(TypeError):
            _core.adam_rows(
                kernels,
                [np.zeros((5, 4), np.float32), wrong, np.zeros((5, 4), np.float32)],
                rows=one[:1],
                offsets=one,
                texts=one[:1],
                weights=None,
                gradients=np.ones((1, 4), np.float32),
                numbers=(0.1, 0.9, 0.1, 1, 1),
            )
    ranking = _core.Ranking(kernels, [4], [1], scale=20, symmetric=True, lanes=1)
    few, both, none = (
        np.zeros((2, 4), np.float32),
        np.zeros((4, 4), np.float32),
        np.empty(0, np.int64),
    )
    for targets in (np.zeros((2, 2)), np.zeros((2, 4), np.float32)[:, ::2]):
        with pytest.raises(TypeError):
            ranking.begin(few, few, none, none, targets, both)
    out = torch.zeros(6, 4).T  # not contiguous
    with Lanes(1, kernels=kernels) as lanes, pytest.raises(TypeError):
        products(torch.ones(4, 8), torch.ones(6, 8), lanes=lanes, out=out)


def test_a_batch_stays_until_the_next() -> None:
    """Lanes may still run where an interrupt ended the call that began the batch."""
    kernels, none = _core.training_kernels()[0], np.empty(0, np.int64)
    ranking = _core.Ranking(kernels, [4], [1], scale=20, symmetric=False, lanes=1)
    gradients = np.zeros((4, 4), np.float32)
    held = sys.getrefcount(gradients)
    ranking.begin(
        np.ones((2, 4), np.float32), np.ones((2, 4), np.float32), none, none, None, gradients
    )
    assert sys.getrefcount(gradients) > held


@pytest.mark.parametrize("kernels", [None, *_core.training_kernels()])
@pytest.mark.parametrize("symmetric", [False, True])
def test_texts_of_zero_rows_have_answers_too(kernels: str | None, symmetric: bool) -> None:
    """Of a teacher: an anchor and an excluded candidate without length give numbers, as in torch."""
    generator = torch.Generator().manual_seed(5)
    anchors, candidates = (torch.randn(n, 16, generator=generator) for n in (5, 7))
    anchors[1] = 0
    candidates[2] = 0
    excluded = Excluded(torch.tensor([0, 4]), torch.tensor([2, 2]))
    targets = torch.rand(5, 7, generator=generator)
    targets[excluded.anchors, excluded.candidates] = 0
    made = []
    for name in (kernels, None):
        with Lanes(2, kernels=name) as lanes:
            loss = RankingLoss(lanes, (8, 16), (1.0, 1.0), symmetric=symmetric)
            made.append(loss(anchors, candidates, excluded=excluded, targets=targets))
    torch.testing.assert_close(made[0].losses, made[1].losses, rtol=1e-5, atol=1e-5)
    whole = [i for i in range(12) if i not in (1, 7)]  # those of no length are lengths of 1e-12's
    torch.testing.assert_close(made[0].gradients[whole], made[1].gradients[whole])


@pytest.mark.parametrize("kernels", _core.training_kernels())
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("hard", [0, 40])
def test_gradients_equal_sentence_transformers_to_1e_5(
    kernels: str, symmetric: bool, hard: int
) -> None:
    """Each, relative to the longest of them; in float64 on their side."""
    generator = torch.Generator().manual_seed(6)
    anchors = torch.randn(200, 96, generator=generator)
    noise = torch.randn(200, 96, generator=generator)
    candidates = torch.cat((anchors + noise, torch.randn(hard, 96, generator=generator)))
    dims, n = (16, 50, 96), len(anchors)
    leaves = [one.double().requires_grad_() for one in (anchors, candidates)]
    for dim in dims:
        left, right = (torch.nn.functional.normalize(one[:, :dim], dim=1) for one in leaves)
        scores, own = 20 * left @ right.T, torch.arange(n)
        value = torch.nn.functional.cross_entropy(scores, own)
        if symmetric:
            value = (value + torch.nn.functional.cross_entropy(scores[:, :n].T, own)) / 2
        value.backward()
    wanted = torch.cat([one.grad for one in leaves])
    with Lanes(2, kernels=kernels) as lanes:
        loss = RankingLoss(lanes, dims, (1.0, 1.0, 1.0), symmetric=symmetric)
        made = loss(anchors, candidates).gradients.double()
    assert float((made - wanted).abs().max()) < 1e-5 * float(wanted.norm(dim=1).max())


def test_all_kernels_give_the_same_bits() -> None:
    """Whatever the number of dimensions and texts: training/loops.h says so."""
    made = []
    for kernels in _core.training_kernels():
        generator = torch.Generator().manual_seed(7)
        anchors, candidates = (torch.randn(n, 83, generator=generator) for n in (150, 170))
        targets = torch.softmax(torch.randn(150, 170, generator=generator), 1)
        table = torch.randn(30, 83, generator=generator)
        with Lanes(2, kernels=kernels) as lanes:
            loss = RankingLoss(lanes, (40, 83), (1.0, 1.0))
            made.append([])
            for given in (None, targets):
                ranked = loss(anchors, candidates, targets=given)
                made[-1] += [ranked.losses, ranked.gradients.clone()]
            bags = Bags.of(
                np.arange(90, dtype=np.int32) % 30,
                np.array([40, 50]),
                counting=Counting(repeats=(181,), positions=(200,)),
            )
            optimiser = SparseAdam(table)
            for _ in range(3):
                gradients = row_gradients(bags, torch.randn(2, 83, generator=generator))
                optimiser.step(gradients, learning_rate=0.1, lanes=lanes)
            made[-1] += [table, optimiser.first, optimiser.second]
    for other in made[1:]:
        assert all(torch.equal(*pair) for pair in zip(made[0], other, strict=True))


def test_what_memory_cannot_hold_leaves_the_next_batch_alone() -> None:
    n, none = 1 << 23, np.empty(0, np.int64)  # n * n products are more than a process can address
    ranking = _core.Ranking(
        _core.training_kernels()[0], [1], [1], scale=20, symmetric=True, lanes=1
    )

    def losses(count: int) -> list[float]:
        texts = np.zeros((count, 1), np.float32)
        ranking.begin(texts, texts, none, none, None, np.zeros((2 * count, 1), np.float32))
        if count < n:
            ranking.pack(0, 0, ranking.panels)
        ranking.forward(0, 0, count)
        ranking.meet()
        return ranking.losses()

    before = losses(100)
    with pytest.raises(MemoryError):
        losses(n)
    assert losses(100) == before
