"""The nearest of many vectors without comparing all with all: passages in cells, queries look into a few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice import _core
from pumice.train.lanes import Lanes

_ROUNDS = 6
_SAMPLE = 64  # vectors of a cell that its centre is learned from
_BLOCK = (
    4096  # vectors that are assigned together: what a lane does must not decide a product's shape
)
PROBES = 24
"""Cells that each query looks into. Of the 32 nearest of 100,000 abstracts, `docs/training.md` says how many
these hold."""


@dataclass(frozen=True)
class Cells:
    """Vectors by the centre that they are nearest to (Sivic and Zisserman 2003)."""

    centres: Tensor
    """(cells, dim), each of length 1."""
    vectors: Tensor
    """(n, dim), cell by cell."""
    numbers: Tensor
    """(n,): which of the given vectors each is."""
    edges: list[int]

    @classmethod
    def of(cls, vectors: Tensor, *, lanes: Lanes) -> Cells:
        """Unit vectors, (n, dim); twice as many cells as the root of n. The same for any number of lanes."""
        count = max(1, round(2 * len(vectors) ** 0.5))
        centres = centres_of(vectors[torch.from_numpy(drawn(len(vectors), count))], count, lanes)
        cell = nearest_centres(vectors, centres, lanes)
        order = torch.argsort(cell, stable=True)
        sizes = torch.bincount(cell, minlength=count)
        edges = [0, *sizes.cumsum(0).tolist()]
        return cls(centres, vectors[order], order, edges)

    def best(self, queries: Tensor, *, depth: int) -> NDArray[np.int64]:
        """(queries, depth): numbers by falling cosine, -1 where the cells looked into hold fewer."""
        probes = min(PROBES, len(self.centres))
        asked = torch.topk(queries @ self.centres.T, probes, dim=1).indices
        best = _core.BestOf(len(queries), depth)
        numbers = self.numbers.to(torch.int32).numpy()
        order = torch.argsort(asked.view(-1), stable=True)
        ends = torch.bincount(asked.view(-1), minlength=len(self.centres)).cumsum(0).tolist()
        for cell, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
            first, last = self.edges[cell], self.edges[cell + 1]
            if begin == end or first == last:
                continue
            rows = order[begin:end] // probes
            cosines = queries[rows] @ self.vectors[first:last].T
            best.offer(rows.numpy(), numbers[first:last], cosines.numpy())
        found: NDArray[np.int64] = best.finish()
        return found


def drawn(vectors: int, count: int) -> NDArray[np.int64]:
    """Which of so many vectors ``count`` centres are learned from: the same for the same numbers."""
    return np.random.default_rng(0).permutation(vectors)[: count * _SAMPLE]


def centres_of(sample: Tensor, count: int, lanes: Lanes) -> Tensor:
    """(count, dim), each of length 1, by k-means of unit vectors, (n, dim), alike for any number of lanes."""
    centres = sample[:count].clone()
    for _ in range(_ROUNDS):
        cell = nearest_centres(sample, centres, lanes)
        sums = torch.zeros_like(centres).index_add_(0, cell, sample)
        empty = sums.square().sum(1) == 0
        sums[empty] = centres[empty]
        centres = torch.nn.functional.normalize(sums, dim=1)
    return centres


def nearest_centres(vectors: Tensor, centres: Tensor, lanes: Lanes) -> Tensor:
    """(n,): the number of the centre that each vector has the greatest dot product with."""
    cell = torch.empty(len(vectors), dtype=torch.int64)

    def work(lane: int, first: int, last: int) -> None:
        for block in range(first, last):
            some = slice(block * _BLOCK, (block + 1) * _BLOCK)
            cell[some] = (vectors[some] @ centres.T).argmax(1)

    lanes.run(work, lanes.split(-(-len(vectors) // _BLOCK)))
    return cell
