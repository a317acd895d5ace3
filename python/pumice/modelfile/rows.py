"""How embedding rows are stored: float32, float16, or int8 and fewer bits with a scale per row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError, ModelFileError
from pumice.modelfile.packed_rows import BITS, are_packable, quantize_packed

ROW_DTYPES = ("float32", "float16", "int8", "int4", "int2", "int1")
"""In the order of pumice_row_type."""


MULTIPLIER_BITS = 15


def quantize_rows(rows: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows as int8 and a float32 scale per row, max|row| / 127; a row of zeros has scale 0.

    Scales are rounded up to whole numbers of a unit, so that ``to_multipliers`` holds them exactly.
    """
    rows = rows.astype(np.float32)
    scales = np.abs(rows).max(axis=1).astype(np.float64) / 127
    unit = unit_of(scales * (1 + 2.0**-14), bits=MULTIPLIER_BITS)  # with room to round up
    rounded: NDArray[np.float32] = (np.ceil(scales / unit) * unit).astype(np.float32)
    divisors = np.where(rounded > 0, rounded, np.float32(1))
    return np.rint(rows / divisors[:, None]).astype(np.int8), rounded


def unit_of(weights: NDArray[Any], *, bits: int) -> float:
    """The least power of two, down to 2^-99, of which every weight is less than 2^bits."""
    _, exponent = np.frexp(np.abs(weights).max(initial=0))
    return float(2.0 ** max(int(exponent) - bits, -99))


def to_multipliers(weights: NDArray[Any], *, fine: bool) -> tuple[NDArray[np.int16], float]:
    """Each token's weight as a whole number of units, shape (n,), and the unit.

    ``fine`` gives 30 bits instead of 15, shape (2 n,): the numbers div 2^15, then mod 2^15.
    """
    weights = weights.astype(np.float64)
    bits = 2 * MULTIPLIER_BITS if fine else MULTIPLIER_BITS
    unit, most = unit_of(weights, bits=bits), 2**bits - 1
    counts = np.clip(np.rint(weights / unit), -most, most).astype(np.int64)
    if not fine:
        return counts.astype(np.int16), unit
    halves = [counts >> MULTIPLIER_BITS, counts & (2**MULTIPLIER_BITS - 1)]
    return np.concatenate(halves).astype(np.int16), unit


def from_multipliers(multipliers: NDArray[np.int16], tokens: int) -> NDArray[np.int64]:
    """The whole numbers that ``to_multipliers`` stored."""
    counts = multipliers[:tokens].astype(np.int64)
    return (
        counts if len(multipliers) == tokens else (counts << MULTIPLIER_BITS) + multipliers[tokens:]
    )


def convert_rows(
    rows: NDArray[Any], scales: NDArray[Any] | None, *, dtype: str | None
) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    """Rows and scales in the storage ``dtype`` (None: as they are, wider floats as float32).

    Rows of 4, 2 and 1 bits are int8 too, odd numbers in their type's range.

    Raises InputError for an unknown dtype and ModelFileError for NaN, infinities, or values past
    float16's range.
    """
    if (
        rows.ndim != 2
        or rows.dtype.kind not in "fi"
        or (rows.dtype.kind == "i" and rows.itemsize > 1)
    ):
        raise ModelFileError(
            f"embeddings have shape {rows.shape} and dtype {rows.dtype}: "
            "expected two dimensions of float32, float16 or int8"
        )
    if dtype is not None and dtype not in ROW_DTYPES:
        raise InputError(f'dtype "{dtype}" is not one of {", ".join(ROW_DTYPES)}')
    if rows.dtype.kind == "f" and rows.itemsize > 4:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinity
            rows = rows.astype(np.float32)
    if rows.dtype.kind == "f" and not np.isfinite(rows).all():
        bad = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise ModelFileError(f"embeddings: row {bad} holds NaN or infinity: train or export again")
    if dtype is None:
        dtype = rows.dtype.name if rows.dtype.name in ROW_DTYPES else "float32"
    if dtype == rows.dtype.name:
        return rows, None if scales is None else scales.astype(np.float32)
    if dtype in BITS and scales is not None and are_packable(rows, dtype):
        return rows, scales.astype(np.float32)
    full = widen_rows(rows, scales)
    if dtype in BITS:
        return quantize_packed(full, dtype)
    if dtype == "int8":
        return quantize_rows(full)
    if dtype == "float16" and np.abs(full).max(initial=0) > np.finfo(np.float16).max:
        raise ModelFileError(
            "embeddings: values past 65504 do not fit float16: store float32 or int8"
        )
    return full.astype(dtype), None


def widen_rows(rows: NDArray[Any], scales: NDArray[Any] | None) -> NDArray[np.float32]:
    """Rows as float32, their scales multiplied in."""
    full = rows.astype(np.float32)
    return full if scales is None else full * scales.astype(np.float32)[:, None]


@dataclass(frozen=True)
class Factors:
    """What rows are multiplied by, and what a file says of it."""

    multipliers: NDArray[np.int16] | None
    """By token, in units; None: every one is 1, or rows are no integers."""
    unit: float
    weights: NDArray[Any] | None
    scales: NDArray[np.float32] | None


def int8_factors(
    weights: NDArray[Any] | None, scales: NDArray[np.float32] | None, rows: NDArray[Any] | None
) -> Factors:
    """Weight x scale in integers; with the weights and scales that this makes of the given ones.

    Whoever takes the table back so gets the vectors that the core gives. ``rows`` is each token's row where
    it is not its id.

    Rows that come as int8 without scales are another library's, whose vectors must be met to
    float32's accuracy: 30 bits. Rows with scales are rounded more coarsely than 15 bits are.
    """
    if scales is None:
        if weights is None:
            return Factors(None, 1.0, None, None)
        return Factors(*to_multipliers(weights, fine=True), weights, None)
    of_token = scales if rows is None else scales[rows]
    if weights is None:
        multipliers, unit = to_multipliers(of_token, fine=False)
        whole = (np.rint(scales / unit) * unit).astype(np.float32)
        return Factors(multipliers, unit, None, whole)
    multipliers, unit = to_multipliers(of_token.astype(np.float64) * weights, fine=False)
    divisors = np.where(of_token > 0, of_token, 1).astype(np.float64)
    given = (multipliers * unit / divisors).astype(np.float32)
    return Factors(multipliers, unit, given, scales)
