"""How much a token counts in a mean: less where it stood in the text before, and less toward the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError

WHOLE = 256
"""What a first occurrence, and the first token of a text, count; the others count whole numbers of it."""
MOST_REPEATS, MOST_POSITIONS = 255, 1024
_TOLD_REPEATS, _TOLD_POSITIONS = 31, 255
_LEAD = 2.0


@dataclass(frozen=True)
class Counting:
    """What the core multiplies a token's weight by, in 256ths; of models that normalise their vectors."""

    repeats: tuple[int, ...] = ()
    """Of a token's second, third, ... occurrence in a text; the last is that of all later ones. Empty: 256."""
    positions: tuple[int, ...] = ()
    """Of a text's second, third, ... token; the last is that of all later ones. Empty: 256."""

    def check(self, *, normalize: bool) -> None:
        """Raise InputError unless the core can count so."""
        for name, counts, most in (
            ("repeats", self.repeats, MOST_REPEATS),
            ("positions", self.positions, MOST_POSITIONS),
        ):
            if len(counts) > most or not all(0 <= count < WHOLE for count in counts):
                raise InputError(
                    f"{name} are {list(counts)[:10]}, {len(counts)} numbers: give at most {most}, from 0 to "
                    f"{WHOLE - 1}"
                )
        if self != Counting() and not normalize:
            raise InputError("tokens count alike in a model that does not normalise its vectors")

    def told(self) -> str:
        """For people, what the 2nd, 10th and 100th of both kinds count; empty where all count alike."""
        places = (("2nd", 1), ("10th", 9), ("100th", 99))
        said = []
        for name, counts in (("repeats", self.repeats), ("positions", self.positions)):
            if counts:
                shares = ((nth, counts[min(at, len(counts)) - 1] / WHOLE) for nth, at in places)
                said.append(f"{name} " + ", ".join(f"{share:.2f} ({nth})" for nth, share in shares))
        return "; ".join(said)

    def of(self, ids: NDArray[Any]) -> NDArray[np.int64]:
        """What each of a text's ids counts, of `WHOLE` squared."""
        repeats = np.array([WHOLE, *self.repeats], np.int64)
        positions = np.array([WHOLE, *self.positions], np.int64)
        before = np.minimum(_occurrences(ids), len(self.repeats))
        places = np.minimum(np.arange(len(ids)), len(self.positions))
        counts: NDArray[np.int64] = repeats[before] * positions[places]
        return counts


PLAIN = Counting()
"""All tokens alike."""


def counting_of(*, repeats: float | None = None, lead: float | None = None) -> Counting:
    """Where n occurrences of a token count n ** repeats, up to the 32nd, and the token at place i counts
    (1 + 2 / (1 + i / lead)) / 3, up to the 256th; None: all alike."""
    told: list[Sequence[float]] = [(), ()]
    if repeats is not None and repeats != 1:
        if not 0 <= repeats <= 1:
            raise InputError(
                f"repeats is {repeats:g}: give an exponent from 0 (once a text) to 1 (each time)"
            )
        told[0] = np.diff(np.arange(_TOLD_REPEATS + 2, dtype=np.float64) ** repeats)[1:].tolist()
    if lead is not None:
        if not lead > 0:
            raise InputError(f"lead is {lead:g}: give a number of tokens")
        places = np.arange(1, _TOLD_POSITIONS + 1)
        told[1] = ((1 + _LEAD / (1 + places / lead)) / (1 + _LEAD)).tolist()
    counts = [tuple(min(WHOLE - 1, round(WHOLE * share)) for share in shares) for shares in told]
    return Counting(*counts)


def _occurrences(ids: NDArray[Any]) -> NDArray[np.int64]:
    """For each of a text's ids, how often it stands there before."""
    order = np.argsort(ids, kind="stable")
    begins = np.flatnonzero(np.diff(ids[order].astype(np.int64), prepend=-1))
    places = np.arange(len(ids)) - np.repeat(begins, np.diff(begins, append=len(ids)))
    before = np.empty(len(ids), np.int64)
    before[order] = places
    return before
