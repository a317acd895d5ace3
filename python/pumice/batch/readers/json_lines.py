"""JSON Lines: blocks through Arrow's parser; one that it refuses line by line, to find the rows at fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from pumice.batch.arrow import arrow
from pumice.batch.inputs import Input
from pumice.batch.opening import opened
from pumice.batch.readers.columns import Columns, Piece
from pumice.batch.readers.lines import line_blocks
from pumice.batch.rows import GOOD, MALFORMED, NOT_STRING, NOT_UTF8, NULL, Block
from pumice.errors import InputError

_LOOKED_AT = 1000
_HEAD = 1 << 20


def columns_in(source: Input) -> dict[str, Any]:
    """Columns of the first 1,000 lines, with types that hold all of their values."""
    pa = arrow()
    with opened(source) as open_file:
        lines, _ = next(line_blocks(source, open_file, block=_HEAD), (b"", 0.0))
    found: dict[str, list[Any]] = {}
    for line in lines.splitlines()[:_LOOKED_AT]:
        fields, _ = _fields(line)
        for name, value in fields.items():
            found.setdefault(name, []).append(value)
    if not found:
        raise InputError(
            f"{source.location}: its first lines hold no JSON object: put one on each line"
        )
    return {name: _type_of(pa, values) for name, values in found.items()}


def read_blocks(source: Input, columns: Columns, piece: Piece | None) -> Iterator[Block]:
    """Lines that are not blank."""
    pa, pajson = arrow(), arrow("pyarrow.json")
    fields = dict(zip(columns.keep, columns.types, strict=True))
    fields[columns.text] = pa.string()
    schema = pa.schema(list(fields.items()))
    wanted = pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    rows = 0
    with opened(source) as open_file:
        for lines, fraction in line_blocks(source, open_file):
            if lines.isspace():
                continue
            try:
                table = pajson.read_json(
                    pa.BufferReader(lines),
                    read_options=pajson.ReadOptions(use_threads=False, block_size=len(lines) + 1),
                    parse_options=wanted,
                )
                found = [
                    Block(batch[columns.text], tuple(batch[n] for n in columns.keep), fraction)
                    for batch in table.select(list(fields)).to_batches()
                ]
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                found = [_line_by_line(lines, columns, f"{source.location}: row", rows, fraction)]
            rows += sum(len(block.text) for block in found)
            yield from found


def _line_by_line(
    lines: bytes, columns: Columns, place: str, before: int, fraction: float
) -> Block:
    pa = arrow()
    texts: list[str | None] = []
    faults: list[int] = []
    kept: list[list[Any]] = [[] for _ in columns.keep]
    for line in lines.split(b"\n"):
        if not line or line.isspace():
            continue
        fields, fault = _fields(line)
        text = fields.get(columns.text)
        if fault == GOOD and text is None:
            fault = NULL
        elif fault == GOOD and not isinstance(text, str):
            fault = NOT_STRING
        elif fault == GOOD and not _is_utf8(text):
            fault = NOT_UTF8
        texts.append(text if fault == GOOD else None)
        faults.append(fault)
        for values, name in zip(kept, columns.keep, strict=True):
            values.append(fields.get(name))
    arrays = [
        _typed(values, kind, name, place, before)
        for values, kind, name in zip(kept, columns.types, columns.keep, strict=True)
    ]
    return Block(pa.array(texts, pa.string()), tuple(arrays), fraction, np.array(faults, np.uint8))


def _fields(line: bytes) -> tuple[dict[str, Any], int]:
    try:
        fields = json.loads(line.decode())
    except UnicodeDecodeError:
        return {}, NOT_UTF8
    except (ValueError, RecursionError):
        return {}, MALFORMED
    return (fields, GOOD) if isinstance(fields, dict) else ({}, MALFORMED)


def _is_utf8(text: Any) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _type_of(pa: Any, values: list[Any]) -> Any:
    try:
        kind = pa.array(values).type
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
        pa.ArrowNotImplementedError,
        OverflowError,
        ValueError,
    ):
        return None  # mixed: no reason to complain unless somebody wants to keep it
    return pa.string() if pa.types.is_null(kind) else kind


def _typed(values: list[Any], kind: Any, name: str, place: str, before: int) -> Any:
    """The values as the column's type; InputError names the row of the first that is none."""
    pa = arrow()
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError):
        for at, value in enumerate(values):
            try:
                pa.array([value], kind)
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError):
                raise InputError(
                    f'{place} {before + at + 1}: "{name}" is {json.dumps(value)[:60]}, where the first rows '
                    f"have {kind}: keep other columns, or write it in one type"
                ) from None
        raise
