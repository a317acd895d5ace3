"""Rows on their way in: which have a text that can be encoded, and what becomes of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.batch.arrow import arrow
from pumice.errors import InputError

GOOD, NULL, NOT_UTF8, NOT_STRING, MALFORMED = range(5)
FAULTS = {
    NULL: "null",
    NOT_UTF8: "not UTF-8",
    NOT_STRING: "not a string",
    MALFORMED: "not a row",
}


@dataclass(frozen=True)
class Block:
    """Some rows as a reader found them: texts, kept columns, and a fault for each row where it saw any."""

    text: Any  # an Arrow array
    kept: tuple[Any, ...]
    fraction: float
    faults: NDArray[np.uint8] | None = None
    malformed: int = 0
    """Rows that are not even here, because their file's format has no way to hold them."""


@dataclass(frozen=True)
class Rows:
    """Rows whose faults are known; ``weights`` are their bytes, which decide where files are cut."""

    text: Any
    kept: tuple[Any, ...]
    faults: NDArray[np.uint8] | None
    sizes: NDArray[np.int64]
    """Bytes of each text."""
    weights: NDArray[np.int64]
    """Bytes of each row's text and kept strings."""
    fraction: float

    @classmethod
    def of(cls, block: Block) -> Rows:
        """A block, looked through for nulls and for texts that are not UTF-8."""
        sizes = weights = lengths_of(block.text)
        for column in block.kept:
            if has_lengths(column.type):
                weights = weights + lengths_of(column)
        return cls(block.text, block.kept, faults_of(block), sizes, weights, block.fraction)

    def __len__(self) -> int:
        """How many rows."""
        return len(self.text)

    def slice(self, start: int, length: int | None = None) -> Rows:
        """Some of the rows, not copied."""
        stop = len(self) if length is None else start + length
        return Rows(
            self.text.slice(start, stop - start),
            tuple(column.slice(start, stop - start) for column in self.kept),
            None if self.faults is None else self.faults[start:stop],
            self.sizes[start:stop],
            self.weights[start:stop],
            self.fraction,
        )

    def without_bad(self) -> Rows:
        """The good rows."""
        if self.faults is None or not self.faults.any():
            return self
        good = self.faults == GOOD
        mask = arrow().array(good)
        return Rows(
            self.text.filter(mask),
            tuple(column.filter(mask) for column in self.kept),
            None,
            self.sizes[good],
            self.weights[good],
            self.fraction,
        )

    def with_bad_emptied(self) -> Rows:
        """All rows, a bad one's text replaced by an empty one."""
        if self.faults is None or not self.faults.any():
            return self
        pa, pc = arrow(), arrow("pyarrow.compute")
        text = self.text
        if pa.types.is_string_view(text.type):
            text = text.cast(pa.large_string())
        text = pc.if_else(pa.array(self.faults > GOOD), pa.scalar("", text.type), text)
        return replace(self, text=text)


def as_strings(column: Any, *, place: str, name: str) -> Any:
    """The column as a string type of Arrow, not yet checked for UTF-8; InputError for other types."""
    pa = arrow()
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column
    if pa.types.is_binary(kind):
        return column.view(pa.string())
    if pa.types.is_large_binary(kind):
        return column.view(pa.large_string())
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    raise InputError(
        f'{place}: column "{name}" is {kind}, not text: name a column of strings (--text)'
    )


def check_text_type(kind: Any, *, place: str, name: str) -> None:
    """InputError unless a column of this type can be read as text."""
    as_strings(arrow().nulls(0, type=kind), place=place, name=name)


def faults_of(block: Block) -> NDArray[np.uint8] | None:
    """A fault for every row; None where all are good."""
    faults = block.faults
    if block.text.null_count:
        nulls = block.text.is_null().to_numpy(zero_copy_only=False)
        faults = np.zeros(len(nulls), np.uint8) if faults is None else faults
        faults = np.where((faults == GOOD) & nulls, NULL, faults).astype(np.uint8)
    try:
        block.text.validate(full=True)
    except arrow().ArrowInvalid:
        wrong = np.fromiter(map(_is_not_utf8, _as_bytes(block.text)), bool, count=len(block.text))
        faults = np.zeros(len(wrong), np.uint8) if faults is None else faults
        faults = np.where((faults == GOOD) & wrong, NOT_UTF8, faults).astype(np.uint8)
    return faults if faults is not None and faults.any() else None


def _as_bytes(text: Any) -> list[bytes | None]:
    pa = arrow()
    if pa.types.is_string(text.type):
        found = text.view(pa.binary())
    elif pa.types.is_large_string(text.type):
        found = text.view(pa.large_binary())
    else:
        found = text.cast(pa.binary())
    listed: list[bytes | None] = found.to_pylist()
    return listed


def _is_not_utf8(text: bytes | None) -> bool:
    if text is None:
        return False
    try:
        text.decode()
    except UnicodeDecodeError:
        return True
    return False


def has_lengths(kind: Any) -> bool:
    """Whether `lengths_of` reads the type's offsets."""
    types = arrow().types
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
    )


def lengths_of(column: Any) -> NDArray[np.int64]:
    """Bytes of each value of a string or binary column, 0 for a null; ArrowInvalid if offsets go backwards."""
    pa = arrow()
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    if not len(column):
        return np.zeros(0, np.int64)
    # From the offsets themselves: Arrow's own ways to a numpy array import pandas, where it is installed.
    wide = pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type)
    kind = np.dtype(np.int64 if wide else np.int32)
    ends = np.frombuffer(
        column.buffers()[1], kind, count=len(column) + 1, offset=column.offset * kind.itemsize
    )
    if (ends[1:] < ends[:-1]).any():  # their differences may overflow
        raise pa.ArrowInvalid("its offsets go backwards")
    lengths = np.diff(ends).astype(np.int64, copy=False)
    if column.null_count:
        lengths = np.where(column.is_null().to_numpy(zero_copy_only=False), 0, lengths)
    return lengths
