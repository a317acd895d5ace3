"""The ranking loss of codes: vectors go through the sign bit or int8 rounding on their way to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pumice.train.ranked import Excluded, Ranked
from pumice.train.ranking_loss import RankingLoss

SOFTNESS = 5.0
"""At the last step."""
_SMALLEST = 1e-12
_LEVELS = 127
_ROWS = 256
"""That are coded at a time: they stay in the cache."""


@dataclass(frozen=True)
class Coded:
    """Vectors as a code has them, and what is needed to go back."""

    values: Tensor
    """float32, shape (n, dim): what is ranked. Of a prefix's code they are the prefix."""
    _units: Tensor | None
    """The vectors over their root mean square; None for int8."""
    _slopes: Tensor | None
    """Of the values by the units."""
    _inverses: Tensor | None

    def backward(self, gradients: Tensor) -> Tensor:
        """Gradients of the values to those of the vectors: a new tensor, or the same one for int8."""
        if self._units is None or self._slopes is None or self._inverses is None:
            return gradients
        wanted = gradients * self._slopes
        along = (wanted * self._units).mean(1, keepdim=True)
        return wanted.addcmul_(self._units, along, value=-1).mul_(self._inverses)


def code(vectors: Tensor, kind: str, *, softness: float) -> Coded:
    """What a code keeps of ``vectors``, shape (n, dim), float32.

    "binary": tanh(softness times the vector over its root mean square), which is near its sign bits where
    ``softness`` is large (Cao et al. 2017, arXiv:1702.00758). "int8": rounded to 127 steps of its largest
    value, the gradient straight through (Bengio et al. 2013, arXiv:1308.3432).
    """
    if kind == "int8":
        steps = vectors.abs().amax(1, keepdim=True).clamp_(min=_SMALLEST).div_(_LEVELS)
        return Coded(torch.round(vectors / steps).mul_(steps), None, None, None)
    inverses = vectors.square().mean(1, keepdim=True).sqrt_().clamp_(min=_SMALLEST).reciprocal_()
    units = vectors * inverses
    values = torch.tanh(units * softness)
    slopes = values.square().neg_().add_(1).mul_(softness)
    return Coded(values, units, slopes, inverses)


def softness(step: int, steps: int) -> float:
    """From 1 at the first step to `SOFTNESS` at the last one, linearly."""
    return 1 + (SOFTNESS - 1) * step / max(1, steps - 1)


@dataclass(frozen=True)
class CodedRankingLoss:
    """The ranking loss of vectors and, for ``share`` of it, of their codes; anchors and candidates alike."""

    ranking: RankingLoss
    codes: Sequence[str]
    """"binary", "int8"; they have equal parts of ``share``."""
    share: float

    def __call__(
        self,
        vectors: Tensor,
        *,
        anchors: int,
        softness: float,
        excluded: Excluded | None = None,
        targets: Tensor | None = None,
    ) -> Ranked:
        """As `RankingLoss`, of the first ``anchors`` vectors among the rest, which it leaves as they are."""
        n = anchors
        plain = self.ranking(vectors[:n], vectors[n:], excluded=excluded, targets=targets)
        if not self.codes or not self.share:
            return plain
        losses = (1 - self.share) * plain.losses
        gradients = plain.gradients * (1 - self.share)
        part, lanes = self.share / len(self.codes), self.ranking.lanes
        spans = lanes.split(len(vectors))
        for kind in self.codes:
            coded = _CodedRows(vectors, kind, softness)
            lanes.run(coded.encode, spans)
            values = coded.values
            ranked = self.ranking(values[:n], values[n:], excluded=excluded, targets=targets)
            losses += part * ranked.losses
            lanes.run(partial(coded.add_gradients, ranked.gradients, part, gradients), spans)
        return Ranked(losses, gradients, n)


class _CodedRows:
    """The codes of all rows, some rows at a time."""

    def __init__(self, vectors: Tensor, kind: str, softness: float) -> None:
        self.values = torch.empty_like(vectors)
        self._vectors, self._kind, self._softness = vectors, kind, softness
        self._parts: dict[int, Coded] = {}

    def encode(self, lane: int, first: int, last: int) -> None:
        """Write the values of a lane's rows."""
        for low in range(first, last, _ROWS):
            high = min(low + _ROWS, last)
            made = code(self._vectors[low:high], self._kind, softness=self._softness)
            self.values[low:high] = made.values
            self._parts[low] = made

    def add_gradients(
        self, gradients: Tensor, alpha: float, total: Tensor, lane: int, first: int, last: int
    ) -> None:
        """Add to ``total`` those of a lane's vectors, from those of their values."""
        for low in range(first, last, _ROWS):
            high = min(low + _ROWS, last)
            total[low:high].add_(self._parts[low].backward(gradients[low:high]), alpha=alpha)
