"""The rows of the table: how an index keeps vectors, and how it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pumice.evaluate.embedder import Model
from pumice.evaluate.memory import bytes_in_memory

Mode = Literal["dense", "sparse", "hybrid"]
RESCORED = 4.0
"""Candidates of the codes for each hit, where the vectors themselves decide."""


@dataclass(frozen=True)
class Storing:
    """What `pumice.Index` is given when it is made."""

    dim: int
    storage: Any
    """A pumice.Storage."""

    @property
    def is_built_later(self) -> bool:
        """Whether `Index.optimize` must run before vectors are kept so."""
        return bool(self.storage.coded_later or self.storage.m)


@dataclass(frozen=True)
class Way:
    """How an index is asked."""

    label: str
    mode: Mode = "dense"
    params: Any = None
    """A pumice.SearchParams; None for the index's own."""


@dataclass(frozen=True)
class Row:
    """An index, and each way that it is asked."""

    storing: Storing
    ways: Sequence[Way]
    bytes_per_vector: float | None
    """That a search reads: what has to fit the memory. None for words, whose number differs."""


def plain(dim: int, *, words: bool = False) -> Storing:
    """Float vectors without a graph: exact search."""
    from pumice import Storage

    return Storing(dim, Storage(sparse=words, m=0))


def rows_of(model: Model) -> list[Row]:
    """The usual table: float vectors, prefixes, codes, words, both."""
    from pumice import SearchParams, Storage

    full = model.documents.dimensions
    rows = [
        Row(plain(dim), [Way(f"float32, {dim} d")], 4.0 * dim) for dim in (full, *model.prefixes)
    ]

    def coded(label: str, *, rescored: bool = True, **how: Any) -> Row:
        ways = [Way(label, params=SearchParams(rescore=False))]
        if rescored:
            params = SearchParams(rescore=True, oversampling=RESCORED)
            ways.append(Way(f"{label}, rescored", params=params))
        storage = Storage(sparse=False, m=0, **how)
        return Row(Storing(full, storage), ways, bytes_in_memory(storage, dim=full))

    rows.append(coded("int8", quantize="int8"))
    rows.append(coded("binary", rescored=False, quantize="binary", query="binary"))
    rows.append(coded("binary, 8-bit query", quantize="binary", query="int8"))
    words = [Way("BM25", "sparse"), Way("hybrid", "hybrid")]
    rows.append(Row(plain(full, words=True), words, None))
    binary = Storing(full, Storage(m=0, quantize="binary", query="int8", oversampling=RESCORED))
    rows.append(Row(binary, [Way("hybrid over binary", "hybrid")], None))
    return rows
