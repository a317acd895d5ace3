"""Training: pairs of texts, or raw text and a teacher, make a static model, or a better one."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from pumice.train.align import align
from pumice.train.align_options import AlignOptions
from pumice.train.options import TrainOptions
from pumice.train.pair import Pair
from pumice.train.regress import regress
from pumice.train.regress_options import RegressOptions
from pumice.train.run import train
from pumice.train.sources import Source
from pumice.train.training import Training

__all__ = [
    "AlignOptions",
    "Pair",
    "RegressOptions",
    "Source",
    "TrainOptions",
    "Training",
    "align",
    "regress",
    "train",
]


class _CallablePackage(ModuleType):
    """``pumice.train`` is this package once it is imported; it must still be the verb."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return train(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
