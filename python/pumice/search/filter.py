"""Payload filters as a user writes them, `{"year": {"gte": 2020}, "tag": ["a", "b"]}`, checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from numbers import Integral, Real
from typing import Any

from pumice.arguments import check_string
from pumice.errors import InputError

Value = str | int | float | bool
Bound = float | str
_BOUNDS = ("gte", "gt", "lte", "lt")
# A path that Qdrant reads as it stands: names, dots between levels, [] or [0] for lists, "quoted".
_PATH = re.compile(r'(?:[\w-]+|"[^"]+")(?:\[\d*\])*(?:\.(?:[\w-]+|"[^"]+")(?:\[\d*\])*)*')


@dataclass(frozen=True)
class AnyOf:
    """The payload value, or one element of a list there, equals one of `values`."""

    key: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Range:
    """The payload value lies within the bounds: numbers, or ISO 8601 dates when bounds are str."""

    key: str
    gte: Bound | None = None
    gt: Bound | None = None
    lte: Bound | None = None
    lt: Bound | None = None


@dataclass(frozen=True)
class Missing:
    """The payload has no such key, or null or an empty list there (`absent=False`: it has)."""

    key: str
    absent: bool = True


Condition = AnyOf | Range | Missing


def parse_filter(given: Mapping[str, Any] | None) -> list[Condition]:
    """The conditions that all must hold; a dot in a key goes one level down, or is in the name.

    A value asks for equality, a list for any of its values, a dict of gte, gt, lte, lt for a
    range, None for a missing value. Raises InputError for anything else.
    """
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise InputError(f"filter is a {type(given).__name__}: give a dict of payload key to value")
    return [_condition(key, value) for key, value in given.items()]


def _condition(key: Any, value: Any) -> Condition:
    path = path_of(key)
    if value is None:
        return Missing(path)
    if isinstance(value, Mapping):
        return _range(path, value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return AnyOf(path, tuple(_value(key, item) for item in value))
    return AnyOf(path, (_value(key, value),))


def path_of(key: Any) -> str:
    """The payload path that a filter's key stands for; InputError for none."""
    if not isinstance(key, str) or not key:
        raise InputError(f"filter key {key!r} names no payload field: use a non-empty str")
    check_string(key, name=f"filter key {key!a}")
    return key if _PATH.fullmatch(key) else _quoted(key)


def is_unaddressable(name: str) -> bool:
    """Whether no path can spell this name of a payload field, so that it could not be filtered."""
    return '"' in name or "\\" in name


def _quoted(key: str) -> str:
    if is_unaddressable(key):
        raise InputError(
            f"filter key {key!r} holds a double quote or a backslash: no payload field is named so"
        )
    return f'"{key}"'


def _value(key: str, value: Any) -> Value:
    if isinstance(value, str):
        check_string(value, name=f"filter[{key!r}]")
        return value
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        if not -(2**63) <= int(value) < 2**63:
            raise InputError(f"filter[{key!r}] is {value}: integers must fit 64 bits")
        return int(value)
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    raise InputError(
        f"filter[{key!r}] is {value!r}: give a str, int, finite float, bool, None, "
        "a list of those, or a dict of gte, gt, lte, lt"
    )


def _range(key: str, bounds: Mapping[str, Any]) -> Range:
    unknown = [name for name in bounds if name not in _BOUNDS]
    if unknown or not bounds:
        raise InputError(f"filter[{key!r}]: a range takes gte, gt, lte and lt, not {unknown}")
    checked = {name: _bound(key, bound) for name, bound in bounds.items()}
    if len({isinstance(bound, str) for bound in checked.values()}) > 1:
        raise InputError(f"filter[{key!r}] mixes numbers and dates in one range: use one kind")
    return Range(key, **checked)


def _bound(key: str, bound: Any) -> Bound:
    if isinstance(bound, str):
        try:
            # Python 3.10 does not read the "Z" that means UTC.
            datetime.fromisoformat(bound.replace("Z", "+00:00"))
        except ValueError:
            raise InputError(
                f"filter[{key!r}]: {bound!r} is no ISO 8601 date such as 2024-05-31: "
                "ranges work on numbers and dates"
            ) from None
        return bound
    if isinstance(bound, Real) and not isinstance(bound, bool) and math.isfinite(bound):
        return float(bound)
    raise InputError(f"filter[{key!r}]: bound {bound!r} is neither a finite number nor an ISO date")
