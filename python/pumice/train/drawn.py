"""Which hard negatives a batch sees: one of each pair for all anchors, and whole lists of those with scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pumice.train.dataset import TokenizedSource
from pumice.train.label_loss import CandidateLists
from pumice.train.options import TrainOptions


@dataclass(frozen=True)
class Drawn:
    """Hard negatives of a batch's pairs: those that all anchors rank, then those for their own anchor alone."""

    places: NDArray[np.int64]
    """Where each stands in `HardNegatives.passages`."""
    owners: NDArray[np.int64]
    """Whose it is: a number within the batch."""
    ranked: int
    """How many of them all anchors rank."""
    labelled: NDArray[np.int64]
    """The pairs whose lists are learnt: numbers within the batch."""

    @classmethod
    def of(
        cls,
        source: TokenizedSource,
        pairs: NDArray[np.int64],
        options: TrainOptions,
        *,
        step: int,
    ) -> Drawn:
        """Draw by the seed and the step alone.

        If all anchors ranked all lists, eight negatives a pair would make the product nine times as large.
        """
        negatives = source.negatives
        counts = negatives.counts[pairs]
        have = np.flatnonzero(counts)
        rng = np.random.default_rng((options.seed, 2, step))
        picked = negatives.edges[pairs[have]] + (rng.random(len(have)) * counts[have]).astype(int)
        labelled = np.flatnonzero(negatives.scored[pairs] & bool(options.label_share))
        places = negatives.places(pairs[labelled])
        owners = np.repeat(labelled, counts[labelled])
        picked_by = np.full(len(pairs), -1)
        picked_by[have] = picked
        others = places != picked_by[owners]
        return cls(
            np.concatenate((picked, places[others])),
            np.concatenate((have, owners[others])),
            ranked=len(picked),
            labelled=labelled,
        )

    def lists(
        self, source: TokenizedSource, pairs: NDArray[np.int64], *, device: str
    ) -> CandidateLists | None:
        """The lists to learn, by numbers of the batch's texts: anchors, positives, these; None for none."""
        if not len(self.labelled):
            return None
        negatives, count = source.negatives, len(pairs)
        row = np.full(count, -1)
        row[self.labelled] = np.arange(len(self.labelled))
        inside = np.flatnonzero(row[self.owners] >= 0)
        inside = inside[np.lexsort((self.places[inside], self.owners[inside]))]
        rows = row[self.owners[inside]]
        sizes = np.bincount(rows, minlength=len(self.labelled))
        columns = 1 + np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        shape = (len(self.labelled), 1 + int(sizes.max()))
        candidates = np.zeros(shape, np.int64)
        scores = np.zeros(shape, np.float32)
        candidates[:, 0] = count + self.labelled
        candidates[rows, columns] = 2 * count + inside
        scores[:, 0] = negatives.positive_scores[pairs[self.labelled]]
        scores[rows, columns] = negatives.scores[self.places[inside]]
        present = np.arange(shape[1]) <= sizes[:, None]
        arrays = (self.labelled, candidates, scores, present)
        return CandidateLists(*(torch.from_numpy(array).to(device) for array in arrays))
