"""Multiple negatives ranking with Matryoshka prefixes in the native module's kernels.

A panel of products, of some anchors with 32 candidates, is made at every prefix while its sums are still in
registers, and its exponentials are added up while it is in the nearest cache. They are made anew on the way
back, which costs less than to keep them. Where there is one direction only, an anchor's sum is all that its
gradients need, and so both ways go through at once, in memory for a few anchors.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pumice import _core
from pumice.train.lanes import Lanes
from pumice.train.ranked import Excluded, Ranked

_NONE = np.empty(0, np.int64)


@dataclass
class NativeRanking:
    """As `RankingLoss` has it; tensors lie in the processor's own memory."""

    lanes: Lanes
    ranking: _core.Ranking
    symmetric: bool
    _buffer: Tensor | None = field(default=None, repr=False)

    def __call__(
        self,
        anchors: Tensor,
        candidates: Tensor,
        *,
        excluded: Excluded | None,
        targets: Tensor | None,
    ) -> Ranked:
        """As `RankingLoss` has it."""
        n, k = len(anchors), len(candidates)
        size = (n + k) * anchors.shape[1]
        if self._buffer is None or self._buffer.numel() < size:
            self._buffer = anchors.new_empty(size)  # fresh memory costs a step much
        gradients = self._buffer[:size].view(n + k, -1)
        left, right = anchors.contiguous().numpy(), candidates.contiguous().numpy()
        wanted = None if targets is None else targets.contiguous().numpy()
        ranking, lanes = self.ranking, self.lanes
        ranking.begin(
            left,
            right,
            excluded_anchors=_NONE if excluded is None else excluded.anchors.numpy(),
            excluded_candidates=_NONE if excluded is None else excluded.candidates.numpy(),
            targets=wanted,
            gradients=gradients.numpy(),
        )
        lanes.run(ranking.pack, lanes.split(ranking.panels))
        lanes.run(ranking.forward, lanes.split(n))
        if self.symmetric:
            ranking.meet()
            lanes.run(ranking.backward, lanes.split(n))
        lanes.run(ranking.finish, lanes.split(k))
        return Ranked(torch.tensor(ranking.losses()), gradients, n)
