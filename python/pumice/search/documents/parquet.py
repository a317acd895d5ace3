"""Parquet, in batches: one record per row. The only user of pyarrow in search."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from pumice.errors import MissingExtraError
from pumice.search.documents.document import Document, UnreadableError
from pumice.search.documents.fields import row_document

_ROWS = 1024


def read_parquet(path: Path) -> Iterator[Document]:
    """Row numbers from 1; dates become ISO 8601 strings, binary columns are left out."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet") from None
    row = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS):
                for fields in batch.to_pylist():
                    row += 1
                    plain = {name: _plain(value) for name, value in fields.items()}
                    yield row_document(plain, row=row)
    except (pyarrow.ArrowException, OSError) as error:
        raise UnreadableError(f"not Parquet ({' '.join(str(error).split())[:200]})") from None


def _plain(value: Any) -> Any:
    if isinstance(value, date):  # datetime is one too
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
