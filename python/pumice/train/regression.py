"""The objective of raw text: each text's vector where a teacher has it, as far as its tokens' mean can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.train.batches import BatchPlan
from pumice.train.contrastive import prefix_weights
from pumice.train.evaluation_sets import EvaluationSet
from pumice.train.figures import embed, mean_ndcg, measure
from pumice.train.lanes import Lanes
from pumice.train.objective import Measured, Slope
from pumice.train.pooling import Bags
from pumice.train.ranking_loss import RankingLoss
from pumice.train.regress_options import RegressOptions
from pumice.train.regression_loss import CosineLoss, OwnTargetLoss, RegressionLoss, SimilarityLoss
from pumice.train.tokens import Texts


@dataclass(frozen=True)
class FittedTexts:
    """Texts, where they are to go, and which of them are for what."""

    texts: Texts
    targets: NDArray[np.float16]
    """(texts, columns), mapped from a file."""
    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    weight: float = 1.0


@dataclass(frozen=True)
class TargetedBatch:
    """A batch as tensors."""

    source: str
    count: int
    bags: Bags
    targets: Tensor
    """float32, (count, columns)."""


class Regression:
    """Fits texts' vectors to their targets."""

    def __init__(
        self, fitted: FittedTexts, dims: Sequence[int], *, options: RegressOptions, lanes: Lanes
    ) -> None:
        self._fitted, self._device = fitted, options.device
        self.plan = BatchPlan(
            [fitted],
            batch_size=options.batch_size,
            epochs=options.epochs,
            seed=options.seed,
            of_what="texts",
        )
        weights = prefix_weights(dims, options)
        losses: dict[str, RegressionLoss] = {
            "cosine": CosineLoss(lanes, dims, weights),
            "contrastive": OwnTargetLoss(
                RankingLoss(lanes, dims, weights, scale=options.scale, symmetric=False)
            ),
            "similarity": SimilarityLoss(lanes, dims, weights, scale=options.scale),
        }
        self._loss = losses[options.loss]

    def prepare(self, step: int) -> TargetedBatch:
        """A step's batch."""
        chosen = self.plan.batch(step).pairs
        ids = self._fitted.texts.take(chosen)
        lengths = np.fromiter(map(len, ids), np.int64, count=len(ids))
        targets = torch.from_numpy(self._fitted.targets[chosen].astype(np.float32))
        return TargetedBatch(
            "corpus",
            len(chosen),
            Bags.of(
                np.concatenate(ids),
                lengths,
                counting=self._fitted.texts.counting,
                device=self._device,
            ),
            targets.to(self._device),
        )

    def slope(self, batch: TargetedBatch, vectors: Tensor) -> Slope:
        """Losses and gradients."""
        return self._loss(vectors, batch.targets)


class AgreementJudge:
    """Agreement with the teacher on held-out texts; nDCG@10 on sets, which then choose the best state."""

    def __init__(
        self,
        fitted: FittedTexts,
        sets: Sequence[EvaluationSet],
        dims: Sequence[int],
        *,
        loss: str,
        lanes: Lanes,
    ) -> None:
        held = fitted.held_out
        self._sets, self._dims, self._lanes, self._loss = sets, dims, lanes, loss
        self._texts = fitted.texts.subset(held)
        self._targets = torch.from_numpy(fitted.targets[held].astype(np.float32))
        self.measure_name = "nDCG@10" if sets else agreement_name(loss)

    def measure(self, table: Tensor) -> Measured:
        """Every set and the held-out texts at every prefix."""
        figures = measure(table, self._sets, self._dims, lanes=self._lanes)
        agreement = self._agreement(table) if len(self._texts) > 2 else []
        judged = mean_ndcg(figures) if figures else float(np.mean(agreement))
        return Measured(judged, figures, agreement)

    def _agreement(self, table: Tensor) -> list[float]:
        vectors = embed(table, self._texts, lanes=self._lanes).cpu()
        made = []
        for dim in self._dims:
            if self._loss == "similarity":
                made.append(_correlation(vectors[:, :dim], self._targets))
            else:
                cosines = torch.cosine_similarity(vectors[:, :dim], self._targets[:, :dim])
                made.append(float(cosines.mean()))
        return made


def agreement_name(loss: str) -> str:
    """What agreement is."""
    return "correlation of cosines" if loss == "similarity" else "mean cosine"


def _correlation(vectors: Tensor, targets: Tensor) -> float:
    """Pearson's, over the cosines of all pairs of texts."""
    sides = []
    for side in (vectors, targets):
        unit = torch.nn.functional.normalize(side, dim=1)
        upper = torch.triu_indices(len(unit), len(unit), offset=1)
        sides.append((unit @ unit.T)[upper[0], upper[1]])
    return float(torch.corrcoef(torch.stack(sides))[0, 1])
