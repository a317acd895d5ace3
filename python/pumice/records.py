"""Rows of JSON Lines, CSV and Parquet files, compressed or not, each with its place for errors."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pumice.arguments import check_string
from pumice.compression import COMPRESSIONS, unpacked
from pumice.errors import InputError, MissingExtraError

LONGEST_LINE = 64 << 20
"""Bytes; also the characters of a CSV field."""
_ROWS = 1024


@dataclass(frozen=True)
class Record:
    """One row: its fields, and where it stands."""

    place: str
    fields: Mapping[str, Any]


def format_of(name: str) -> str | None:
    """.jsonl, .csv or .parquet, whatever compression follows; None for other files."""
    lower = name.lower()
    return next((f for f in FORMATS for c in COMPRESSIONS if lower.endswith(f + c)), None)


def read_records(path: Path) -> Iterator[Record]:
    """The rows of a file in their order; InputError names the file and the line or row.

    Of what the name calls neither CSV nor Parquet, each line is a JSON object.
    """
    reader = _READERS[format_of(path.name) or ".jsonl"]
    with unpacked(path) as file:
        yield from reader(file, path)


def checked_string(record: Record, name: str) -> str:
    """A field that is there, as a string; InputError where it is none, or none that UTF-8 can carry."""
    value: Any = record.fields[name]
    if not isinstance(value, str):
        raise InputError(f'{record.place}: "{name}" is {kind_of(value)}, not a string')
    check_string(value, name=f'{record.place}: "{name}"')
    return value


def kind_of(value: Any) -> str:
    """What a value is called in an error."""
    names = {type(None): "null", bool: "true or false", str: "a string", list: "a list"}
    names[dict] = "an object"
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else "of no kind")


def decoded(line: bytes, place: str) -> str:
    """A line as text, without a byte order mark."""
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{place}: is not UTF-8 text: convert it") from None


def _json_lines(file: IO[bytes], path: Path) -> Iterator[Record]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if line.isspace():
            continue
        place = f"{path}:{number}"
        if len(line) == LONGEST_LINE:
            raise InputError(f"{place}: is a line of more than {LONGEST_LINE >> 20} MB: cut it")
        text = decoded(line, place)
        try:
            fields = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"{place}: not a JSON object: {error}") from None
        except (ValueError, RecursionError) as error:
            reason = (
                "nested too deeply" if isinstance(error, RecursionError) else "a number too long"
            )
            raise InputError(f"{place}: not a JSON object: {reason}") from None
        if not isinstance(fields, dict):
            raise InputError(f"{place}: not a JSON object: put one object on each line")
        yield Record(place, fields)


def _csv_rows(file: IO[bytes], path: Path) -> Iterator[Record]:
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True)
        names: list[str] | None = None
        while (row := csv_row(reader, path)) is not None:
            place = f"{path}:{reader.line_num}"
            if not row:
                continue
            if names is None:
                if repeated := [name for at, name in enumerate(row) if name in row[:at]]:
                    raise InputError(f'{place}: the header names "{repeated[0]}" twice: rename one')
                names = row
            elif len(row) != len(names):
                raise InputError(f"{place}: has {len(row)} fields, the header {len(names)}")
            else:
                yield Record(place, dict(zip(names, row, strict=True)))


def csv_row(reader: Any, path: Path) -> list[str] | None:
    """The next row of a csv.reader, None after the last; InputError names the line of what is no CSV."""
    previous = csv.field_size_limit(LONGEST_LINE)  # the module's own, so it is put back each time
    try:
        row: list[str] | None = next(reader, None)
        return row
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: not CSV: {error}") from None
    finally:
        csv.field_size_limit(previous)


def _parquet_rows(file: IO[bytes], path: Path) -> Iterator[Record]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet") from None
    seekable = file if path.suffix.lower() == ".parquet" else io.BytesIO(file.read())
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(seekable) as table:
            for batch in table.iter_batches(batch_size=_ROWS):
                for fields in batch.to_pylist():
                    number += 1
                    yield Record(f"{path}: row {number}", fields)
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not Parquet: {reason}") from None


_READERS: dict[str, Callable[[IO[bytes], Path], Iterator[Record]]] = {
    ".jsonl": _json_lines,
    ".csv": _csv_rows,
    ".parquet": _parquet_rows,
}
FORMATS = tuple(_READERS)
