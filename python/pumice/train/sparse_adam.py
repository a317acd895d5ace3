"""Adam on the rows that a batch touched; the other rows and their moments stay as they are."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pumice import _core
from pumice.train.lanes import Lanes, Work
from pumice.train.pooling import RowGradients

_CHUNK_BYTES = 1 << 20  # of each of a chunk's four arrays


class SparseAdam:
    """The update of torch.optim.SparseAdam: moments decay only when their row is touched."""

    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, table: Tensor) -> None:
        self.table = table
        self.first = torch.zeros_like(table)
        self.second = torch.zeros_like(table)
        self.steps = 0

    def step(self, gradients: RowGradients, *, learning_rate: float, lanes: Lanes) -> None:
        """Move the touched rows against their gradients."""
        self.steps += 1
        correction1 = 1 - self.beta1**self.steps
        correction2 = 1 - self.beta2**self.steps
        size = learning_rate * math.sqrt(correction2) / correction1
        edges = gradients.bags.row_edges
        spans = lanes.split_by_weight(edges, each=16)
        if lanes.kernels is not None and self.table.device.type == "cpu":
            lanes.run(self._native_work(gradients, lanes.kernels, size), spans)
        else:
            lanes.run(self._torch_work(gradients, size), spans)

    def _native_work(self, gradients: RowGradients, kernels: str, size: float) -> Work:
        bags, counted = gradients.bags, gradients.bags.counted
        state = [one.numpy() for one in (self.table, self.first, self.second)]
        rows, offsets, texts = (one.numpy() for one in (bags.rows, bags.row_offsets, bags.texts))
        weights = None if counted is None else counted.by_token.numpy()
        numbers = (1 - self.beta1, self.beta2, 1 - self.beta2, size, self.epsilon)

        def work(lane: int, first: int, last: int) -> None:
            _core.adam_rows(
                kernels,
                state,
                rows=rows[first:last],
                offsets=offsets[first : last + 1],
                texts=texts,
                weights=weights,
                gradients=gradients.gradients.numpy(),
                numbers=numbers,
            )

        return work

    def _torch_work(self, gradients: RowGradients, size: float) -> Work:
        count = max(1, _CHUNK_BYTES // (4 * self.table.shape[1]))

        def work(lane: int, first: int, last: int) -> None:
            shape = (min(count, last - first), self.table.shape[1])
            buffers = [self.table.new_empty(shape) for _ in range(3)]
            for low in range(first, last, count):
                high = min(low + count, last)
                self._update(gradients, low, high, size=size, buffers=buffers)

        return work

    def _update(
        self, gradients: RowGradients, low: int, high: int, *, size: float, buffers: list[Tensor]
    ) -> None:
        rows = gradients.bags.rows[low:high].long()
        gradient = gradients.of(low, high)
        row, first, second = (buffer[: high - low] for buffer in buffers)
        torch.index_select(self.table, 0, rows, out=row)
        torch.index_select(self.first, 0, rows, out=first)
        torch.index_select(self.second, 0, rows, out=second)
        first.lerp_(gradient, 1 - self.beta1)
        second.mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        self.first[rows] = first
        self.second[rows] = second
        row.addcdiv_(first, second.sqrt_().add_(self.epsilon), value=-size)
        self.table[rows] = row
