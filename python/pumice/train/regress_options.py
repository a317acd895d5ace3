"""The settings of a regression beyond its corpus, its teacher, its start and where it is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pumice.errors import InputError
from pumice.teachers.options import Precision
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
    teacher_dtype: Precision = "auto"
    """"auto": bfloat16 where the device has it in hardware, else float32."""
    teacher_vectors: str | os.PathLike[str] | None = None
    """A folder to keep teacher vectors in, for other runs too; None: the run's own, gone when it is done."""
    offline: bool = False
    trust_remote_code: bool = False
    """Run Python code that comes with the teacher. Only for authors you trust."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, allowed in (("loss", RegressionLossName), ("teacher_dtype", Precision)):
            if getattr(self, name) not in get_args(allowed):
                known = ", ".join(get_args(allowed))
                raise InputError(f"{name} {getattr(self, name)!r} is unknown: use one of {known}")
        for name in ("offline", "trust_remote_code"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} is {getattr(self, name)!r}: give True or False")
        kept = self.teacher_vectors
        if kept is not None and (not isinstance(kept, (str, os.PathLike)) or not os.fspath(kept)):
            raise InputError(f"teacher_vectors is {kept!r}: give a folder")
        if kept is not None and not Path(kept).absolute().parent.is_dir():
            raise InputError(f"{kept}: teacher vectors cannot lie there: make its parent first")
