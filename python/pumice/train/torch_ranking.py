"""Multiple negatives ranking with Matryoshka prefixes in torch's operations, for any processor or GPU.

Every prefix of the vectors has its own cosines, but the dot products of a longer prefix are those of the
shorter one plus one block more. So all prefixes together cost one full matrix product forward and two
backward, where a loss per prefix pays for each anew. Rows go through in chunks that stay in the cache, each
lane its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import torch
from torch import Tensor

from pumice.train.lanes import Lanes
from pumice.train.ranked import Excluded, Ranked

_CHUNK_BYTES = 1 << 21
_SMALLEST_NORM = 1e-12


@dataclass
class TorchRanking:
    """Buffers of the last batch's shape are kept: torch gives fresh memory back to the system each time."""

    lanes: Lanes
    dims: Sequence[int]
    """Ascending."""
    weights: Sequence[float]
    scale: float
    symmetric: bool
    _buffers: dict[str, Tensor] = field(default_factory=dict, repr=False)

    def __call__(
        self,
        anchors: Tensor,
        candidates: Tensor,
        *,
        excluded: Excluded | None,
        targets: Tensor | None,
    ) -> Ranked:
        """As `RankingLoss` has it."""
        batch = _Batch(
            anchors,
            candidates,
            anchor_inverses=_inverse_norms(anchors, self.dims),
            candidate_inverses=_inverse_norms(candidates, self.dims),
            excluded=excluded,
            targets=targets,
        )
        return self._backward(batch, self._forward(batch))

    def _forward(self, batch: _Batch) -> _Sums:
        depth, n, k = len(self.dims), len(batch.anchors), len(batch.candidates)
        sums = _Sums(
            dots=self._buffer("dots", (depth, n, k), batch.anchors),
            exps=self._buffer("exps", (depth, n, k), batch.anchors),
            rows=batch.anchors.new_zeros(depth, n),
            columns=batch.anchors.new_zeros(self.lanes.count, depth, n),
            own=batch.anchors.new_empty(depth, n),
        )

        def work(lane: int, first: int, last: int) -> None:
            for low, high in _chunks(first, last, columns=k):
                self._forward_chunk(batch, sums, low=low, high=high, lane=lane)

        self.lanes.run(work, self.lanes.split(n))
        return sums

    def _forward_chunk(self, batch: _Batch, sums: _Sums, *, low: int, high: int, lane: int) -> None:
        before: Tensor | None = None
        for level, (start, stop) in enumerate(_blocks(self.dims)):
            dot, exp = sums.dots[level, low:high], sums.exps[level, low:high]
            block, other = batch.anchors[low:high, start:stop], batch.candidates[:, start:stop].T
            if before is None:
                torch.mm(block, other, out=dot)
            else:
                torch.addmm(before, block, other, out=dot)
            before = dot
            torch.mul(dot, batch.candidate_inverses[level], out=exp)
            exp.mul_(batch.anchor_inverses[level, low:high, None] * self.scale)
            if batch.targets is None:
                sums.own[level, low:high] = exp.diagonal(low)
            else:
                sums.own[level, low:high] = torch.linalg.vecdot(exp, batch.targets[low:high])
            exp.exp_()
            if batch.excluded is not None:
                batch.excluded.erase(exp, low=low, high=high)
            torch.sum(exp, 1, out=sums.rows[level, low:high])
            if self.symmetric:
                sums.columns[lane, level] += exp[:, : len(batch.anchors)].sum(0)

    def _backward(self, batch: _Batch, sums: _Sums) -> Ranked:
        anchors, candidates = batch.anchors, batch.candidates
        depth, n, k = len(self.dims), len(anchors), len(candidates)
        share = self.scale / n * torch.tensor(self.weights, device=anchors.device)[:, None]
        losses = sums.rows.log() - sums.own
        by_row, by_column = share / sums.rows, None
        if self.symmetric:
            columns = sums.columns.sum(0)
            losses = (losses + columns.log() - sums.own) / 2
            by_row = by_row / 2
            by_column = anchors.new_zeros(depth, k)
            by_column[:, :n] = share / 2 / columns
        count = self.lanes.count
        wanted = _Gradients(
            share=share[:, 0],
            by_row=by_row,
            by_column=by_column,
            to_anchors=self._buffer("to_anchors", anchors.shape, anchors),
            to_candidates=self._buffer("to_candidates", (count, *candidates.shape), anchors),
            along_anchors=anchors.new_zeros(depth, n),
            along_candidates=anchors.new_zeros(count, depth, k),
        )

        def work(lane: int, first: int, last: int) -> None:
            wanted.to_candidates[lane].zero_()
            for low, high in _chunks(first, last, columns=k):
                self._backward_chunk(batch, sums, wanted, rows=(low, high), lane=lane)

        spans = self.lanes.split(n)
        self.lanes.run(work, spans)
        used = [lane for lane, (first, last) in enumerate(spans) if first < last]
        to_candidates = wanted.to_candidates[used[0]]
        for lane in used[1:]:
            to_candidates += wanted.to_candidates[lane]
        along = wanted.along_anchors * batch.anchor_inverses**2
        _subtract_radial(wanted.to_anchors, anchors, along, self.dims)
        along = wanted.along_candidates.sum(0) * batch.candidate_inverses**2
        _subtract_radial(to_candidates, candidates, along, self.dims)
        return Ranked(losses.mean(1), torch.cat((wanted.to_anchors, to_candidates)), n)

    def _backward_chunk(
        self, batch: _Batch, sums: _Sums, wanted: _Gradients, *, rows: tuple[int, int], lane: int
    ) -> None:
        low, high = rows
        shape = (high - low, len(batch.candidates))
        factor = self._buffer(f"factor {lane}", shape, batch.anchors)
        total = self._buffer(f"total {lane}", shape, batch.anchors).zero_()
        aimed = None
        if batch.targets is not None:
            aimed = self._buffer(f"aimed {lane}", shape, batch.anchors)
        for level, (start, stop) in reversed(list(enumerate(_blocks(self.dims)))):
            left = batch.anchor_inverses[level, low:high, None]
            right = batch.candidate_inverses[level]
            # d loss / d dot is exp * (by_row + by_column) * both inverse norms: of rank one or two.
            if wanted.by_column is None:
                torch.mul(wanted.by_row[level, low:high, None] * left, right, out=factor)
            else:
                sides = torch.cat((wanted.by_row[level, low:high, None] * left, left), 1)
                both = torch.stack((right, wanted.by_column[level] * right))
                torch.mm(sides, both, out=factor)
            gradient = factor.mul_(sums.exps[level, low:high])
            if batch.targets is None:
                gradient.diagonal(low).sub_(wanted.share[level] * left[:, 0] * right[low:high])
            else:
                aim = torch.mul(batch.targets[low:high], left * wanted.share[level], out=aimed)
                gradient.sub_(aim.mul_(right))
            total.add_(gradient)
            gradient.mul_(sums.dots[level, low:high])
            torch.sum(gradient, 1, out=wanted.along_anchors[level, low:high])
            wanted.along_candidates[lane, level] += gradient.sum(0)
            torch.mm(
                total, batch.candidates[:, start:stop], out=wanted.to_anchors[low:high, start:stop]
            )
            wanted.to_candidates[lane][:, start:stop].addmm_(
                total.T, batch.anchors[low:high, start:stop]
            )

    def _buffer(self, name: str, shape: Sequence[int], like: Tensor) -> Tensor:
        size = prod(shape)
        held = self._buffers.get(name)
        if held is None or held.numel() < size:
            held = self._buffers[name] = like.new_empty(size)
        return held[:size].view(*shape)


@dataclass(frozen=True)
class _Batch:
    anchors: Tensor
    candidates: Tensor
    anchor_inverses: Tensor
    """(dims, n): one over the length of each prefix."""
    candidate_inverses: Tensor
    excluded: Excluded | None
    targets: Tensor | None


@dataclass(frozen=True)
class _Sums:
    dots: Tensor
    exps: Tensor
    rows: Tensor
    columns: Tensor
    """(lanes, dims, n)."""
    own: Tensor
    """(dims, n): each anchor's logit of its own positive, or the mean of its logits by the targets."""


@dataclass(frozen=True)
class _Gradients:
    share: Tensor
    by_row: Tensor
    by_column: Tensor | None
    to_anchors: Tensor
    to_candidates: Tensor
    """(lanes, k, dim), summed over the lanes at the end."""
    along_anchors: Tensor
    """(dims, n): what the gradient at each prefix would be along the vector itself."""
    along_candidates: Tensor
    """(lanes, dims, k)."""


def _blocks(dims: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip((0, *dims[:-1]), dims, strict=True))


def _chunks(first: int, last: int, *, columns: int) -> list[tuple[int, int]]:
    step = max(16, _CHUNK_BYTES // (4 * columns))
    return [(low, min(low + step, last)) for low in range(first, last, step)]


def _inverse_norms(vectors: Tensor, dims: Sequence[int]) -> Tensor:
    """(dims, n): one over the length of each prefix of each vector."""
    squares = [vectors[:, start:stop].square().sum(1) for start, stop in _blocks(dims)]
    return torch.stack(squares).cumsum(0).sqrt_().clamp_(min=_SMALLEST_NORM).reciprocal_()


def _subtract_radial(
    gradients: Tensor, vectors: Tensor, along: Tensor, dims: Sequence[int]
) -> None:
    """A cosine does not change along the vector itself: ``along`` has shape (dims, n)."""
    later = along.flip(0).cumsum(0).flip(0)  # a block belongs to its own prefix and all longer ones
    for level, (start, stop) in enumerate(_blocks(dims)):
        gradients[:, start:stop].addcmul_(vectors[:, start:stop], later[level, :, None], value=-1)
