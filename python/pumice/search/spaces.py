"""The vector spaces of an index: the vectors, their Matryoshka stages, and the words beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from pumice.search.points import slices
from pumice.search.storage import Storage

DENSE = "dense"
SPARSE = "sparse"
# The engine's uint8 vectors hold 0 to 255 and nothing else. A unit vector's numbers are spread by this
# many standard deviations (1 / sqrt(size)) over them; beyond, they are cut. Distances are Euclidean,
# because 128 is zero: |x - y|^2 = 2 - 2 cos for unit vectors, wherever zero is.
_UINT8_DEVIATIONS = 4.0
_UINT8_ZERO = 128


@dataclass(frozen=True)
class Space:
    """One dense vector of every point: the whole of it, or a prefix."""

    name: str
    size: int
    datatype: str
    on_disk: bool
    quantize: str | None
    query: str
    codes_in_memory: bool
    m: int
    ef_construct: int

    @property
    def distance(self) -> str:
        """`cosine`, or `euclid` between uint8 vectors."""
        return "euclid" if self.datatype == "uint8" else "cosine"

    def stored(self, vector: NDArray[float32]) -> list[float]:
        """What the engine is given for a vector of all dimensions."""
        part = vector[: self.size]
        if self.datatype == "uint8":
            norm = float(np.linalg.norm(part)) or 1.0
            part = np.clip(np.rint(part * (self._scale / norm)) + _UINT8_ZERO, 0, 255)
        numbers: list[float] = part.tolist()
        return numbers

    def stored_rows(self, vectors: NDArray[float32]) -> Iterator[Sequence[float]]:
        """`stored` of each row."""
        if self.datatype != "uint8":
            return slices(vectors[:, : self.size])
        return (self.stored(vector) for vector in vectors)

    def cosine(self, score: float) -> float:
        """The cosine that a score of the engine stands for."""
        if self.datatype != "uint8":
            return score
        return 1 - (score / self._scale) ** 2 / 2

    @property
    def _scale(self) -> float:
        return _UINT8_ZERO * float(np.sqrt(self.size)) / _UINT8_DEVIATIONS


def dense_spaces(storage: Storage, *, dim: int) -> list[Space]:
    """The spaces from the shortest stage to the whole vector.

    Only the first is scanned, so it alone has codes and a graph; the others are read by id.
    """
    sizes = [*storage.stages, dim]
    staged = len(sizes) > 1
    return [
        Space(
            name=space_name(size, dim=dim),
            size=size,
            datatype=storage.datatype,
            # A stage that is scanned and has no codes is what must lie in memory.
            on_disk=storage.originals == "disk" and not (staged and first and not storage.quantize),
            quantize=storage.quantize if first else None,
            query=storage.query or "int8",
            codes_in_memory=storage.codes == "memory",
            m=storage.m if first else 0,
            ef_construct=storage.ef_construct,
        )
        for size, first in zip(sizes, [True] + [False] * len(storage.stages), strict=True)
    ]


def space_name(size: int, *, dim: int) -> str:
    """`dense`, or `dense-64` for a prefix of 64."""
    return DENSE if size == dim else f"{DENSE}-{size}"
