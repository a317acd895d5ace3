"""Multiple negatives ranking with Matryoshka prefixes: the loss and its gradient, written out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from pumice import _core
from pumice.train.lanes import Lanes
from pumice.train.native_ranking import NativeRanking
from pumice.train.ranked import Excluded, Ranked
from pumice.train.torch_ranking import TorchRanking


@dataclass
class RankingLoss:
    """Cross-entropy of each anchor's positive among all candidates, by cosine times ``scale``.

    Henderson et al. 2017 (arXiv:1705.00652) for the loss, Kusupati et al. 2022 (arXiv:2205.13147) for the
    sum over prefixes. ``symmetric`` averages it with the loss of each positive's anchor among all anchors.
    """

    lanes: Lanes
    dims: Sequence[int]
    """Ascending."""
    weights: Sequence[float]
    scale: float = 20.0
    symmetric: bool = True

    def __post_init__(self) -> None:
        self._by_torch = TorchRanking(
            self.lanes, self.dims, self.weights, self.scale, self.symmetric
        )
        self._native = None
        if self.lanes.kernels is not None:
            ranking = _core.Ranking(
                self.lanes.kernels,
                dims=list(self.dims),
                weights=list(self.weights),
                scale=self.scale,
                symmetric=self.symmetric,
                lanes=self.lanes.count,
            )
            self._native = NativeRanking(self.lanes, ranking, self.symmetric)

    def __call__(
        self,
        anchors: Tensor,
        candidates: Tensor,
        *,
        excluded: Excluded | None = None,
        targets: Tensor | None = None,
    ) -> Ranked:
        """Rank candidate i first for anchor i; candidates past the last anchor are hard negatives.

        ``anchors`` has shape (n, dim), ``candidates`` (n or more, dim): float32, not normalised.
        ``targets``, shape (n, candidates), say instead what share of each anchor's choice a candidate should
        have; in the mean of both directions, where there are two. They are 0 where ``excluded``.
        """
        if self._native is not None and anchors.device.type == "cpu":
            return self._native(anchors, candidates, excluded=excluded, targets=targets)
        return self._by_torch(anchors, candidates, excluded=excluded, targets=targets)
