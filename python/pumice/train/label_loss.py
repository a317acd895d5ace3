"""Learning scores: MarginMSE and KL over each anchor's own candidates, at every prefix, gradients by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from pumice.train.lanes import Lanes

_CHUNK_BYTES = 1 << 21
_SMALLEST_NORM = 1e-12


@dataclass(frozen=True)
class CandidateLists:
    """Which texts of a batch are candidates of which, and what a cross-encoder gave them.

    No text stands in two lists or twice in one, so lists can be worked on side by side.
    """

    anchors: Tensor
    """int64, shape (lists,)."""
    candidates: Tensor
    """int64, shape (lists, longest): the positive first; any number where ``present`` is false."""
    scores: Tensor
    """float32, the same shape."""
    present: Tensor
    """bool, the same shape; each list has two or more."""


@dataclass(frozen=True)
class Labelled:
    """What one batch gave."""

    losses: Tensor
    """float32, shape (dims,): the loss at each prefix."""
    gradients: Tensor
    """(texts, dim): of the weighted sum of ``losses``."""


@dataclass(frozen=True)
class LabelLoss:
    """How far the cosines times ``scale`` are from the scores of a cross-encoder.

    "margin-mse": the squared difference between their margins, positive over negative, averaged over all
    negatives (Hofstätter et al. 2020, arXiv:2010.02666). "kl": the Kullback-Leibler divergence of the softmax
    over a list, averaged over lists (Lin et al. 2020, arXiv:2010.11386).
    """

    kind: str
    lanes: Lanes
    dims: Sequence[int]
    """Ascending."""
    weights: Sequence[float]
    scale: float = 20.0

    def __call__(self, vectors: Tensor, lists: CandidateLists) -> Labelled:
        """``vectors``, shape (texts, dim), float32, not normalised, are all texts of the batch."""
        count, longest = lists.candidates.shape
        gradients = torch.zeros_like(vectors)
        losses = vectors.new_zeros(self.lanes.count, len(self.dims))
        weights = torch.tensor(self.weights, device=vectors.device)[:, None, None] * self.scale
        total = count if self.kind == "kl" else int(lists.present[:, 1:].sum())
        step = max(1, _CHUNK_BYTES // (4 * longest * vectors.shape[1]))

        def work(lane: int, first: int, last: int) -> None:
            for low in range(first, last, step):
                chunk = _Chunk.of(vectors, lists, self.dims, rows=slice(low, min(low + step, last)))
                loss, slopes = self._compared(chunk)
                losses[lane] += loss / total
                chunk.backward(slopes.mul_(weights / total), self.dims, into=gradients)

        self.lanes.run(work, self.lanes.split(count))
        return Labelled(losses.sum(0), gradients)

    def _compared(self, chunk: _Chunk) -> tuple[Tensor, Tensor]:
        """The sum of the loss at each prefix, and its slope by each scaled cosine."""
        scaled, present = chunk.cosines * self.scale, chunk.present
        if self.kind == "kl":
            left_out = ~present
            logs = scaled.masked_fill(left_out, -torch.inf).log_softmax(2)
            wanted_logs = chunk.scores.masked_fill(left_out, -torch.inf).log_softmax(1)
            wanted = wanted_logs.exp()
            # 0 times infinity where a candidate is left out
            terms = wanted * (wanted_logs - logs).masked_fill(left_out, 0)
            return terms.sum((1, 2)), logs.exp() - wanted
        margins = (scaled[:, :, :1] - scaled) - (chunk.scores[:, :1] - chunk.scores)
        margins = margins * present  # the positive's own is 0
        slopes = -2 * margins
        slopes[:, :, 0] = 2 * margins.sum(2)
        return margins.square().sum((1, 2)), slopes


@dataclass(frozen=True)
class _Chunk:
    """Some lists: their vectors, and their cosines at each prefix."""

    anchors: Tensor
    """int64, shape (rows,)."""
    candidates: Tensor
    """int64, shape (rows, longest)."""
    present: Tensor
    scores: Tensor
    left: Tensor
    """(rows, dim)."""
    right: Tensor
    """(rows, longest, dim)."""
    left_inverses: Tensor
    """(dims, rows, 1): one over the length of each prefix."""
    right_inverses: Tensor
    """(dims, rows, longest)."""
    cosines: Tensor
    """(dims, rows, longest)."""

    @classmethod
    def of(
        cls, vectors: Tensor, lists: CandidateLists, dims: Sequence[int], *, rows: slice
    ) -> _Chunk:
        anchors, candidates = lists.anchors[rows], lists.candidates[rows]
        left, right = vectors[anchors], vectors[candidates]
        blocks = list(pairwise((0, *dims)))
        dots = [torch.bmm(right[:, :, b:e], left[:, b:e, None])[:, :, 0] for b, e in blocks]
        left_inverses = _inverse_norms([left[:, b:e].square().sum(1) for b, e in blocks])[
            :, :, None
        ]
        right_inverses = _inverse_norms([right[:, :, b:e].square().sum(2) for b, e in blocks])
        return cls(
            anchors=anchors,
            candidates=candidates,
            present=lists.present[rows],
            scores=lists.scores[rows],
            left=left,
            right=right,
            left_inverses=left_inverses,
            right_inverses=right_inverses,
            cosines=torch.stack(dots).cumsum(0) * left_inverses * right_inverses,
        )

    def backward(self, slopes: Tensor, dims: Sequence[int], *, into: Tensor) -> None:
        """Write the gradients of the chunk's texts; ``slopes`` are those by each of ``cosines``."""
        # A block belongs to its own prefix and to all longer ones.
        along = slopes * self.cosines
        pull = _later(slopes * self.left_inverses * self.right_inverses)
        left_along = _later(along.sum(2, keepdim=True) * self.left_inverses.square())
        right_along = _later(along * self.right_inverses.square())
        to_left, to_right = torch.empty_like(self.left), torch.empty_like(self.right)
        for level, (begin, end) in enumerate(pairwise((0, *dims))):
            left, right = self.left[:, begin:end], self.right[:, :, begin:end]
            pulled = torch.bmm(pull[level][:, None, :], right)[:, 0]
            to_left[:, begin:end] = pulled - left * left_along[level]
            to_right[:, :, begin:end] = pull[level][:, :, None] * left[:, None, :]
            to_right[:, :, begin:end] -= right * right_along[level][:, :, None]
        into[self.anchors] = to_left
        into[self.candidates[self.present]] = to_right[self.present]


def _inverse_norms(squares: list[Tensor]) -> Tensor:
    return torch.stack(squares).cumsum(0).sqrt_().clamp_(min=_SMALLEST_NORM).reciprocal_()


def _later(values: Tensor) -> Tensor:
    return values.flip(0).cumsum(0).flip(0)
