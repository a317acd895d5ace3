"""Distillation: what a transformer says about single tokens becomes a static model."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from pumice.distill.distillation import distill, distill_parts
from pumice.distill.options import DistillOptions

__all__ = ["DistillOptions", "distill", "distill_parts"]


class _CallablePackage(ModuleType):
    """``pumice.distill`` is this package once it is imported; it must still be the verb."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return distill(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
