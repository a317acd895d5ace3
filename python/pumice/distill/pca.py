"""Principal components of token vectors, weighted by token probability and whitened if asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError

# A transformer ends in a layer normalisation, so one direction of its output is constant up to
# rounding. Whitening would blow that rounding up to the size of a real component.
_SMALLEST_VARIANCE = 1e-7


def project(
    vectors: NDArray[np.float32],
    *,
    dim: int,
    probabilities: NDArray[np.float64] | None = None,
    whitening: float = 0.0,
) -> NDArray[np.float64]:
    """Centre ``vectors`` (tokens, width) and turn them onto their first ``dim`` components.

    ``probabilities`` weight each token in the mean and the covariance; None weights all alike.
    Whitening with the probabilities of words is Zipfian whitening (Yokoi et al. 2024). Each
    component's sign is fixed by making its largest score positive, so equal input gives equal
    output. Components without variance come out as zero.
    """
    count, width = vectors.shape
    if dim > width:
        raise InputError(
            f"dim is {dim} but the teacher's vectors have {width} dimensions: "
            f"ask for at most {width}"
        )
    if dim >= count:
        raise InputError(
            f"dim is {dim} but the vocabulary has only {count} tokens: "
            "ask for fewer dimensions or give more words"
        )
    if probabilities is None:
        probabilities = np.full(count, 1.0 / count)
    mean = probabilities @ vectors.astype(np.float64)
    centred = vectors - mean
    covariance = (centred * probabilities[:, None]).T @ centred
    variances, components = np.linalg.eigh(covariance)
    variances, components = variances[::-1][:dim], components[:, ::-1][:, :dim]

    scores = centred @ components
    largest = np.abs(scores).argmax(axis=0)
    signs = np.where(scores[largest, np.arange(dim)] < 0, -1.0, 1.0)
    alive = variances > _SMALLEST_VARIANCE * variances[0]
    deviations = np.sqrt(np.where(alive, variances, 1.0))
    scale: NDArray[np.float64] = np.where(alive, signs / deviations**whitening, 0.0)
    projected: NDArray[np.float64] = scores * scale
    return projected
