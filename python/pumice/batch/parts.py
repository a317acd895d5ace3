"""Files of output, filled chunk after chunk: Parquet with a row group a chunk, Lance, or one .npy array."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from pumice.batch.arrow import arrow
from pumice.batch.options import EncodeOptions
from pumice.batch.rows import has_lengths

SUFFIXES = {"parquet": ".parquet", "npy": ".npy", "lance": ".lance"}
_NPY_HEADER = 128


class PartWriter(Protocol):
    """Takes a part's chunks in their order."""

    def write(
        self, kept: Sequence[Any], vectors: NDArray[Any], bad: NDArray[np.bool_] | None
    ) -> None:
        """Add rows: columns of the kept ones, and their vectors."""

    def close(self) -> None:
        """Complete the file."""


class ParquetPart:
    """Parquet. Vectors are stored as they are: they do not compress; kept columns are packed by Zstandard.

    Columns of strings are tried with a dictionary first. Of numbers, ids for the most part, it takes as long to
    make as all else that is written of them, and a larger file.
    """

    def __init__(self, path: Path, schema: Any, *, vectors: str) -> None:
        from pumice.batch.vectors import as_column

        self._as_column = as_column
        self._schema = schema
        self._vectors = vectors
        kept = [name for name in schema.names if name != vectors]
        compression = dict.fromkeys(kept, "zstd")
        self._file = arrow("pyarrow.parquet").ParquetWriter(
            str(path),
            schema,
            compression={**compression, **_leaves(schema, vectors, "none")},
            use_dictionary=[name for name in kept if _is_text(schema.field(name).type)] or False,
            write_statistics=kept or False,
        )

    def write(
        self, kept: Sequence[Any], vectors: NDArray[Any], bad: NDArray[np.bool_] | None
    ) -> None:
        """One row group."""
        column = self._as_column(vectors, self._schema.field(self._vectors).type, bad)
        table = arrow().Table.from_arrays([*kept, column], schema=self._schema)
        self._file.write_table(table, row_group_size=max(1, len(table)))

    def close(self) -> None:
        """The footer."""
        self._file.close()


def _leaves(schema: Any, column: str, value: str) -> dict[str, str]:
    kind = schema.field(column).type
    types = arrow().types
    nested = types.is_list(kind) or types.is_fixed_size_list(kind)
    return {f"{column}.list.element" if nested else column: value}


def _is_text(kind: Any) -> bool:
    types = arrow().types
    return bool(types.is_dictionary(kind) or has_lengths(kind) or types.is_string_view(kind))


class NpyPart:
    """One array of shape (n, width). A bad row's vector is zeros."""

    def __init__(self, path: Path, *, width: int, dtype: np.dtype[Any]) -> None:
        self._width, self._dtype, self._rows = width, dtype, 0
        self._file: BinaryIO = path.open("wb")
        self._file.write(self._header())

    def write(
        self, kept: Sequence[Any], vectors: NDArray[Any], bad: NDArray[np.bool_] | None
    ) -> None:
        """Rows as they are."""
        self._file.write(vectors.data)
        self._rows += len(vectors)

    def close(self) -> None:
        """How many there are is known now."""
        self._file.seek(0)
        self._file.write(self._header())
        self._file.close()

    def _header(self) -> bytes:
        about = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._rows, self._width),
        }
        text = repr(about).encode().ljust(_NPY_HEADER - 11) + b"\n"
        return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def new_part(path: Path, options: EncodeOptions, schema: Any, *, width: int) -> PartWriter:
    """An empty file of output."""
    if options.format == "npy":
        dtype = np.dtype("uint8" if options.dtype == "binary" else options.dtype)
        return NpyPart(path, width=width, dtype=dtype)
    if options.format == "lance":
        from pumice.batch.lance_dataset import LancePart

        return LancePart(path, schema, vectors=options.column)
    return ParquetPart(path, schema, vectors=options.column)
