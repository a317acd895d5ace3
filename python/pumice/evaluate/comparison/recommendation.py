"""The rule: when a static model will do, when it should look first, when a transformer is worth its price.

docs/choosing.md tells it to people; the two must say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, log10

from pumice.evaluate.comparison.cost import Cost
from pumice.evaluate.comparison.quality import Agreement, Quality

ENOUGH = 0.95
"""A static model that keeps so much of the transformer's nDCG@10 is enough: people hardly notice less."""
USEFUL = 0.80
"""Below this it misses too much to be asked alone; between the two, it finds and something better ranks."""
ALIKE = 0.60
"""Of the first ten, without judgments."""
FEW = 50
"""Queries below which no figure says much."""

STATIC = "take the static model"
STATIC_FIRST = "let the static model find, and a transformer rank what it finds"
TRANSFORMER = "take the transformer, or train the static model on your own pairs first"
LOOK = "try the static model first, and look at the queries where the two differ"


@dataclass(frozen=True)
class Recommendation:
    """What to do, and why."""

    choice: str
    reasons: tuple[str, ...]


def recommend(
    static: Cost, transformer: Cost, *, quality: Quality | None, agreement: Agreement
) -> Recommendation:
    """By quality first, then by cost; each reason is a sentence with its figures."""
    reasons = list(_by_cost(static, transformer))
    if quality is None:
        alike = f"of the first ten hits, {agreement.top:.0%} are the same"
        if agreement.top >= ALIKE:
            reasons.insert(0, f"The two mostly agree: {alike}.")
        else:
            reasons.insert(0, f"The two often differ: {alike}. That does not say which is better.")
        reasons.append("Without judgments quality is not known: judge 50 queries and give --qrels.")
        return Recommendation(STATIC if agreement.top >= ALIKE else LOOK, tuple(reasons))
    reasons[:0] = _by_quality(quality)
    if quality.kept >= ENOUGH or not quality.can_tell:
        return Recommendation(STATIC, tuple(reasons))
    return Recommendation(STATIC_FIRST if quality.kept >= USEFUL else TRANSFORMER, tuple(reasons))


def _by_quality(quality: Quality) -> Iterator[str]:
    figures = f"nDCG@10 {quality.static:.3f} against {quality.transformer:.3f}"
    both = "each in the better of its ways of searching"
    if quality.static >= quality.transformer:
        yield f"The static model ranks as well or better: {figures}, {both}."
    else:
        yield f"The static model keeps {quality.kept:.0%} of the quality: {figures}, {both}."
    span = f"the difference lies between {quality.low:+.3f} and {quality.high:+.3f} (95 %)"
    if not quality.can_tell:
        yield f"{quality.queries} queries cannot tell the two apart: {span}."
    else:
        yield f"On {quality.queries} queries {span}."
    if quality.queries < FEW:
        yield f"So few queries say little: judge {FEW} or more."


def _by_cost(static: Cost, transformer: Cost) -> Iterator[str]:
    ours, theirs = (one.processor_hours_per_million for one in (static, transformer))
    yield (
        f"A million texts take the static model {duration(ours)} of one processor, the transformer "
        f"{duration(theirs)}: {theirs / ours:,.0f} times as long."
    )
    yield (
        f"A query waits {_milliseconds(static)} for its vector instead of {_milliseconds(transformer)}, "
        f"and the process takes {static.resident_bytes / 1e6:,.0f} MB of memory instead of "
        f"{transformer.resident_bytes / 1e6:,.0f}."
    )


def _milliseconds(cost: Cost) -> str:
    return f"{digits(cost.query_milliseconds)} ms"


def digits(value: float) -> str:
    """Two significant digits, however small or large the number."""
    if value == 0:
        return "0"
    places = max(0, 1 - floor(log10(abs(value))))
    return f"{value:,.{places}f}"


def duration(hours: float) -> str:
    """Hours as people say them."""
    seconds = hours * 3600
    if seconds < 100:
        return f"{digits(seconds)} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{hours:,.1f} h" if hours < 100 else f"{hours:,.0f} h"
