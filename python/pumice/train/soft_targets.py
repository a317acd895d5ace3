"""What a teacher would answer: the share of each anchor's choice that it gives each candidate of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pumice.train.ranked import Excluded


@dataclass(frozen=True)
class SoftTargets:
    """Targets for `RankingLoss` from a teacher's vectors (Hinton et al. 2015, arXiv:1503.02531)."""

    weight: float
    """The teacher's share of a target; the pair itself has the rest."""
    scale: float
    """The teacher's cosines are multiplied by this before its softmax."""
    symmetric: bool
    """The mean of both directions."""

    def __call__(
        self, anchors: Tensor, positives: Tensor, candidates: int, excluded: Excluded | None
    ) -> Tensor:
        """Shape (n, candidates), from unit vectors of n pairs; candidates past the positives are given 0."""
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
