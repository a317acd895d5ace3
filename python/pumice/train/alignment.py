"""The objective of queries alone: each where a teacher has it, ranking its documents as the teacher does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.train.align_options import AlignOptions
from pumice.train.batches import BatchPlan
from pumice.train.contrastive import prefix_weights
from pumice.train.dataset import TokenizedSource
from pumice.train.false_negatives import same_text
from pumice.train.figures import Figure, embed, figures_of, mean_ndcg
from pumice.train.lanes import Lanes
from pumice.train.objective import Measured, Slope
from pumice.train.pooling import Bags
from pumice.train.ranked import Excluded
from pumice.train.ranking_loss import RankingLoss
from pumice.train.regression_loss import CosineLoss
from pumice.train.soft_targets import SoftTargets
from pumice.train.taught import TaughtPairs
from pumice.train.tokens import Texts

TEACHER = "teacher"
"""What a figure's ``code`` is where the teacher's own vectors of queries ask."""


@dataclass(frozen=True)
class AlignedBatch:
    """A batch as tensors."""

    source: str
    count: int
    bags: Bags
    """Of the queries: documents have the teacher's vectors."""
    queries: Tensor
    """The teacher's, (count, width)."""
    documents: Tensor
    excluded: Excluded | None


class Alignment:
    """Fits queries to a teacher's space, in which its documents stay where they are."""

    def __init__(
        self,
        sources: Sequence[TokenizedSource],
        taught: Sequence[TaughtPairs],
        dims: Sequence[int],
        *,
        options: AlignOptions,
        lanes: Lanes,
    ) -> None:
        self._sources, self._taught, self._options = sources, taught, options
        self.plan = BatchPlan(
            sources,
            batch_size=options.batch_size,
            epochs=options.epochs,
            seed=options.seed,
            of_what="queries",
        )
        weights = prefix_weights(dims, options)
        self._cosine = CosineLoss(lanes, dims, weights)
        self._ranking = RankingLoss(lanes, dims, weights, scale=options.scale, symmetric=False)
        self._answers = SoftTargets(1 - options.pair_share, options.scale, False, lanes)

    def prepare(self, step: int) -> AlignedBatch:
        """A step's batch."""
        indices = self.plan.batch(step)
        source, chosen = self._sources[indices.source], indices.pairs
        ids = source.anchors.take(chosen)
        lengths = np.fromiter(map(len, ids), np.int64, count=len(ids))
        device = self._options.device
        queries, documents = self._taught[indices.source].take(chosen, device=device)
        same = same_text(source.anchors.hashes[chosen], source.positives.hashes[chosen])
        excluded = None
        if len(same[0]):
            excluded = Excluded(*(torch.from_numpy(one).to(device) for one in same))
        bags = Bags.of(
            np.concatenate(ids), lengths, counting=source.anchors.counting, device=device
        )
        return AlignedBatch(source.name, len(chosen), bags, queries, documents, excluded)

    def slope(self, batch: AlignedBatch, vectors: Tensor) -> Slope:
        """Losses and gradients."""
        share = self._options.ranking_share
        cosine = self._cosine(vectors, batch.queries)
        weight = (1 - share) * self._options.scale
        losses, gradients = weight * cosine.losses, cosine.gradients.mul_(weight)
        if not share:
            return Slope(losses, gradients)
        targets = self._answers(batch.queries, batch.documents, batch.count, batch.excluded)
        ranked = self._ranking(vectors, batch.documents, excluded=batch.excluded, targets=targets)
        gradients.add_(ranked.anchor_gradients, alpha=share)
        return Slope(losses + share * ranked.losses, gradients)


@dataclass(frozen=True)
class AlignedSet:
    """An evaluation set whose documents the teacher has read."""

    name: str
    queries: Texts
    teacher_queries: Tensor
    documents: Tensor
    relevant: list[dict[int, int]]


@dataclass(frozen=True)
class HeldOutQueries:
    """Queries that are measured on and not trained on, with the teacher's vectors."""

    texts: Texts
    targets: Tensor


@dataclass(frozen=True)
class AlignmentJudge:
    """nDCG@10 of static queries over the teacher's documents; without sets, agreement on held-out queries."""

    sets: Sequence[AlignedSet]
    held_out: HeldOutQueries
    dims: Sequence[int]
    lanes: Lanes

    @property
    def measure_name(self) -> str:
        """What ``judged`` is."""
        return "nDCG@10" if self.sets else "mean cosine"

    def measure(self, table: Tensor) -> Measured:
        """Every set and the held-out queries at every prefix."""
        figures: list[Figure] = []
        for one in self.sets:
            queries = embed(table, one.queries, lanes=self.lanes).cpu()
            figures += figures_of(one, queries, one.documents, self.dims)
        agreement = self._agreement(table)
        judged = mean_ndcg(figures) if figures else float(np.mean(agreement))
        return Measured(judged, figures, agreement)

    def teacher_figures(self) -> list[Figure]:
        """What the teacher's own queries reach."""
        return [
            figure
            for one in self.sets
            for figure in figures_of(
                one, one.teacher_queries, one.documents, self.dims, called=TEACHER
            )
        ]

    def _agreement(self, table: Tensor) -> list[float]:
        if not len(self.held_out.texts):
            return []
        vectors = embed(table, self.held_out.texts, lanes=self.lanes).cpu()
        return [
            float(torch.cosine_similarity(vectors[:, :dim], self.held_out.targets[:, :dim]).mean())
            for dim in self.dims
        ]


def kept_share(figures: Sequence[Figure]) -> float | None:
    """Of the teacher's mean nDCG@10, how much static queries reach at full size; None without sets."""
    if not figures:
        return None
    dim = max(figure.dim for figure in figures)
    sides: list[NDArray[np.float64]] = [
        np.array([f.ndcg for f in figures if f.dim == dim and (f.code == TEACHER) is teacher])
        for teacher in (False, True)
    ]
    return float(sides[0].mean() / max(sides[1].mean(), 1e-12))
