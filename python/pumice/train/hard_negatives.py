"""The hard negatives of a source's pairs: given or mined, in lists of any length, perhaps with scores."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pumice.train.tokens import Texts


@dataclass(frozen=True)
class HardNegatives:
    """A list for each pair. A mined negative is another pair's positive and is not kept again."""

    texts: Texts
    """Those that came with the pairs, each text once."""
    edges: NDArray[np.int64]
    """(pairs + 1,): where each pair's list begins in ``passages``, and the end."""
    passages: NDArray[np.int64]
    """Below the number of pairs: that pair's positive; from there on: ``texts``."""
    scores: NDArray[np.float32]
    """As ``passages``: what a cross-encoder gave each; not a number where there is none."""
    positive_scores: NDArray[np.float32]
    """(pairs,): the same of each pair's positive."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many each pair has."""
        return np.diff(self.edges)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """(pairs,): whether a pair's list can be learnt from: it has scores, and more than the positive."""
        return np.isfinite(self.positive_scores) & (self.counts > 0)

    def places(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the lists of some pairs stand in ``passages``, one list after another."""
        counts = self.counts[pairs]
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        begins: NDArray[np.int64] = np.repeat(self.edges[pairs] - (ends - counts), counts)
        return np.arange(total) + begins

    def with_mined(self, pairs: NDArray[np.int64], mined: NDArray[np.int64]) -> HardNegatives:
        """The same lists, those of ``pairs`` longer by ``mined``: (pairs, most), -1 where there are fewer."""
        added = np.zeros(len(self.counts), np.int64)
        added[pairs] = (mined >= 0).sum(1)
        owners = np.concatenate(
            (np.repeat(np.arange(len(added)), self.counts), np.repeat(pairs, added[pairs]))
        )
        order = np.argsort(owners, kind="stable")
        passages = np.concatenate((self.passages, mined[mined >= 0]))[order]
        scores = np.concatenate((self.scores, np.full(added.sum(), np.nan, np.float32)))[order]
        edges = np.concatenate(([0], np.cumsum(self.counts + added)))
        return replace(self, edges=edges, passages=passages, scores=scores)

    def with_scores(
        self, pairs: NDArray[np.int64], positives: NDArray[np.float32], lists: NDArray[np.float32]
    ) -> HardNegatives:
        """The same lists with scores: of each pair's positive, and of its list, one after another."""
        scores, positive_scores = self.scores.copy(), self.positive_scores.copy()
        positive_scores[pairs] = positives
        scores[self.places(pairs)] = lists
        return replace(self, scores=scores, positive_scores=positive_scores)
