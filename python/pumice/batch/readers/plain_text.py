"""Plain text: a line is a row, an empty one too; its column is called "text"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pumice.batch.arrow import arrow
from pumice.batch.inputs import Input
from pumice.batch.opening import opened
from pumice.batch.readers.columns import Columns, Piece
from pumice.batch.readers.lines import line_blocks
from pumice.batch.rows import Block, as_strings

COLUMN = "text"


def columns_in(source: Input) -> dict[str, Any]:
    """The one column."""
    with opened(source):
        return {COLUMN: arrow().string()}


def read_blocks(source: Input, columns: Columns, piece: Piece | None) -> Iterator[Block]:
    """Lines without their ends, "\\n" or "\\r\\n"."""
    pa, pc = arrow(), arrow("pyarrow.compute")
    with opened(source) as open_file:
        for lines, fraction in line_blocks(source, open_file):
            split = pc.split_pattern(pa.array([lines[:-1]], pa.binary()), pattern=b"\n")
            text = as_strings(split.flatten(), place=source.location, name=COLUMN)
            if b"\r" in lines:
                text = pc.ascii_rtrim(text, "\r")
            yield Block(text, (text,) * len(columns.keep), fraction)
