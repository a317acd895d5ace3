"""Rows of JSON Lines and Parquet files, and of lists of texts, with their places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pumice.compression import COMPRESSIONS, unpacked
from pumice.errors import InputError
from pumice.records import (
    LONGEST_LINE,
    Record,
    checked_string,
    decoded,
    format_of,
    read_records,
)

_KINDS = (".jsonl", ".parquet")
_LIST = tuple(f".txt{packed}" for packed in COMPRESSIONS)


def read_texts(path: Path, *, titled: bool) -> dict[str, str]:
    """Texts by id: of JSON Lines or Parquet with "_id" and "text", or of a .txt file, a text on each line.

    ``titled`` puts a "title" before the text. A row without an id is named by its number. InputError
    names the place of what cannot be used.
    """
    found: dict[str, str] = {}
    for number, record in enumerate(read_rows(path), start=1):
        place, fields = record.place, record.fields
        given = fields.get("_id", fields.get("id"))
        identifier = str(number) if given is None else checked_id(given, "_id", place)
        if "text" not in fields:
            raise InputError(f'{place}: has no string "text"')
        text = checked_string(record, "text")
        title = fields.get("title") if titled else None
        if title is not None and not isinstance(title, str):
            raise InputError(f'{place}: "title" is no string')
        if identifier in found:
            raise InputError(f"{place}: the id {identifier!r} occurs a second time")
        found[identifier] = f"{title or ''} {text}".strip()
    if not found:
        raise InputError(f"{path}: is empty: there is nothing to measure")
    return found


def read_rows(path: Path) -> Iterator[Record]:
    """Each object of a file, each line of a list."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.name.endswith(_LIST):
        yield from _lines(path)
    elif format_of(path.name) in _KINDS:
        yield from read_records(path)
    else:
        raise InputError(f"{path}: is no .jsonl, .parquet or .txt file, packed or not")


def _lines(path: Path) -> Iterator[Record]:
    with unpacked(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            place = f"{path}:{number}"
            if text := decoded(line, place).strip():
                yield Record(place, {"text": text})


def checked_id(value: Any, name: str, place: str) -> str:
    """An id as a string; numbers are ids too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise InputError(f'{place}: has no string "{name}"')
    return value
