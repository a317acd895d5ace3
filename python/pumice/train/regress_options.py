"""The settings of a regression beyond its corpus, its teacher, its start and where it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pumice.errors import InputError
from pumice.train.options import RunOptions

RegressionLossName = Literal["cosine", "contrastive", "similarity"]


@dataclass(frozen=True)
class RegressOptions(RunOptions):
    """How a corpus and a teacher become a model."""

    epochs: float = 3.0
    loss: RegressionLossName = "cosine"
    """"cosine": one minus that of a text and its teacher vector. "contrastive": the cross-entropy of its own
    teacher vector among those of the batch, by cosine times ``scale``. "similarity": of each text's cosines
    with the batch's others from the teacher's, as KL divergence of softmaxes by ``scale``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss not in get_args(RegressionLossName):
            known = ", ".join(get_args(RegressionLossName))
            raise InputError(f"loss {self.loss!r} is unknown: use one of {known}")
