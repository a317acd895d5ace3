"""How much a token counts that stands in a text again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError

WHOLE = 256
"""What a first occurrence counts; the others count whole numbers of it."""
_TOLD = 31


def repeats_of(exponent: float) -> tuple[int, ...] | None:
    """`ModelParts.repeats` with which n occurrences count n ** exponent, up to the 32nd; None at 1."""
    if not 0 <= exponent <= 1:
        raise InputError(f"repeats is {exponent:g}: give an exponent from 0 (once a text) to 1")
    if exponent == 1:
        return None
    together = np.arange(_TOLD + 2, dtype=np.float64) ** exponent
    return tuple(np.rint(np.diff(together)[1:] * WHOLE).astype(int).tolist())


def check_repeats(repeats: Sequence[int], *, normalize: bool) -> None:
    """Raise InputError unless the core can count so."""
    if not 1 <= len(repeats) < WHOLE or not all(0 <= weight < WHOLE for weight in repeats):
        raise InputError(
            f"repeats are {list(repeats)}: give 1 to {WHOLE - 1} whole numbers from 0 to {WHOLE - 1}"
        )
    if not normalize:
        raise InputError("repeats count less only in a model that normalises its vectors")


def occurrences(ids: NDArray[Any]) -> NDArray[np.int64]:
    """For each of a text's ids, how often it stands there before."""
    order = np.argsort(ids, kind="stable")
    begins = np.flatnonzero(np.diff(ids[order].astype(np.int64), prepend=-1))
    places = np.arange(len(ids)) - np.repeat(begins, np.diff(begins, append=len(ids)))
    before = np.empty(len(ids), np.int64)
    before[order] = places
    return before


def counted(ids: NDArray[Any], repeats: Sequence[int] | None) -> NDArray[np.int64]:
    """What each of a text's ids counts, of `WHOLE`."""
    if repeats is None:
        return np.full(len(ids), WHOLE, np.int64)
    weights = np.array([WHOLE, *repeats], np.int64)
    return weights[np.minimum(occurrences(ids), len(repeats))]
