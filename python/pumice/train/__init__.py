"""Training: pairs of texts, or raw text and a teacher, make a static model, or a better one."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from pumice.train.options import TrainOptions
from pumice.train.pairs import Pair
from pumice.train.regress import regress
from pumice.train.regress_options import RegressOptions
from pumice.train.run import Training, train
from pumice.train.sources import Source

__all__ = ["Pair", "RegressOptions", "Source", "TrainOptions", "Training", "regress", "train"]


class _CallablePackage(ModuleType):
    """``pumice.train`` is this package once it is imported; it must still be the verb."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return train(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
