"""Conditions as the filters of qdrant-client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pumice.search.clauses import All, Clause, Either, Empty, Equal, OneOf, clauses_of
from pumice.search.filter import Condition
from pumice.search.server.library import client_models


def server_filter(conditions: Sequence[Condition]) -> Any:
    """The conjunction, None where there is none."""
    models = client_models()
    if not conditions:
        return None
    return models.Filter(must=[_model(clause) for clause in clauses_of(conditions)])


def _model(clause: Clause) -> Any:
    models = client_models()
    if isinstance(clause, All):
        return models.Filter(must=[_model(one) for one in clause.clauses])
    if isinstance(clause, Either):
        return models.Filter(should=[_model(one) for one in clause.clauses])
    if isinstance(clause, Empty):
        empty = models.IsEmptyCondition(is_empty=models.PayloadField(key=clause.path))
        return empty if clause.absent else models.Filter(must_not=[empty])
    if isinstance(clause, Equal):
        match: Any = models.MatchValue(value=clause.value)
        return models.FieldCondition(key=clause.path, match=match)
    if isinstance(clause, OneOf):
        match = models.MatchAny(any=list(clause.strings))
        return models.FieldCondition(key=clause.path, match=match)
    bounds: Any = {"gte": clause.gte, "gt": clause.gt, "lte": clause.lte, "lt": clause.lt}
    between = models.DatetimeRange(**bounds) if clause.dates else models.Range(**bounds)
    return models.FieldCondition(key=clause.path, range=between)
