"""Which pairs share batches: those of one topic, so that a batch's other candidates are nearly right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.train.cells import centres_of, drawn, nearest_centres
from pumice.train.dataset import TokenizedSource
from pumice.train.figures import embed
from pumice.train.lanes import Lanes
from pumice.train.taught import TaughtPairs

_MOST = 1024  # topics of a source: k-means compares every pair with each
_BLOCK = 1 << 16


def source_topics(
    sources: Sequence[TokenizedSource],
    taught: Sequence[TaughtPairs] | None,
    table: Tensor,
    *,
    size: int,
    lanes: Lanes,
) -> list[NDArray[np.int64]]:
    """For each source, a topic's number for each pair; -1 for those not trained on.

    Topics are of some ``size`` pairs whose positives are near each other, by the teacher's vectors or else by
    the rows of ``table`` (topic-aware sampling, Hofstätter et al. 2021, arXiv:2104.06967). The same for any
    number of lanes.
    """
    topics = []
    for number, source in enumerate(sources):
        found = np.full(len(source.anchors), -1, np.int64)
        vectors = _embedded(source, table, lanes) if taught is None else _taught(taught[number])
        found[source.train] = _cells(source.train, vectors, size=size, lanes=lanes)
        topics.append(found)
    return topics


_Vectors = Callable[[NDArray[np.int64]], Tensor]


def _cells(
    pairs: NDArray[np.int64], vectors: _Vectors, *, size: int, lanes: Lanes
) -> NDArray[np.int64]:
    """(pairs,): cells of k-means; only a block of vectors is in memory beside the sample."""
    count = min(_MOST, max(1, round(len(pairs) / size)))
    if count == 1:
        return np.zeros(len(pairs), np.int64)
    centres = centres_of(vectors(pairs[drawn(len(pairs), count)]), count, lanes)
    blocks = (pairs[low : low + _BLOCK] for low in range(0, len(pairs), _BLOCK))
    return np.concatenate([nearest_centres(vectors(b), centres, lanes).numpy() for b in blocks])


def _taught(taught: TaughtPairs) -> _Vectors:
    documents, positives = taught.documents, taught.positives
    return lambda pairs: torch.from_numpy(documents[positives[pairs]].astype(np.float32))


def _embedded(source: TokenizedSource, table: Tensor, lanes: Lanes) -> _Vectors:
    def vectors(pairs: NDArray[np.int64]) -> Tensor:
        made = embed(table, source.positives.subset(pairs), lanes=lanes)
        return torch.nn.functional.normalize(made, dim=1).cpu()

    return vectors
