"""Parquet: row groups decoded little by little, so that a large one never lies in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pumice.batch.arrow import arrow
from pumice.batch.inputs import Input
from pumice.batch.opening import opened
from pumice.batch.readers.columns import Columns, Piece
from pumice.batch.rows import Block, as_strings
from pumice.errors import InputError

_BATCH_BYTES = 8 << 20
# Also where a dictionary makes a column of long, repeated texts look small.
_BATCH_ROWS = 8192
_BUFFER = 1 << 20


@contextmanager
def _parquet(source: Input) -> Iterator[Any]:
    pq, pa = arrow("pyarrow.parquet"), arrow()
    with opened(source, random_access=True) as open_file:
        try:
            with pq.ParquetFile(open_file.file, buffer_size=_BUFFER, pre_buffer=False) as file:
                yield file
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            if getattr(error, "errno", None) is not None:
                raise
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"{source.location}: cannot be read as Parquet, truncated or damaged: {reason}"
            ) from None


def columns_in(source: Input) -> dict[str, Any]:
    """Top-level columns and their types."""
    with _parquet(source) as file:
        return {field.name: field.type for field in file.schema_arrow}


def pieces_of(source: Input, *, piece_bytes: int, piece_rows: int | None) -> list[Piece]:
    """Row groups in their order, put together while they stay within the bounds; at least one piece."""
    with _parquet(source) as file:
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        sizes = [(group.num_rows, group.total_byte_size) for group in groups]
    pieces, begin, first, rows, size = [], 0, 0, 0, 0
    for at, (more_rows, more_size) in enumerate(sizes):
        too_long = piece_rows is not None and rows + more_rows > piece_rows
        if at > begin and (too_long or size + more_size > piece_bytes):
            pieces.append(Piece(begin, at, first))
            begin, first, rows, size = at, first + rows, 0, 0
        rows, size = rows + more_rows, size + more_size
    return [*pieces, Piece(begin, len(sizes), first)]


def read_blocks(source: Input, columns: Columns, piece: Piece | None) -> Iterator[Block]:
    """Batches of about 8 MB."""
    with _parquet(source) as file:
        total = max(1, file.metadata.num_rows)
        end = file.metadata.num_row_groups if piece is None else piece.end
        begin, done = (0, 0) if piece is None else (piece.begin, piece.first_row)
        wanted = set(columns.names)
        for at in range(begin, end):
            group = file.metadata.row_group(at)
            chunks = map(group.column, range(group.num_columns))
            size = sum(
                c.total_uncompressed_size
                for c in chunks
                if c.path_in_schema.split(".")[0] in wanted
            )
            rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES * group.num_rows // max(1, size)))
            for batch in file.iter_batches(
                rows, row_groups=[at], columns=columns.names, use_threads=False
            ):
                done += len(batch)
                text = as_strings(batch[columns.text], place=source.location, name=columns.text)
                yield Block(text, tuple(batch[name] for name in columns.keep), done / total)
