"""Conditions as Edge's filters. Observed in 0.9: bools match only as numpy bools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pumice.search.edge.engine import engine
from pumice.search.filter import AnyOf, Condition, Missing, Range, Value

_EXACT_FLOAT_INTEGER = 2**53


def edge_filter(conditions: Sequence[Condition]) -> Any:
    """The conjunction, None where there is none."""
    if not conditions:
        return None
    return engine().Filter(must=[_condition(condition) for condition in conditions])


def _condition(condition: Condition) -> Any:
    """`a.b` and `a[0]` are paths, but may be the names of fields too: either will do."""
    key = condition.key
    if '"' in key or not ("." in key or "[" in key):
        return _one_reading(condition)
    both = [_one_reading(one) for one in (condition, replace(condition, key=f'"{key}"'))]
    neither = isinstance(condition, Missing) and condition.absent
    return engine().Filter(must=both) if neither else engine().Filter(should=both)


def _one_reading(condition: Condition) -> Any:
    qe = engine()
    if isinstance(condition, Missing):
        return qe.FieldCondition(condition.key, is_empty=condition.absent)
    if isinstance(condition, Range):
        bounds = {name: getattr(condition, name) for name in ("gte", "gt", "lte", "lt")}
        dates = any(isinstance(bound, str) for bound in bounds.values())
        kind = qe.RangeDateTime if dates else qe.RangeFloat
        return qe.FieldCondition(condition.key, range=kind(**bounds))
    strings = [value for value in condition.values if isinstance(value, str)]
    others = [value for value in condition.values if not isinstance(value, str)]
    either = [_equals(condition, value) for value in others]
    if strings or not others:  # an empty list matches nothing
        match = qe.MatchAny(strings) if len(strings) != 1 else qe.MatchValue(strings[0])
        either.append(qe.FieldCondition(condition.key, match=match))
    return either[0] if len(either) == 1 else qe.Filter(should=either)


def _equals(condition: AnyOf, value: Value) -> Any:
    qe, key = engine(), condition.key
    if isinstance(value, bool):
        # A Python bool is taken for the integer 1 or 0 and matches nothing.
        match: Any = np.bool_(value)
        return qe.FieldCondition(key, match=qe.MatchValue(match))
    if isinstance(value, int) and abs(value) > _EXACT_FLOAT_INTEGER:
        return qe.FieldCondition(key, match=qe.MatchValue(value))
    assert not isinstance(value, str)
    # A range of one point: 2024 finds 2024 and 2024.0, as == does in Python.
    return qe.FieldCondition(key, range=qe.RangeFloat(gte=value, lte=value))
