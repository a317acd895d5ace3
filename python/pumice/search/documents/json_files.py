"""JSON and JSON Lines: a list of objects, or a line each, is a table of records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pumice.search.documents.document import BadRow, Document, UnreadableError
from pumice.search.documents.fields import row_document
from pumice.search.documents.packed import opened
from pumice.search.documents.text import decode

_MAX_LINE = 64 << 20


def read_json(data: bytes) -> Iterator[Document]:
    """A list gives one record per element (row numbers from 1), anything else one record."""
    try:
        value = json.loads(decode(data))
    except ValueError as error:
        raise UnreadableError(f"not JSON ({error})") from None
    except RecursionError:
        raise UnreadableError("nested too deeply") from None
    for row, item in enumerate(value if isinstance(value, list) else [value], start=1):
        yield row_document(_fields(item), row=row)


def read_jsonl(path: Path) -> Iterator[Document | BadRow]:
    """One record per line; row numbers are line numbers. A bad line costs no other line."""
    with opened(path) as file:
        row = 0
        while line := file.readline(_MAX_LINE):
            row += 1
            if not line.strip():
                continue
            try:
                value = json.loads(line.decode("utf-8-sig" if row == 1 else "utf-8"))
            except (ValueError, RecursionError) as error:
                reason = error.__class__.__name__ if isinstance(error, RecursionError) else error
                yield BadRow(f"line {row} is not JSON ({reason})")
                continue
            yield row_document(_fields(value), row=row)


def _fields(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"value": value}
