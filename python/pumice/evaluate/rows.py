"""Rows of JSON Lines and Parquet files, and of lists of texts, with their places."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pumice.compression import COMPRESSIONS, unpacked
from pumice.errors import InputError, MissingExtraError

_LONGEST_LINE = 64 << 20
_ROWS = 1024
_LIST = tuple(f".txt{packed}" for packed in COMPRESSIONS)
_KNOWN = (
    tuple(f"{kind}{packed}" for kind in (".jsonl", ".parquet") for packed in COMPRESSIONS) + _LIST
)


def read_texts(path: Path, *, titled: bool) -> dict[str, str]:
    """Texts by id: of JSON Lines or Parquet with "_id" and "text", or of a .txt file, a text on each line.

    ``titled`` puts a "title" before the text. A row without an id is named by its number. InputError
    names the place of what cannot be used.
    """
    found: dict[str, str] = {}
    for number, (place, fields) in enumerate(read_rows(path), start=1):
        given = fields.get("_id", fields.get("id"))
        identifier = str(number) if given is None else checked_id(given, "_id", place)
        text = _string(fields, "text", place)
        title = fields.get("title") if titled else None
        if title is not None and not isinstance(title, str):
            raise InputError(f'{place}: "title" is no string')
        if identifier in found:
            raise InputError(f"{place}: the id {identifier!r} occurs a second time")
        found[identifier] = f"{title or ''} {text}".strip()
    if not found:
        raise InputError(f"{path}: is empty: there is nothing to measure")
    return found


def read_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each object of a file and its place."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if not path.name.endswith(_KNOWN):
        raise InputError(f"{path}: is no .jsonl, .parquet or .txt file, packed or not")
    if ".parquet" in path.suffixes:
        yield from _parquet(path)
        return
    with unpacked(path) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            place = f"{path}:{number}"
            text = decoded(line, place)
            if not text.strip():
                continue
            if path.name.endswith(_LIST):
                yield place, {"text": text.strip()}
                continue
            try:
                fields = json.loads(text)
            except (ValueError, RecursionError):
                raise InputError(f"{place}: is not JSON: put one object on each line") from None
            if not isinstance(fields, dict):
                raise InputError(f"{place}: is no JSON object: put one on each line")
            yield place, fields


def _parquet(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet") from None
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(batch_size=_ROWS):
                for fields in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", fields
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: not Parquet: {' '.join(str(error).split())[:200]}") from None


def decoded(line: bytes, place: str) -> str:
    """A line as text, without a byte order mark."""
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{place}: is not UTF-8 text: convert it") from None


def _string(fields: Mapping[str, Any], name: str, place: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise InputError(f'{place}: has no string "{name}"')
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(f'{place}: "{name}" holds a lone surrogate: it is no Unicode') from None
    return value


def checked_id(value: Any, name: str, place: str) -> str:
    """An id as a string; numbers are ids too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise InputError(f'{place}: has no string "{name}"')
    return value
