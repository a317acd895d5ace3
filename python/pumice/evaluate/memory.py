"""Bytes that a search reads for each vector, by how an index keeps them, as Qdrant Edge 0.9 lays them out."""

from __future__ import annotations

from math import ceil
from typing import Any

_DATATYPE_BYTES = {"float32": 4, "float16": 2, "uint8": 1}
_SCALAR_OFFSET, _TURBO_SCALE = 4, 8
_BINARY_WORD = 16  # bytes that a vector's bits are padded to
_LINK_BYTES = 4


def bytes_in_memory(storage: Any, *, dim: int) -> float:
    """What has to fit the memory for a search to be fast: codes or vectors of what is scanned, and the graph.

    Vectors that only rescore are read from the disk, a few for each query, unless they are kept in memory.
    """
    first = storage.stages[0] if storage.stages else dim
    size = code_bytes(storage.quantize, first)
    if size is None:
        size = _DATATYPE_BYTES[storage.datatype] * first
    if storage.originals == "memory":
        size += bytes_on_disk(storage, dim=dim)
    return size + graph_bytes(storage.m)


def bytes_on_disk(storage: Any, *, dim: int) -> float:
    """The vectors themselves, all stages, without the codes and the texts."""
    return float(_DATATYPE_BYTES[storage.datatype] * (dim + sum(storage.stages)))


def code_bytes(quantize: str | None, dim: int) -> float | None:
    """Of one vector's codes; None where there are none."""
    kind, _, number = (quantize or "").partition("-")
    if kind == "int8":
        return dim + _SCALAR_OFFSET
    if kind == "binary":
        return _BINARY_WORD * ceil(dim * float(number or 1) / 8 / _BINARY_WORD)
    if kind == "turbo":
        return dim * float(number) / 8 + _TURBO_SCALE
    if kind == "product":
        return 4 * dim / float(number)
    return None


def graph_bytes(m: int) -> float:
    """At most: 2 m links of 4 bytes on the lowest level, where nearly all of them are; Edge packs them."""
    return 2.0 * m * _LINK_BYTES
