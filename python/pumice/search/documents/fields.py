"""A row of a JSON, CSV or Parquet file as a document: its text, and fields to filter by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pumice.search.documents.document import Document
from pumice.search.filter import is_unaddressable

_MAX_LIST, _MAX_DEPTH = 64, 16
_PAYLOAD_STRING = 200  # longer strings are prose: searched, not filtered by
# What the indexer itself writes beside a passage: a field so named stays out of the payload.
RESERVED = frozenset(
    ("id", "text", "source", "start", "end", "line", "row", "page", "passage", "_pumice")
)


def row_document(fields: Mapping[str, Any], *, row: int) -> Document:
    """The text is the field "text" where there is one, else all string values, a line each.

    Numbers, bools, short strings, and lists and objects of them become payload, so they can be
    filtered by. A field whose name holds a double quote or a backslash cannot: it stays text only.
    """
    text = fields.get("text")
    if not isinstance(text, str):
        text = "\n".join(value for value in _strings(fields) if value.strip())
    payload: dict[str, Any] = {"row": row}
    for name, value in fields.items():
        if name not in RESERVED and _is_name(name):
            kept = _payload_value(value)
            if kept is not None:
                payload[name] = kept
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


def _payload_value(value: Any, depth: int = 0) -> Any:
    """What of a field can be filtered by; None where nothing can."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        kept = {
            name: part
            for name, inner in value.items()
            if _is_name(name) and (part := _payload_value(inner, depth + 1)) is not None
        }
        return kept or None
    if isinstance(value, list):
        if not 0 < len(value) <= _MAX_LIST:
            return None
        parts = [_payload_value(item, depth + 1) for item in value]
        return None if any(part is None for part in parts) else parts
    return value if _filterable_one(value) else None


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and bool(name) and not is_unaddressable(name)


def _filterable_one(value: Any) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= _PAYLOAD_STRING
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, float) and math.isfinite(value)
