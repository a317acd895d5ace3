"""Which pairs make which batch: one source each, shuffled anew every epoch, known from the step alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Drawn(Protocol):
    """What batches are drawn from."""

    @property
    def weight(self) -> float:
        """How often each is seen in an epoch."""

    @property
    def train(self) -> NDArray[np.int64]:
        """The pairs, or texts, to train on."""


@dataclass(frozen=True)
class BatchIndices:
    """The pairs of one batch."""

    source: int
    pairs: NDArray[np.int64]


class BatchPlan:
    """Every batch of a run. There is no state: a run that goes on at some step needs only its number."""

    def __init__(
        self,
        sources: Sequence[Drawn],
        *,
        batch_size: int,
        epochs: float,
        seed: int,
        of_what: str = "pairs",
        topics: Sequence[NDArray[np.int64]] | None = None,
    ) -> None:
        """``topics`` number each source's pairs; those of a topic then follow each other in an epoch."""
        self.of_what = of_what
        self._topics = topics
        self._sources = sources
        self._seed = seed
        self._draws = [max(2, round(len(s.train) * s.weight)) for s in sources]
        self._batches = [math.ceil(draws / batch_size) for draws in self._draws]
        self._order = np.repeat(np.arange(len(sources)), self._batches)
        self.per_epoch = len(self._order)
        self.steps = max(1, math.ceil(self.per_epoch * epochs))
        self._epoch = -1
        self._epoch_batches: list[BatchIndices] = []

    def batch(self, step: int) -> BatchIndices:
        """The batch of a step, from 0."""
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch_batches = self._shuffled(epoch)
            self._epoch = epoch
        return self._epoch_batches[place]

    def _shuffled(self, epoch: int) -> list[BatchIndices]:
        rng = np.random.default_rng((self._seed, epoch))
        of_source = []
        for number, (draws, batches) in enumerate(zip(self._draws, self._batches, strict=True)):
            passes = math.ceil(draws / len(self._sources[number].train))
            drawn = np.concatenate([self._pass(number, rng) for _ in range(passes)])[:draws]
            of_source.append(iter(np.array_split(drawn, batches)))
        return [BatchIndices(int(s), next(of_source[s])) for s in rng.permutation(self._order)]

    def _pass(self, number: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """All pairs of a source once, in an order of chance; with topics, topic by topic."""
        pairs = rng.permutation(self._sources[number].train)
        if self._topics is None:
            return pairs
        topics = self._topics[number][pairs]
        places = rng.permutation(int(topics.max()) + 1)
        return pairs[np.argsort(places[topics], kind="stable")]
