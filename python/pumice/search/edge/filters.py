"""Conditions as Edge's filters. Observed in 0.9: bools match only as numpy bools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pumice.search.clauses import All, Clause, Either, Empty, Equal, OneOf, clauses_of
from pumice.search.edge.engine import engine
from pumice.search.filter import Condition


def edge_filter(conditions: Sequence[Condition]) -> Any:
    """The conjunction, None where there is none."""
    if not conditions:
        return None
    return engine().Filter(must=[_edge(clause) for clause in clauses_of(conditions)])


def _edge(clause: Clause) -> Any:
    qe = engine()
    if isinstance(clause, All):
        return qe.Filter(must=[_edge(one) for one in clause.clauses])
    if isinstance(clause, Either):
        return qe.Filter(should=[_edge(one) for one in clause.clauses])
    if isinstance(clause, Empty):
        return qe.FieldCondition(clause.path, is_empty=clause.absent)
    if isinstance(clause, Equal):
        # A Python bool is taken for the integer 1 or 0 and matches nothing.
        value: Any = np.bool_(clause.value) if isinstance(clause.value, bool) else clause.value
        return qe.FieldCondition(clause.path, match=qe.MatchValue(value))
    if isinstance(clause, OneOf):
        strings = list(clause.strings)
        match = qe.MatchValue(strings[0]) if len(strings) == 1 else qe.MatchAny(strings)
        return qe.FieldCondition(clause.path, match=match)
    kind = qe.RangeDateTime if clause.dates else qe.RangeFloat
    bounds = kind(gte=clause.gte, gt=clause.gt, lte=clause.lte, lt=clause.lt)
    return qe.FieldCondition(clause.path, range=bounds)
