"""Readers, a format each: what columns a file has, and its rows, block after block."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from pumice.batch.inputs import Input, told
from pumice.batch.readers.columns import Columns, Piece
from pumice.batch.rows import Block

__all__ = ["Columns", "Piece", "columns_in", "pieces_of", "read_blocks"]

_MODULES = {
    "parquet": "parquet",
    "arrow": "arrow_ipc",
    "jsonl": "json_lines",
    "csv": "delimited",
    "tsv": "delimited",
    "text": "plain_text",
}


def _reader(source: Input) -> Any:
    return import_module(f"pumice.batch.readers.{_MODULES[source.format]}")


def columns_in(source: Input) -> dict[str, Any]:
    """The columns of a file and their Arrow types."""
    with told(source.location):
        found: dict[str, Any] = _reader(source).columns_in(source)
        return found


def pieces_of(source: Input, *, piece_bytes: int, piece_rows: int | None) -> list[Piece] | None:
    """Pieces that can be read one by one, a file of output each; None for a file that is read as it comes."""
    if source.format != "parquet":
        return None
    with told(source.location):
        pieces: list[Piece] = _reader(source).pieces_of(
            source, piece_bytes=piece_bytes, piece_rows=piece_rows
        )
        return pieces


def read_blocks(source: Input, columns: Columns, piece: Piece | None = None) -> Iterator[Block]:
    """The rows of a file, or of a piece of it, in their order; never all at once."""
    with told(source.location):
        yield from _reader(source).read_blocks(source, columns, piece)
