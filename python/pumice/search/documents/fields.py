"""A row of a JSON, CSV or Parquet file as a document: its text, and fields to filter by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pumice.search.documents.document import Document

_PAYLOAD_STRING = 200  # longer strings are prose: searched, not filtered by
# What the indexer itself writes beside a passage: a field so named stays out of the payload.
RESERVED = frozenset(
    ("id", "text", "source", "start", "end", "line", "row", "page", "passage", "_pumice")
)


def row_document(fields: Mapping[str, Any], *, row: int) -> Document:
    """The text is the field "text" where there is one, else all string values, a line each.

    Numbers, bools, short strings and lists of them become payload, so they can be filtered by.
    """
    text = fields.get("text")
    if not isinstance(text, str):
        text = "\n".join(value for value in _strings(fields) if value.strip())
    payload: dict[str, Any] = {"row": row}
    for name, value in fields.items():
        if name and name not in RESERVED and _filterable(value):
            payload[name] = value
    return Document(text, "record", payload)


def _strings(value: Any) -> list[str]:
    """Every string in the value, in order; numbers carry no meaning for a text model."""
    found, rest = [], [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, Mapping):
            rest.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            rest.extend(reversed(item))
    return found


def _filterable(value: Any) -> bool:
    if isinstance(value, list):
        return 0 < len(value) <= 64 and all(_filterable_one(item) for item in value)
    return _filterable_one(value)


def _filterable_one(value: Any) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= _PAYLOAD_STRING
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, float) and math.isfinite(value)
