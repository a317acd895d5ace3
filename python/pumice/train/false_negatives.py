"""Candidates of a batch that are no negatives: they are, or look like, the anchor's own positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.train.lanes import Lanes
from pumice.train.pooling import Bags, pool
from pumice.train.products import products
from pumice.train.ranked import Excluded


def same_text(
    anchors: NDArray[np.uint64], candidates: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (i, j), j not i, where candidate j is anchor i's positive again, or the positive of anchor i again.

    ``anchors`` are the texts' hashes, shape (n,), ``candidates`` those of n positives and any hard negatives.
    """
    n = len(anchors)
    left = [*_equal(candidates), *_equal(anchors)]
    if not left:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    pairs = np.unique(np.concatenate(left), axis=0)
    pairs = pairs[(pairs[:, 0] < n) & (pairs[:, 0] != pairs[:, 1])]
    first, second = np.ascontiguousarray(pairs.T)  # the kernels take no columns of a matrix
    return first, second


def _equal(hashes: NDArray[np.uint64]) -> list[NDArray[np.int64]]:
    """All pairs of each group of equal hashes."""
    order = np.argsort(hashes, kind="stable")
    begins = np.flatnonzero(np.diff(hashes[order], prepend=~hashes[order[:1]]))
    sizes = np.diff(begins, append=len(order))
    several = sizes > 1
    groups = [
        order[begin : begin + size]
        for begin, size in zip(begins[several], sizes[several], strict=True)
    ]
    return [np.stack(np.meshgrid(g, g, indexing="ij"), -1).reshape(-1, 2) for g in groups]


@dataclass(frozen=True)
class SimilarityFilter:
    """Leaves out candidates that the starting model finds nearly as close as the positive.

    Solatorio 2024 (arXiv:2402.16829) has another model as the guide; here it is the start itself.
    """

    table: Tensor
    """The starting rows, which do not change."""
    margin: float

    def __call__(self, bags: Bags, count: int, *, candidates: int, lanes: Lanes) -> Excluded:
        """Pairs (i, j), j not i, whose cosine exceeds that of anchor i and its positive minus the margin.

        The first ``count`` texts are anchors, the next ``candidates`` are candidates.
        """
        vectors = torch.nn.functional.normalize(pool(self.table, bags, lanes=lanes), dim=1)
        cosines = products(vectors[:count], vectors[count : count + candidates], lanes=lanes)
        found = [torch.empty(0, 2, dtype=torch.int64, device=cosines.device)] * lanes.count

        def work(lane: int, first: int, last: int) -> None:
            part = cosines[first:last]
            own = part.diagonal(first).clone()
            part.diagonal(first).fill_(-torch.inf)
            pairs = torch.nonzero(part > (own - self.margin)[:, None])
            pairs[:, 0] += first
            found[lane] = pairs

        lanes.run(work, lanes.split(count))
        return Excluded(*torch.cat(found).T.contiguous())
