"""Parquet: one record per row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from pumice.errors import InputError
from pumice.records import read_records
from pumice.search.documents.document import Document, UnreadableError
from pumice.search.documents.fields import row_document


def read_parquet(path: Path) -> Iterator[Document]:
    """Row numbers from 1; dates become ISO 8601 strings, binary columns are left out."""
    try:
        for row, record in enumerate(read_records(path), start=1):
            plain = {name: _plain(value) for name, value in record.fields.items()}
            yield row_document(plain, row=row)
    except InputError as error:
        raise UnreadableError(str(error).removeprefix(f"{path}: ")) from None


def _plain(value: Any) -> Any:
    if isinstance(value, date):  # datetime is one too
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
