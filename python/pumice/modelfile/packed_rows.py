"""Rows of 4, 2 or 1 bits a value: odd whole numbers times a scale per row, several in a byte."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BITS = {"int4": 4, "int2": 2, "int1": 1}
"""Of each type."""
_STEPS = {"int4": (0.12, 0.25, 12), "int2": (0.40, 0.70, 8), "int1": (0.80, 0.80, 1)}
"""Half the distance between values that is tried, of the row's root mean square: least, most, how many.

For normal values 0.168 and 0.498 are best at 4 and 2 bits (Max 1960); rows have longer tails."""
_ROWS = 2048


def quantize_packed(rows: NDArray[Any], dtype: str) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Odd whole numbers, int8, and a scale for each row, float32: those that lose the least.

    The scale is the least squares' for its numbers: one made of the largest value, as int8 rows have it,
    loses up to twice as much. A row of zeros has scale 0.
    """
    codes, scales = np.empty(rows.shape, np.int8), np.empty(len(rows), np.float32)
    for low in range(0, len(rows), _ROWS):
        part = slice(low, low + _ROWS)
        codes[part], scales[part] = _quantized(rows[part].astype(np.float32), dtype)
    return codes, scales


def _quantized(
    rows: NDArray[np.float32], dtype: str
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    largest = 2 ** BITS[dtype] - 1
    # Of a row so small that squares vanish nothing is left; nothing overflows in float64.
    deviation = np.sqrt(np.square(rows, dtype=np.float64).mean(axis=1)).astype(np.float32)
    deviation[deviation == 0] = 1
    best = np.full(len(rows), -1.0, np.float32)
    codes = np.ones(rows.shape, np.int8)
    scales = np.zeros(len(rows), np.float32)
    normal = rows / deviation[:, None]
    least, most, count = _STEPS[dtype]
    for first in np.linspace(least, most, count, dtype=np.float32):
        steps = np.full((len(rows), 1), first)
        for _ in range(
            2
        ):  # the second time with the scale of the first, as Lloyd's algorithm has it
            tried = np.clip(2 * np.floor(normal / (2 * steps)) + 1, -largest, largest)
            products = np.einsum("rd,rd->r", tried, normal)
            squares = np.einsum("rd,rd->r", tried, tried)
            scale = products / squares
            gained = products * scale  # how much less than its own squares the row's error is
            better = gained > best
            best[better], scales[better] = gained[better], scale[better]
            codes[better] = tried[better].astype(np.int8)
            steps = np.where(scale > 0, scale, first)[:, None]
    scales = np.maximum(scales * deviation, 0)
    scales[~rows.any(axis=1)] = 0
    return codes, scales


def are_packable(rows: NDArray[Any], dtype: str) -> bool:
    """Whether these are numbers that the type has, so that nothing is to be rounded."""
    largest = 2 ** BITS[dtype] - 1
    return rows.dtype == np.int8 and bool((rows & 1).all() and (np.abs(rows) <= largest).all())


def packed(codes: NDArray[np.int8], dtype: str) -> bytes:
    """The bytes of the rows, each begun anew; unused bits are 0."""
    bits = BITS[dtype]
    each = 8 // bits
    stored = ((codes.astype(np.int16) + 2**bits - 1) // 2).astype(np.uint8)
    width = -(-codes.shape[1] // each)
    padded = np.zeros((len(codes), width * each), np.uint8)
    padded[:, : codes.shape[1]] = stored
    out = np.zeros((len(codes), width), np.uint8)
    for place in range(each):
        out |= padded[:, place::each] << np.uint8(place * bits)
    return out.tobytes()


def unpacked(section: memoryview, dtype: str, *, rows: int, dim: int) -> NDArray[np.int8]:
    """What `packed` was given, shape (rows, dim)."""
    return unpacked_rows(np.frombuffer(section, np.uint8).reshape(rows, -1), dtype, dim=dim)


def unpacked_rows(packed_rows: NDArray[np.uint8], dtype: str, *, dim: int) -> NDArray[np.int8]:
    """The numbers of rows of bytes, shape (n, dim)."""
    bits = BITS[dtype]
    each = 8 // bits
    values = np.empty((len(packed_rows), packed_rows.shape[1] * each), np.int8)
    for place in range(each):
        code = packed_rows >> np.uint8(place * bits) & np.uint8(2**bits - 1)
        values[:, place::each] = 2 * code.astype(np.int8) - (2**bits - 1)
    return values[:, :dim]
