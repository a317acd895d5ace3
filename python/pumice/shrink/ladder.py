"""A ladder of settings: what each makes of a model's size and quality."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pumice.model import StaticModel
from pumice.shrink.agreement import Quality
from pumice.shrink.shrinking import Shrinker
from pumice.shrink.sizes import Sizes, sizes_of

SMALL_DTYPES = ("int8", "int4", "int2", "int1")
"""Of rows, the most exact first."""


@dataclass(frozen=True)
class Setting:
    """What is kept of a model. The names are those of `shrink`."""

    tokens: int
    dim: int
    dtype: str


@dataclass(frozen=True)
class Rung:
    """A setting, and what it gives."""

    setting: Setting
    sizes: Sizes
    quality: float | None
    """None where nothing measures it."""


Told = Callable[[Rung], None]


def climb(
    shrinker: Shrinker,
    settings: Iterable[Setting],
    *,
    quality: Quality | None = None,
    tell: Told | None = None,
) -> list[Rung]:
    """Each setting's rung, in their order; ``tell`` is given each as it is measured."""
    rungs = []
    for setting in settings:
        model = model_of(shrinker, setting)
        rung = Rung(setting, sizes_of(model.to_bytes()), quality and quality(model))
        rungs.append(rung)
        if tell is not None:
            tell(rung)
    return rungs


def model_of(shrinker: Shrinker, setting: Setting) -> StaticModel:
    """The model that a setting makes; that of the whole model is the whole model."""
    if setting == whole_setting(shrinker):
        return shrinker.whole
    return shrinker.model(tokens=setting.tokens, dim=setting.dim, dtype=setting.dtype)


def whole_setting(shrinker: Shrinker) -> Setting:
    """The model as it was given."""
    return Setting(shrinker.total, shrinker.whole.dimensions, shrinker.dtype)


def neighbours_of(shrinker: Shrinker, chosen: Setting) -> list[Setting]:
    """The whole model, the chosen setting, and those beside it that differ in one thing.

    Every dimension, smaller rows, half and twice the tokens; the largest model first.
    """
    tokens = {chosen.tokens, chosen.tokens // 2, min(2 * chosen.tokens, shrinker.total)}
    found = {
        chosen,
        *(Setting(n, chosen.dim, chosen.dtype) for n in tokens if n >= shrinker.fewest),
        *(Setting(chosen.tokens, dim, chosen.dtype) for dim in shrinker.dims),
        *(Setting(chosen.tokens, chosen.dim, dtype) for dtype in SMALL_DTYPES),
    }
    found.discard(whole_setting(shrinker))
    ordered = sorted(found, key=lambda one: (-one.tokens, -one.dim, one.dtype), reverse=False)
    return [whole_setting(shrinker), *ordered]
