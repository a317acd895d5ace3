"""Evaluation: what a model finds on test collections, kept and searched in every usual way."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from pumice.evaluate.embedder import Model
from pumice.evaluate.evaluation import Evaluation, Figure, evaluate
from pumice.evaluate.opening import open_model
from pumice.evaluate.retrieval_set import RetrievalSet
from pumice.evaluate.sets import open_sets

__all__ = [
    "Evaluation",
    "Figure",
    "Model",
    "RetrievalSet",
    "evaluate",
    "open_model",
    "open_sets",
]


class _CallablePackage(ModuleType):
    """``pumice.evaluate`` is this package once it is imported; it must still be the verb."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return evaluate(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
