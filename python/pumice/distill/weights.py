"""Token probabilities and the smooth inverse frequency (SIF) weights made from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError


def zipf_probabilities(count: int) -> NDArray[np.float64]:
    """Guess token probabilities from the rank in the vocabulary, 1 / (rank + 1), as model2vec does."""
    inverse_rank = 1.0 / np.arange(2, count + 2, dtype=np.float64)
    probabilities: NDArray[np.float64] = inverse_rank / inverse_rank.sum()
    return probabilities


def corpus_probabilities(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn token counts into probabilities; a token never seen has probability 0."""
    total = int(counts.sum())
    if total == 0:
        raise InputError("the corpus holds no known token: give texts in the teacher's language")
    return counts / total


def sif_weights(probabilities: NDArray[np.float64], *, coefficient: float) -> NDArray[np.float64]:
    """Weight each token by a / (a + p) (Arora et al. 2017): 1 for the rare, near 0 for the common."""
    return coefficient / (coefficient + probabilities)
