"""CSV with a header row: one record per row, numbers read as numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pumice.search.documents.document import BadRow, Document, UnreadableError
from pumice.search.documents.fields import row_document
from pumice.search.documents.packed import opened

_SAMPLE = 65536
_MAX_FIELD = 64 << 20


def read_csv(path: Path) -> Iterator[Document | BadRow]:
    """Row numbers count data rows from 1. Comma, semicolon, tab or bar: the header line decides.

    A row that cannot be read, or has more fields than the header, is a BadRow. Raises
    UnreadableError on a bad header, on bytes that are not UTF-8 and on NUL.
    """
    with opened(path) as raw:
        if b"\0" in raw.read(_SAMPLE):
            raise UnreadableError("binary")
    try:
        with opened(path) as raw, _text(raw) as file:
            delimiter = max(",;\t|", key=file.readline(_SAMPLE).count)
        with opened(path) as raw, _text(raw) as file:
            rows = _rows(csv.reader(file, delimiter=delimiter, strict=True))
            names = next(rows, [])
            if isinstance(names, csv.Error):
                raise UnreadableError(f"not CSV ({names})")
            for row, values in enumerate(rows, start=1):
                if isinstance(values, csv.Error):
                    yield BadRow(f"row {row} is not CSV ({values})")
                    continue
                if len(values) > len(names):
                    yield BadRow(f"row {row} has {len(values)} fields, the header {len(names)}")
                    continue
                cells = dict(zip(names, map(_cell, values), strict=False))
                if cells:
                    yield row_document(cells, row=row)
    except UnicodeDecodeError:
        raise UnreadableError("not UTF-8 text") from None


def _text(raw: IO[bytes]) -> io.TextIOWrapper:
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str] | csv.Error]:
    """The rows, whole documents as cells included: the limit is the module's, so it is put back.

    After an error the reader goes on with the next line; a quote never closed takes all the rest.
    """
    row: list[str] | csv.Error | None
    while True:
        previous = csv.field_size_limit(_MAX_FIELD)
        try:
            row = next(reader, None)
        except csv.Error as error:
            row = error
        finally:
            csv.field_size_limit(previous)
        if row is None:
            return
        yield row


def _cell(value: str) -> str | int | float:
    """A number only where it is written as Python writes it, so that 007 and 1.10 stay text."""
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        if str(number) == value:
            return number
    return value
