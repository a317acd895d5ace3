"""The objective of pairs: each anchor closer to its positive than to the batch's other candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.train.batches import BatchPlan
from pumice.train.code_loss import CodedRankingLoss, softness
from pumice.train.dataset import TokenizedSource
from pumice.train.drawn import Drawn
from pumice.train.evaluation_sets import EvaluationSet
from pumice.train.false_negatives import SimilarityFilter, same_text
from pumice.train.figures import mean_ndcg, measure
from pumice.train.label_loss import CandidateLists, LabelLoss
from pumice.train.lanes import Lanes
from pumice.train.objective import Measured, Slope
from pumice.train.options import RunOptions, TrainOptions
from pumice.train.pooling import Bags
from pumice.train.ranked import Excluded, Ranked
from pumice.train.ranking_loss import RankingLoss
from pumice.train.soft_targets import SoftTargets
from pumice.train.taught import TaughtPairs


@dataclass(frozen=True)
class PreparedBatch:
    """A batch as tensors: anchors, then what all of them rank, then what only single ones are compared with.

    All rank the positives and one hard negative of each pair, drawn anew each step.
    """

    source: str
    step: int
    count: int
    """Of anchors."""
    candidates: int
    """That all anchors rank."""
    bags: Bags
    excluded: Excluded | None
    lists: CandidateLists | None
    """Where pairs have scores to be learnt."""
    taught: tuple[Tensor, Tensor] | None
    """A teacher's vectors of anchors and positives."""


class Contrastive:
    """Multiple negatives ranking on pairs, and the scores of their lists where they have some."""

    def __init__(
        self,
        table: Tensor,
        sources: Sequence[TokenizedSource],
        dims: Sequence[int],
        *,
        options: TrainOptions,
        lanes: Lanes,
        taught: Sequence[TaughtPairs] | None = None,
        topics: Sequence[NDArray[np.int64]] | None = None,
    ) -> None:
        """``table`` are the starting rows: what the similarity filter, if there is one, sees.

        ``taught`` are a teacher's vectors of each source, ``topics`` the numbers of its pairs' topics.
        """
        self._taught = taught
        self._soft = SoftTargets(options.teacher_share, options.scale, options.symmetric, lanes)
        self._sources, self._options, self._lanes = sources, options, lanes
        self.plan = BatchPlan(
            sources,
            batch_size=options.batch_size,
            epochs=options.epochs,
            seed=options.seed,
            topics=topics,
        )
        weights = prefix_weights(dims, options)
        ranking = RankingLoss(
            lanes, dims, weights, scale=options.scale, symmetric=options.symmetric
        )
        self._loss = CodedRankingLoss(ranking, tuple(options.codes), options.code_share)
        self._label_loss = LabelLoss(options.label_kind, lanes, dims, weights, scale=options.scale)
        self._filter = None
        if options.false_negative_margin is not None:
            self._filter = SimilarityFilter(table.clone(), options.false_negative_margin)

    def prepare(self, step: int) -> PreparedBatch:
        """A step's batch."""
        indices = self.plan.batch(step)
        source, chosen = self._sources[indices.source], indices.pairs
        drawn = Drawn.of(source, chosen, self._options, step=step)
        ids = [*source.anchors.take(chosen), *source.positives.take(chosen)]
        ids += source.take_passages(source.negatives.passages[drawn.places])
        lengths = np.fromiter(map(len, ids), np.int64, count=len(ids))
        device, taught = self._options.device, None
        if self._taught is not None:
            taught = self._taught[indices.source].take(chosen, device=device)
        return PreparedBatch(
            source.name,
            step=step,
            count=len(chosen),
            candidates=len(chosen) + drawn.ranked,
            bags=Bags.of(
                np.concatenate(ids), lengths, counting=source.anchors.counting, device=device
            ),
            excluded=_excluded(source, chosen, drawn, device=device),
            lists=drawn.lists(source, chosen, device=device),
            taught=taught,
        )

    def slope(self, batch: PreparedBatch, vectors: Tensor) -> Slope:
        """Losses and gradients, none of columns that stay as they are; ``vectors`` may be overwritten."""
        slope = self._slope(batch, vectors)
        if self._options.fixed_dims is not None:
            slope.gradients[:, : self._options.fixed_dims] = 0
        return slope

    def _slope(self, batch: PreparedBatch, vectors: Tensor) -> Slope:
        share = 0.0 if batch.lists is None else self._options.label_share
        if batch.lists is None or not share:
            ranked = self._ranked(batch, vectors)
            return Slope(ranked.losses, ranked.gradients)
        labelled = self._label_loss(vectors, batch.lists)
        losses, gradients = share * labelled.losses, labelled.gradients.mul_(share)
        if share < 1:
            ranked = self._ranked(batch, vectors)
            losses += (1 - share) * ranked.losses
            end = batch.count + batch.candidates
            gradients[: batch.count].add_(ranked.anchor_gradients, alpha=1 - share)
            gradients[batch.count : end].add_(ranked.candidate_gradients, alpha=1 - share)
        return Slope(losses, gradients)

    def _ranked(self, batch: PreparedBatch, vectors: Tensor) -> Ranked:
        count, candidates = batch.count, batch.candidates
        excluded = batch.excluded
        if self._filter is not None:
            more = self._filter(batch.bags, count, candidates=candidates, lanes=self._lanes)
            excluded = more if excluded is None else excluded.and_also(more)
        targets = None
        if batch.taught is not None:
            targets = self._soft(*batch.taught, candidates, excluded)
        return self._loss(
            vectors[: count + candidates],
            anchors=count,
            softness=softness(batch.step, self.plan.steps),
            excluded=excluded,
            targets=targets,
        )


def _excluded(
    source: TokenizedSource, chosen: NDArray[np.int64], drawn: Drawn, *, device: str
) -> Excluded | None:
    """Candidates of the same text, and those that a cross-encoder finds no worse than the positive."""
    ranked, owners = drawn.places[: drawn.ranked], drawn.owners[: drawn.ranked]
    hashes = source.passage_hashes(source.negatives.passages[ranked])
    left, right = same_text(
        source.anchors.hashes[chosen], np.concatenate((source.positives.hashes[chosen], hashes))
    )
    better = source.negatives.scores[ranked] >= source.negatives.positive_scores[chosen[owners]]
    left = np.concatenate((left, owners[better]))
    right = np.concatenate((right, len(chosen) + np.flatnonzero(better)))
    if not len(left):
        return None
    return Excluded(torch.from_numpy(left).to(device), torch.from_numpy(right).to(device))


@dataclass(frozen=True)
class RetrievalJudge:
    """nDCG@10 on sets of queries and documents; ``judges`` are those that the best state is chosen by."""

    sets: Sequence[EvaluationSet]
    judges: Sequence[EvaluationSet]
    dims: Sequence[int]
    lanes: Lanes
    codes: Sequence[str] = ()
    """Measured, and judged by, beside the vectors themselves."""
    measure_name = "nDCG@10"

    def measure(self, table: Tensor) -> Measured:
        """Every set at every prefix."""
        figures = measure(table, self.sets, self.dims, lanes=self.lanes, codes=self.codes)
        names = {one.name for one in self.judges}
        return Measured(mean_ndcg([one for one in figures if one.name in names]), figures, [])


def prefix_weights(dims: Sequence[int], options: RunOptions) -> list[float]:
    """What each prefix counts in the loss."""
    given = options.dims or tuple(dims)
    weight_of = dict(zip(given, options.dim_weights or (1.0,) * len(given), strict=True))
    return [float(weight_of[dim]) for dim in dims]
