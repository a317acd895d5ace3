"""The objective of pairs: each anchor closer to its positive than to the batch's other candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pumice.train.batches import BatchPlan
from pumice.train.dataset import TokenizedSource
from pumice.train.false_negatives import SimilarityFilter, same_text
from pumice.train.figures import EvaluationSet, mean_ndcg, measure
from pumice.train.lanes import Lanes
from pumice.train.objective import Measured, Slope
from pumice.train.options import RunOptions, TrainOptions
from pumice.train.pooling import Bags
from pumice.train.ranking_loss import Excluded, RankingLoss


@dataclass(frozen=True)
class PreparedBatch:
    """A batch as tensors: anchors, then their positives, then hard negatives."""

    source: str
    count: int
    """Of anchors."""
    bags: Bags
    excluded: Excluded | None


class Contrastive:
    """Multiple negatives ranking on pairs."""

    def __init__(
        self,
        table: Tensor,
        sources: Sequence[TokenizedSource],
        dims: Sequence[int],
        *,
        options: TrainOptions,
        lanes: Lanes,
    ) -> None:
        """``table`` are the starting rows: what the similarity filter, if there is one, sees."""
        self._sources, self._device, self._lanes = sources, options.device, lanes
        self.plan = BatchPlan(
            sources, batch_size=options.batch_size, epochs=options.epochs, seed=options.seed
        )
        self._loss = RankingLoss(
            lanes,
            dims,
            prefix_weights(dims, options),
            scale=options.scale,
            symmetric=options.symmetric,
        )
        self._filter = None
        if options.false_negative_margin is not None:
            self._filter = SimilarityFilter(table.clone(), options.false_negative_margin)

    def prepare(self, step: int) -> PreparedBatch:
        """A step's batch."""
        indices = self.plan.batch(step)
        source, chosen = self._sources[indices.source], indices.pairs
        with_negative = chosen[source.negatives.hashes[chosen] != 0]
        parts = [
            (source.anchors, chosen),
            (source.positives, chosen),
            (source.negatives, with_negative),
        ]
        ids = [one for texts, which in parts for one in texts.take(which)]
        lengths = np.fromiter(map(len, ids), np.int64, count=len(ids))
        device = self._device
        candidates = [texts.hashes[which] for texts, which in parts[1:]]
        left, right = same_text(source.anchors.hashes[chosen], np.concatenate(candidates))
        excluded = None
        if len(left):
            excluded = Excluded(
                torch.from_numpy(left).to(device), torch.from_numpy(right).to(device)
            )
        return PreparedBatch(
            source.name, len(chosen), Bags.of(np.concatenate(ids), lengths, device=device), excluded
        )

    def slope(self, batch: PreparedBatch, vectors: Tensor) -> Slope:
        """Losses and gradients; ``vectors`` is overwritten."""
        excluded = batch.excluded
        if self._filter is not None:
            more = self._filter(batch.bags, batch.count, lanes=self._lanes)
            excluded = more if excluded is None else excluded.and_also(more)
        ranked = self._loss(vectors[: batch.count], vectors[batch.count :], excluded=excluded)
        both = torch.cat((ranked.anchor_gradients, ranked.candidate_gradients), out=vectors)
        return Slope(ranked.losses, both)


@dataclass(frozen=True)
class RetrievalJudge:
    """nDCG@10 on sets of queries and documents; ``judges`` are those that the best state is chosen by."""

    sets: Sequence[EvaluationSet]
    judges: Sequence[EvaluationSet]
    dims: Sequence[int]
    lanes: Lanes
    measure_name = "nDCG@10"

    def measure(self, table: Tensor) -> Measured:
        """Every set at every prefix."""
        figures = measure(table, self.sets, self.dims, lanes=self.lanes)
        names = {one.name for one in self.judges}
        return Measured(mean_ndcg([one for one in figures if one.name in names]), figures, [])


def prefix_weights(dims: Sequence[int], options: RunOptions) -> list[float]:
    """What each prefix counts in the loss."""
    given = options.dims or tuple(dims)
    weight_of = dict(zip(given, options.dim_weights or (1.0,) * len(given), strict=True))
    return [float(weight_of[dim]) for dim in dims]
