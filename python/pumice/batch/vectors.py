"""Vectors as an Arrow column: the encoder's own memory, in the layout that was asked for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.batch.arrow import arrow
from pumice.batch.options import EncodeOptions


def column_type(options: EncodeOptions, *, width: int) -> Any:
    """What a column of vectors of ``width`` numbers, or bytes, is in Parquet.

    A list has a fixed size; where rows may be null it has not, because Arrow writes null lists of fixed size
    to Parquet and then cannot read them.
    """
    pa = arrow()
    numbers = np.dtype("uint8" if options.dtype == "binary" else options.dtype)
    if options.vector_layout == "bytes":
        return pa.binary(width * numbers.itemsize)
    element = pa.field("element", pa.from_numpy_dtype(numbers), nullable=False)
    if options.on_error == "null" and options.format == "parquet":
        return pa.list_(element)
    return pa.list_(element, width)


def as_column(vectors: NDArray[Any], kind: Any, bad: NDArray[np.bool_] | None) -> Any:
    """(n, width) vectors as a column of the type, not copied; null where bad."""
    pa = arrow()
    count, width = vectors.shape
    validity, nulls = None, 0
    if bad is not None:
        validity = pa.py_buffer(np.packbits(~bad, bitorder="little"))
        nulls = int(bad.sum())
    if pa.types.is_fixed_size_binary(kind):
        buffers = [validity, pa.py_buffer(vectors)]
        return pa.Array.from_buffers(kind, count, buffers, null_count=nulls)
    values = pa.Array.from_buffers(
        kind.value_type, count * width, [None, pa.py_buffer(vectors)], null_count=0
    )
    if pa.types.is_fixed_size_list(kind):
        return pa.Array.from_buffers(kind, count, [validity], null_count=nulls, children=[values])
    lengths = np.full(count, width, np.int32) if bad is None else np.where(bad, 0, width)
    if bad is not None:
        values = values.filter(pa.array(np.repeat(~bad, width)))
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    buffers = [validity, pa.py_buffer(offsets)]
    return pa.Array.from_buffers(kind, count, buffers, null_count=nulls, children=[values])


def field_of(options: EncodeOptions, kind: Any, about: dict[str, Any]) -> Any:
    """The vectors' field: what made them goes along with it."""
    told = {"pumice": json.dumps(about, sort_keys=True)}
    return arrow().field(options.column, kind, metadata=told)
