"""Arrow's own files (Feather is another name for them) and streams, record batch after record batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pumice.batch.arrow import arrow
from pumice.batch.inputs import Input
from pumice.batch.opening import opened
from pumice.batch.readers.columns import Columns, Piece
from pumice.batch.rows import Block, as_strings, has_lengths, lengths_of
from pumice.errors import InputError

_FILE_MAGIC = b"ARROW1"
_ROWS = 65_536


@contextmanager
def _batches(
    source: Input, names: list[str] | None
) -> Iterator[tuple[Any, Iterator[tuple[Any, float]]]]:
    """The schema, and batches of the named columns with how far they are."""
    pa, ipc = arrow(), arrow("pyarrow.ipc")
    with opened(source, random_access=True) as open_file:
        file = open_file.file
        try:
            is_file = file.read(len(_FILE_MAGIC)) == _FILE_MAGIC
            file.seek(0)
            reader = ipc.open_file(file) if is_file else ipc.open_stream(file)
            schema = reader.schema
            if names is None:
                yield schema, iter(())
                return
            if is_file:
                options = ipc.IpcReadOptions(
                    included_fields=[schema.get_field_index(n) for n in names]
                )
                reader = ipc.open_file(file, options=options)
                count = reader.num_record_batches
                yield schema, ((reader.get_batch(i), (i + 1) / count) for i in range(count))
            else:
                yield schema, ((batch, open_file.fraction()) for batch in reader)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            if getattr(error, "errno", None) is not None:
                raise
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"{source.location}: cannot be read as Arrow, truncated or damaged: {reason}"
            ) from None


def columns_in(source: Input) -> dict[str, Any]:
    """Top-level columns and their types."""
    with _batches(source, None) as (schema, _):
        return {field.name: field.type for field in schema}


def read_blocks(source: Input, columns: Columns, piece: Piece | None) -> Iterator[Block]:
    """Slices of the file's record batches."""
    with _batches(source, columns.names) as (_, batches):
        for whole, fraction in batches:
            for column in whole.columns:
                _check(column)
            for start in range(0, len(whole), _ROWS):
                batch = whole.slice(start, _ROWS)
                text = as_strings(batch[columns.text], place=source.location, name=columns.text)
                yield Block(text, tuple(batch[name] for name in columns.keep), fraction)


def _check(column: Any) -> None:
    """ArrowInvalid for offsets that point outside: unlike Parquet, such a file is mapped as it is.

    Strings that are not UTF-8 pass: they are bad rows.
    """
    column.validate()
    if arrow().types.is_dictionary(column.type):
        _check_indices(column)
        _check(column.dictionary)
        return
    if has_lengths(column.type):
        lengths_of(column)
        return
    try:
        column.validate(full=True)
    except arrow().ArrowInvalid as error:
        if not (arrow().types.is_string_view(column.type) and "UTF8" in str(error)):
            raise


def _check_indices(column: Any) -> None:
    bounds = arrow("pyarrow.compute").min_max(column.indices)
    least, most = bounds["min"].as_py(), bounds["max"].as_py()
    if least is not None and not 0 <= least <= most < len(column.dictionary):
        raise arrow().ArrowInvalid("its indices point outside its dictionary")
