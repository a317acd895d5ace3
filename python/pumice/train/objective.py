"""What a training loop asks of an objective, which makes batches and gradients, and of a judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from torch import Tensor

from pumice.train.batches import BatchPlan
from pumice.train.figures import Figure
from pumice.train.pooling import Bags


class Batch(Protocol):
    """A batch that was prepared: its tokens, and what its objective wants to know."""

    @property
    def source(self) -> str:
        """What it was drawn from, for messages."""

    @property
    def count(self) -> int:
        """Of pairs or texts."""

    @property
    def bags(self) -> Bags:
        """Every text's tokens."""


@dataclass(frozen=True)
class Slope:
    """What an objective makes of a batch's pooled vectors."""

    losses: Tensor
    """At each prefix."""
    gradients: Tensor
    """Of their weighted sum: the vectors' shape; the loop overwrites it."""


B = TypeVar("B", bound=Batch)


class Objective(Protocol[B]):
    """What a run fits: which texts make a batch, and where their vectors are to go."""

    @property
    def plan(self) -> BatchPlan:
        """Every batch of the run."""

    def prepare(self, step: int) -> B:
        """A step's batch; numpy's work, done by a thread of its own while the step before runs."""

    def slope(self, batch: B, vectors: Tensor) -> Slope:
        """Losses and gradients of the batch's pooled vectors."""


@dataclass(frozen=True)
class Measured:
    """A state's figures."""

    judged: float
    """What the best state is chosen by; more is better."""
    figures: list[Figure]
    agreement: list[float]
    """With the teacher, at each prefix; empty without one."""


class Judge(Protocol):
    """Measures a state."""

    @property
    def measure_name(self) -> str:
        """What ``judged`` is: nDCG@10."""

    def measure(self, table: Tensor) -> Measured:
        """The figures of a table of rows."""
