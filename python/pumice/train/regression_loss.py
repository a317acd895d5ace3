"""Losses that fit texts' vectors to a teacher's, with their gradients written out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from pumice.train.lanes import Lanes
from pumice.train.objective import Slope
from pumice.train.ranked import Excluded
from pumice.train.ranking_loss import RankingLoss
from pumice.train.soft_targets import SoftTargets

_SMALLEST_NORM = 1e-12
_ROWS = 256


class RegressionLoss(Protocol):
    """A loss between vectors and their targets."""

    def __call__(self, vectors: Tensor, targets: Tensor) -> Slope:
        """Both float32, shape (n, dim) and (n, width): the losses, and gradients of ``vectors``' shape."""


@dataclass(frozen=True)
class CosineLoss:
    """One minus the cosine of each text's vector and its target, at each prefix; their mean."""

    lanes: Lanes
    dims: Sequence[int]
    """Ascending."""
    weights: Sequence[float]

    def __call__(self, vectors: Tensor, targets: Tensor) -> Slope:
        """``targets`` has at least as many columns as the longest prefix."""
        n = len(vectors)
        gradients, cosines = torch.empty_like(vectors), vectors.new_empty(len(self.dims), n, 1)

        def work(lane: int, first: int, last: int) -> None:
            for low in range(first, last, _ROWS):
                rows = slice(low, min(low + _ROWS, last))
                gradients[rows] = 0
                for level, (dim, weight) in enumerate(zip(self.dims, self.weights, strict=True)):
                    unit, inverse = _unit(vectors[rows, :dim])
                    wanted, _ = _unit(targets[rows, :dim])
                    cosine = torch.sum(unit * wanted, 1, keepdim=True, out=cosines[level, rows])
                    pull = unit.mul_(cosine).sub_(wanted).mul_(inverse)
                    gradients[rows, :dim].add_(pull, alpha=weight / n)

        self.lanes.run(work, self.lanes.split(n))
        return Slope(torch.stack([1 - one.mean() for one in cosines]), gradients)


@dataclass(frozen=True)
class OwnTargetLoss:
    """Cross-entropy of each text's own target among all targets of the batch (InfoNCE)."""

    ranking: RankingLoss

    def __call__(self, vectors: Tensor, targets: Tensor) -> Slope:
        """Texts are the anchors, targets the candidates, which stay where they are."""
        ranked = self.ranking(vectors, targets[:, : vectors.shape[1]].contiguous())
        return Slope(ranked.losses, ranked.anchor_gradients)


@dataclass
class SimilarityLoss:
    """KL divergence of each text's softmax over its cosines with the batch's others from the teacher's.

    The targets only say how alike texts are, so they may have any number of columns.
    """

    lanes: Lanes
    dims: Sequence[int]
    weights: Sequence[float]
    scale: float = 20.0

    def __post_init__(self) -> None:
        self._answers = SoftTargets(1.0, self.scale, False, self.lanes)
        self._ranking = RankingLoss(
            self.lanes, self.dims, self.weights, scale=self.scale, symmetric=False
        )

    def __call__(self, vectors: Tensor, targets: Tensor) -> Slope:
        """The teacher's cosines are of all columns of ``targets``, at every prefix."""
        n = len(vectors)
        if n < 2:
            return Slope(vectors.new_zeros(len(self.dims)), torch.zeros_like(vectors))
        wanted, _ = _unit(targets)
        if self.lanes.kernels is not None and vectors.device.type == "cpu":
            return self._ranked(vectors, wanted)
        units = [_unit(vectors[:, :dim]) for dim in self.dims]
        losses = vectors.new_zeros(self.lanes.count, len(self.dims))
        pulls = [torch.zeros(self.lanes.count, *unit.shape) for unit, _ in units]
        pulls = [pull.to(vectors.device) for pull in pulls]

        def work(lane: int, first: int, last: int) -> None:
            for low in range(first, last, _ROWS):
                high = min(low + _ROWS, last)
                teacher = self._log_softmax(wanted, low, high)
                probabilities = teacher.exp()
                teacher.diagonal(low).zero_()  # minus infinity times zero is no number
                for level, (unit, _) in enumerate(units):
                    student = self._log_softmax(unit, low, high)
                    chances = student.exp()
                    student.diagonal(low).zero_()
                    losses[lane, level] += (probabilities * teacher.sub(student)).sum() / n
                    slope = chances.sub_(probabilities)
                    pulls[level][lane, low:high].addmm_(slope, unit)
                    pulls[level][lane].addmm_(slope.T, unit[low:high])

        self.lanes.run(work, self.lanes.split(n))
        gradients = torch.zeros_like(vectors)
        for (unit, inverse), pull, weight in zip(units, pulls, self.weights, strict=True):
            total = pull.sum(0).mul_(self.scale * weight / n)
            radial = (total * unit).sum(1, keepdim=True)
            gradients[:, : unit.shape[1]] += total.addcmul_(unit, radial, value=-1).mul_(inverse)
        return Slope(losses.sum(0), gradients)

    def _ranked(self, vectors: Tensor, wanted: Tensor) -> Slope:
        """Texts ranked for themselves, each without itself: KL is the cross-entropy less the teacher's own."""
        n = len(vectors)
        itself = Excluded(torch.arange(n), torch.arange(n))
        shares = self._answers(wanted, wanted, n, itself)
        ranked = self._ranking(vectors, vectors, excluded=itself, targets=shares)
        entropies = vectors.new_zeros(n)

        def work(lane: int, first: int, last: int) -> None:
            for low in range(first, last, _ROWS):
                rows = slice(low, min(low + _ROWS, last))
                entropies[rows] = torch.special.entr(shares[rows]).sum(1)

        self.lanes.run(work, self.lanes.split(n))
        gradients = ranked.anchor_gradients.add_(ranked.candidate_gradients)
        return Slope(ranked.losses - entropies.mean(), gradients)

    def _log_softmax(self, unit: Tensor, low: int, high: int) -> Tensor:
        logits = (unit[low:high] @ unit.T).mul_(self.scale)
        logits.diagonal(low).fill_(-torch.inf)
        return torch.log_softmax(logits, dim=1)


def _unit(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors divided by their lengths, and one over the lengths."""
    inverse = vectors.square().sum(1, keepdim=True).sqrt_().clamp_(min=_SMALLEST_NORM).reciprocal_()
    return vectors * inverse, inverse
