"""Conditions taken apart into what every engine can test: one payload path, one kind of test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pumice.search.filter import AnyOf, Bound, Condition, Missing, Range

_EXACT_FLOAT_INTEGER = 2**53


@dataclass(frozen=True)
class Equal:
    """The value, or one in a list there, is this very bool or integer."""

    path: str
    value: bool | int


@dataclass(frozen=True)
class OneOf:
    """The value, or one in a list there, is one of these strings; none of no strings."""

    path: str
    strings: tuple[str, ...]


@dataclass(frozen=True)
class Within:
    """The value, or one in a list there, is within the bounds, all numbers or all dates."""

    path: str
    gte: Bound | None = None
    gt: Bound | None = None
    lte: Bound | None = None
    lt: Bound | None = None

    @property
    def dates(self) -> bool:
        """Whether the bounds are ISO 8601 dates."""
        return any(isinstance(bound, str) for bound in (self.gte, self.gt, self.lte, self.lt))


@dataclass(frozen=True)
class Empty:
    """There is no value, null, or an empty list (`absent=False`: there is one)."""

    path: str
    absent: bool


@dataclass(frozen=True)
class All:
    """Every clause holds."""

    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class Either:
    """At least one clause holds."""

    clauses: tuple[Clause, ...]


Clause = Equal | OneOf | Within | Empty | All | Either


def clauses_of(conditions: Sequence[Condition]) -> list[Clause]:
    """A clause for each condition; all of them must hold."""
    return [_clause(condition) for condition in conditions]


def _clause(condition: Condition) -> Clause:
    """`a.b` and `a[0]` are paths, but may be the names of fields too: either will do."""
    key = condition.key
    if '"' in key or not ("." in key or "[" in key):
        return _one_reading(condition)
    both = (_one_reading(condition), _one_reading(replace(condition, key=f'"{key}"')))
    neither = isinstance(condition, Missing) and condition.absent
    return All(both) if neither else Either(both)


def _one_reading(condition: Condition) -> Clause:
    if isinstance(condition, Missing):
        return Empty(condition.key, condition.absent)
    if isinstance(condition, Range):
        return Within(condition.key, condition.gte, condition.gt, condition.lte, condition.lt)
    strings = tuple(value for value in condition.values if isinstance(value, str))
    either = [_equals(condition, value) for value in condition.values if not isinstance(value, str)]
    if strings or not either:  # an empty list matches nothing
        either.append(OneOf(condition.key, strings))
    return either[0] if len(either) == 1 else Either(tuple(either))


def _equals(condition: AnyOf, value: int | float | bool) -> Clause:
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) > _EXACT_FLOAT_INTEGER):
        return Equal(condition.key, value)
    # A range of one point: 2024 finds 2024 and 2024.0, as == does in Python.
    return Within(condition.key, gte=value, lte=value)
