"""What a teacher would answer: the share of each anchor's choice that it gives each candidate of a batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from pumice.train.lanes import Lanes
from pumice.train.products import products
from pumice.train.ranked import Excluded

_CHUNK_BYTES = 1 << 19


@dataclass
class SoftTargets:
    """Targets for `RankingLoss` from a teacher's vectors (Hinton et al. 2015, arXiv:1503.02531)."""

    weight: float
    """The teacher's share of a target; the pair itself has the rest."""
    scale: float
    """The teacher's cosines are multiplied by this before its softmax."""
    symmetric: bool
    """The mean of both directions."""
    lanes: Lanes
    _buffer: Tensor | None = field(default=None, repr=False)

    def __call__(
        self, anchors: Tensor, positives: Tensor, candidates: int, excluded: Excluded | None
    ) -> Tensor:
        """Shape (n, candidates), from unit vectors of n pairs; candidates past the positives are given 0.

        The next call may overwrite it.
        """
        if self.lanes.kernels is not None and anchors.device.type == "cpu":
            return self._by_lanes(anchors, positives, candidates, excluded)
        n = len(anchors)
        logits = (anchors @ positives.T).mul_(self.scale)
        if excluded is not None:
            among = excluded.candidates < n
            logits[excluded.anchors[among], excluded.candidates[among]] = -torch.inf
        shares = torch.softmax(logits, 1)
        if self.symmetric:
            shares.add_(torch.softmax(logits, 0)).div_(2)
        shares.mul_(self.weight).diagonal().add_(1 - self.weight)
        return shares if candidates == n else torch.nn.functional.pad(shares, (0, candidates - n))

    def _by_lanes(
        self, anchors: Tensor, positives: Tensor, candidates: int, excluded: Excluded | None
    ) -> Tensor:
        n, lanes = len(anchors), self.lanes
        if self._buffer is None or self._buffer.numel() < n * candidates:
            self._buffer = anchors.new_empty(n * candidates)  # fresh memory costs a step much
        whole = self._buffer[: n * candidates].view(n, candidates)
        products(anchors, positives, lanes=lanes, out=whole)
        if excluded is not None:
            among = excluded.candidates < n
            excluded = Excluded(excluded.anchors[among], excluded.candidates[among])
        rows, columns = anchors.new_empty(n, 1), anchors.new_zeros(lanes.count, n)
        step = max(1, _CHUNK_BYTES // (4 * candidates))

        def exponentials(lane: int, first: int, last: int) -> None:
            for low in range(first, last, step):
                high = min(low + step, last)
                part = whole[low:high, :n].mul_(self.scale).exp_()
                if excluded is not None:
                    excluded.erase(part, low=low, high=high)
                torch.sum(part, 1, keepdim=True, out=rows[low:high])
                columns[lane] += part.sum(0)

        lanes.run(exponentials, lanes.split(n))
        weight = self.weight / 2 if self.symmetric else self.weight
        by_row, by_column = weight / rows, weight / columns.sum(0)

        def shares(lane: int, first: int, last: int) -> None:
            for low in range(first, last, step):
                high = min(low + step, last)
                part = whole[low:high, :n]
                if self.symmetric:
                    part.mul_(by_row[low:high] + by_column)
                else:
                    part.mul_(by_row[low:high])
                part.diagonal(low).add_(1 - self.weight)
                whole[low:high, n:] = 0

        lanes.run(shares, lanes.split(n))
        return whole
