"""CSV and TSV with a header. Every column is text, kept ones too: the format has no types."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from pumice.batch.arrow import arrow
from pumice.batch.inputs import Input
from pumice.batch.opening import opened
from pumice.batch.readers.columns import Columns, Piece
from pumice.batch.rows import Block
from pumice.errors import InputError

_HEADER = 1 << 20
_BLOCK = 8 << 20


def columns_in(source: Input) -> dict[str, Any]:
    """What the first line names."""
    with opened(source) as open_file:
        head = open_file.file.read(_HEADER).decode("utf-8-sig", "replace")
    try:
        names = next(csv.reader(io.StringIO(head), delimiter=_delimiter(source)), [])
    except csv.Error as error:
        raise InputError(f"{source.location}: its header is not CSV: {error}") from None
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f'{source.location}: its header names "{twice}" twice: rename one')
    return dict.fromkeys(names, arrow().string())


def read_blocks(source: Input, columns: Columns, piece: Piece | None) -> Iterator[Block]:
    """Rows whose number of fields is the header's; the others are told as malformed."""
    pa, pacsv = arrow(), arrow("pyarrow.csv")
    malformed: list[Any] = []

    def leave_out(row: Any) -> str:
        malformed.append(row.actual_columns)
        return "skip"

    with opened(source) as open_file:
        try:
            reader = pacsv.open_csv(
                open_file.file,
                read_options=pacsv.ReadOptions(use_threads=False, block_size=_BLOCK),
                parse_options=pacsv.ParseOptions(
                    delimiter=_delimiter(source),
                    newlines_in_values=True,
                    invalid_row_handler=leave_out,
                ),
                convert_options=pacsv.ConvertOptions(
                    include_columns=columns.names,
                    column_types=dict.fromkeys(columns.names, pa.string()),
                    check_utf8=False,
                    strings_can_be_null=False,
                ),
            )
            for batch in reader:
                kept = tuple(batch[name] for name in columns.keep)
                wrong = len(malformed)
                malformed.clear()
                yield Block(batch[columns.text], kept, open_file.fraction(), malformed=wrong)
        except pa.ArrowInvalid as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{source.location}: cannot be read as CSV: {reason}") from None


def _delimiter(source: Input) -> str:
    return "\t" if source.format == "tsv" else ","
