"""What goes into a ranking loss beside the vectors, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Excluded:
    """Candidates that an anchor must not be pushed from, although they are not its positive."""

    anchors: Tensor
    """int64, shape (n,)."""
    candidates: Tensor
    """int64, shape (n,); never the anchor's own positive."""

    def and_also(self, other: Excluded) -> Excluded:
        """Those of both."""
        return Excluded(
            torch.cat((self.anchors, other.anchors)), torch.cat((self.candidates, other.candidates))
        )

    def erase(self, exps: Tensor, *, low: int, high: int) -> None:
        """Set the excluded entries among the anchors from ``low`` to ``high`` to zero."""
        inside = (self.anchors >= low) & (self.anchors < high)
        exps[self.anchors[inside] - low, self.candidates[inside]] = 0


@dataclass(frozen=True)
class Ranked:
    """What one batch gave."""

    losses: Tensor
    """float32, shape (dims,): the mean loss at each prefix, in the order of ``dims``."""
    gradients: Tensor
    """Of the weighted sum of ``losses``, shape (anchors + candidates, dim). The next call may overwrite it; so
    may the caller."""
    anchors: int
    """How many there were."""

    @property
    def anchor_gradients(self) -> Tensor:
        """Those of the anchors."""
        return self.gradients[: self.anchors]

    @property
    def candidate_gradients(self) -> Tensor:
        """Those of the candidates."""
        return self.gradients[self.anchors :]
