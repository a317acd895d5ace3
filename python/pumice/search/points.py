"""Vectors and words with their payloads in columns, a row each: what is stored at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
from numpy import float32, int64, uint32
from numpy.typing import NDArray

PointId = int | UUID
Payload = dict[str, Any]


@dataclass(frozen=True)
class TermRows:
    """The words of many texts: row i is from offsets[i] to offsets[i + 1], each number once."""

    offsets: NDArray[int64]
    numbers: NDArray[uint32]
    weights: NDArray[float32]

    def __len__(self) -> int:
        """How many texts."""
        return len(self.offsets) - 1

    def take(self, rows: NDArray[int64]) -> TermRows:
        """Some of the rows, in this order."""
        begins, sizes = self.offsets[rows], np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        places = np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], sizes)
        return TermRows(offsets, self.numbers[places], self.weights[places])

    def run(self, first: int, end: int) -> TermRows:
        """The rows from `first` to `end`, as views."""
        offsets = self.offsets[first : end + 1]
        inside = slice(offsets[0], offsets[-1])
        return TermRows(offsets - offsets[0], self.numbers[inside], self.weights[inside])

    def views(self) -> Iterator[tuple[Sequence[int], Sequence[float]]]:
        """Numbers and weights of each row."""
        numbers, weights = self.numbers.data, self.weights.data
        bounds = self.offsets.tolist()
        return ((numbers[begin:end], weights[begin:end]) for begin, end in pairwise(bounds))


@dataclass(frozen=True)
class Points:
    """Ready to be stored: checked, finite, no vector zero. `dense` has shape (n, dim)."""

    ids: Sequence[PointId]
    dense: NDArray[float32]
    terms: TermRows | None
    payloads: Sequence[Payload]

    def __len__(self) -> int:
        """How many points."""
        return len(self.ids)

    def take(self, rows: Sequence[int]) -> Points:
        """Some of the points, in this order."""
        chosen = np.array(rows, dtype=int64)
        return Points(
            [self.ids[row] for row in rows],
            self.dense[chosen],
            None if self.terms is None else self.terms.take(chosen),
            [self.payloads[row] for row in rows],
        )


def slices(rows: NDArray[float32]) -> Iterator[Sequence[float]]:
    """The rows as memoryviews, which are made and read faster than lists and arrays."""
    count, size = rows.shape
    numbers = np.ascontiguousarray(rows).reshape(-1).data
    return (numbers[begin : begin + size] for begin in range(0, count * size, size))
