"""Shrinking: fewer tokens, fewer dimensions, fewer bits, and what each costs."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from pumice.shrink.agreement import agreement
from pumice.shrink.ladder import Rung, Setting, climb
from pumice.shrink.limit import Limit, Range, fit
from pumice.shrink.shrinking import Shrinker, shrink
from pumice.shrink.sizes import Sizes

__all__ = [
    "Limit",
    "Range",
    "Rung",
    "Setting",
    "Shrinker",
    "Sizes",
    "agreement",
    "climb",
    "fit",
    "shrink",
]


class _CallablePackage(ModuleType):
    """``pumice.shrink`` is this package once it is imported; it must still be the verb."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return shrink(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
