"""fit: the best model that is no larger than a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pumice.errors import InputError
from pumice.shrink.agreement import Quality
from pumice.shrink.ladder import SMALL_DTYPES, Rung, Setting, Told, climb, model_of
from pumice.shrink.shrinking import Shrinker
from pumice.shrink.sizes import check_compression, compressed_size

_CLOSE = 0.995
_TRIES = 8


@dataclass(frozen=True)
class Limit:
    """The most bytes that a model may have."""

    bytes: int
    compressed: str = "none"
    """What they are counted after: "none", "gzip" or "brotli"."""


@dataclass(frozen=True)
class Range:
    """What may be chosen from."""

    dims: tuple[int, ...]
    dtypes: tuple[str, ...] = SMALL_DTYPES
    tokens: int | None = None
    """The most; None: all."""


def fit(
    shrinker: Shrinker,
    limit: Limit,
    *,
    quality: Quality,
    within: Range | None = None,
    tell: Told | None = None,
) -> list[Rung]:
    """For each dimension and type of rows the most tokens that fit, best quality first.

    The first is the one to take. Raises InputError where nothing fits, MissingExtraError for brotli without
    its library.
    """
    check_compression(limit.compressed)
    chosen = within or Range(shrinker.dims)
    most = min(chosen.tokens or shrinker.total, shrinker.total)
    rungs = []
    for dim in sorted(chosen.dims, reverse=True):
        for dtype in chosen.dtypes:
            rung = _largest(shrinker, limit, Setting(most, dim, dtype), quality)
            if rung is not None:
                rungs.append(rung)
                if tell is not None:
                    tell(rung)
    if not rungs:
        raise InputError(
            f"no model of {limit.bytes:,} bytes can be made of this one: its {shrinker.fewest:,} "
            "tokens without which words would be unknown are larger than that"
        )
    return sorted(rungs, key=lambda rung: -(rung.quality or 0.0))


def _largest(shrinker: Shrinker, limit: Limit, most: Setting, quality: Quality) -> Rung | None:
    """As many tokens as fit, to half a percent of the limit; None where not even the fewest do."""

    def size(tokens: int) -> int:
        data = model_of(shrinker, replace(most, tokens=tokens)).to_bytes()
        return compressed_size(data, limit.compressed, quick=True)

    fewest = min(shrinker.fewest, most.tokens)
    tokens = _search(size, limit.bytes, low=fewest, high=most.tokens)
    while tokens is not None:
        [rung] = climb(shrinker, [replace(most, tokens=tokens)], quality=quality)
        if rung.sizes.after(limit.compressed) <= limit.bytes:
            return rung
        tokens = max(fewest, tokens - tokens // 200) if tokens > fewest else None
    return None


def _search(size: Callable[[int], int], limit: int, *, low: int, high: int) -> int | None:
    """The largest count found whose size is within the limit: false position, as size is nearly a line."""
    if (size_high := size(high)) <= limit:
        return high
    if (size_low := size(low)) > limit:
        return None
    for _ in range(_TRIES):
        if size_low >= _CLOSE * limit or high - low <= 1:
            break
        share = (_CLOSE * limit + limit) / 2 - size_low
        middle = low + int((high - low) * share / (size_high - size_low))
        middle = min(max(middle, low + 1), high - 1)
        if (found := size(middle)) <= limit:
            low, size_low = middle, found
        else:
            high, size_high = middle, found
    return low
