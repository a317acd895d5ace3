"""Pooling and the optimiser: autograd of torch's EmbeddingBag and torch.optim.SparseAdam are the oracles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pumice import _core
from pumice.modelfile.counting import PLAIN, Counting
from pumice.train.lanes import Lanes
from pumice.train.pooling import Bags, pool, row_gradients
from pumice.train.sparse_adam import SparseAdam

ROWS, DIM = 50, 12


KERNELS = [None, *_core.training_kernels()]


@pytest.fixture(
    scope="module",
    params=[(count, kernels) for kernels in KERNELS for count in (1, 2, 5)],
    ids=lambda param: f"{param[0]} {param[1] or 'torch'}",
)
def lanes(request: pytest.FixtureRequest) -> Iterator[Lanes]:
    count, kernels = request.param
    with Lanes(count, kernels=kernels) as opened:
        yield opened


def random_bags(seed: int, counting: Counting = PLAIN) -> Bags:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 9, size=7)
    ids = rng.integers(0, ROWS, size=lengths.sum()).astype(np.int32)
    return Bags.of(ids, lengths, counting=counting)


def test_pooling_and_its_gradient_equal_embedding_bag(lanes: Lanes) -> None:
    bags = random_bags(1)
    table = torch.randn(ROWS, DIM, requires_grad=True)
    expected = torch.nn.functional.embedding_bag(
        bags.ids, table, bags.offsets, mode="mean", include_last_offset=True
    )
    wanted = torch.randn(7, DIM)
    expected.backward(wanted)
    torch.testing.assert_close(pool(table.detach(), bags, lanes=lanes), expected.detach())
    gradients = row_gradients(bags, wanted.clone())
    dense = torch.zeros(ROWS, DIM)
    dense[bags.rows.long()] = gradients.of(0, len(bags.rows))
    torch.testing.assert_close(dense, table.grad)
    torch.testing.assert_close(gradients.of(2, 5), gradients.of(0, len(bags.rows))[2:5])


def test_tokens_count_as_the_model_has_it(lanes: Lanes) -> None:
    counting = Counting(repeats=(181, 90), positions=(200, 150))
    texts = [[3, 1, 3, 3, 2, 3], [1], [2, 2], [4, 1, 4]]
    repeats = [[256, 256, 181, 90, 256, 90], [256], [256, 181], [256, 256, 181]]
    places = [256, 200, 150, 150, 150, 150]
    counts = [[a * b for a, b in zip(row, places, strict=False)] for row in repeats]
    flat, lengths = np.concatenate(texts).astype(np.int32), np.array([6, 1, 2, 3])
    bags = Bags.of(flat, lengths, counting=counting)
    table = torch.randn(ROWS, DIM, requires_grad=True)
    expected = torch.stack(
        [
            (torch.tensor(c)[:, None] * table[torch.tensor(t)]).sum(0) / sum(c)
            for t, c in zip(texts, counts, strict=True)
        ]
    )
    wanted = torch.randn(4, DIM)
    expected.backward(wanted)
    torch.testing.assert_close(pool(table.detach(), bags, lanes=lanes), expected.detach())
    dense = torch.zeros(ROWS, DIM)
    gradients = row_gradients(bags, wanted.clone())
    dense[bags.rows.long()] = gradients.of(0, len(bags.rows))
    torch.testing.assert_close(dense, table.grad)


@pytest.mark.parametrize("dim", [DIM, 333])
@pytest.mark.parametrize("counting", [PLAIN, Counting(repeats=(181, 90), positions=())])
def test_steps_equal_sparse_adam(
    lanes: Lanes, dim: int, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pumice.train.sparse_adam._CHUNK_BYTES", 4 * dim * 3)  # chunks of 3 rows
    table = torch.randn(ROWS, dim)
    theirs = torch.nn.Parameter(table.clone())
    peer = torch.optim.SparseAdam([theirs], lr=0.1)
    ours = SparseAdam(table)
    for step in range(6):
        bags = random_bags(step, counting)
        gradients = row_gradients(bags, torch.randn(7, dim) * 10.0**-step)
        rows = bags.rows.long()
        theirs.grad = torch.sparse_coo_tensor(
            rows[None], gradients.of(0, len(rows)), table.shape, check_invariants=True
        )
        peer.param_groups[0]["lr"] = 0.1 / (step + 1)
        peer.step()
        ours.step(gradients, learning_rate=0.1 / (step + 1), lanes=lanes)
        torch.testing.assert_close(table, theirs.detach(), rtol=1e-5, atol=1e-6)


def test_lanes_share_by_weight_and_pass_errors_on() -> None:
    with Lanes(3) as lanes:
        spans = lanes.split_by_weight([0, 90, 91, 92, 93, 100])
        assert [span for first, last in spans for span in range(first, last)] == [0, 1, 2, 3, 4]
        assert spans[0] == (0, 1)
        assert lanes.split(2)[0] == (0, 0)

        def work(lane: int, first: int, last: int) -> None:
            raise ValueError(f"{first}")

        with pytest.raises(ValueError, match="0"):
            lanes.run(work, [(0, 1), (1, 2)])
