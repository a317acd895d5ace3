"""The rows of the table: how vectors are kept, and how they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pumice.evaluate.embedder import Model


@dataclass(frozen=True)
class Storing:
    """How an index keeps vectors: what `pumice.Index` is given when it is made."""

    dim: int
    storage: Any = None
    """A pumice.Storage; None for plain float32."""
    needs_building: bool = False
    """Whether `Index.optimize` must run before it is so."""

    def arguments(self) -> dict[str, Any]:
        """Of pumice.Index."""
        given = {"dim": self.dim}
        return given if self.storage is None else {**given, "storage": self.storage}


@dataclass(frozen=True)
class Way:
    """How an index is asked."""

    label: str
    params: Any = None
    """A pumice.SearchParams; None for the engine's defaults."""
    mode: str = "dense"

    def arguments(self) -> dict[str, Any]:
        """Of Index.search."""
        given: dict[str, Any] = {} if self.mode == "dense" else {"mode": self.mode}
        return given if self.params is None else {**given, "params": self.params}


@dataclass(frozen=True)
class Row:
    """An index, and each way that it is asked."""

    storing: Storing
    ways: Sequence[Way]
    bytes_per_vector: float
    """That a search reads: what has to fit the memory."""


def rows_of(model: Model) -> list[Row]:
    """The usual table: float, codes, prefixes."""
    full = model.documents.dimensions
    rows = [Row(Storing(full), [Way(f"float32, {full} d")], 4.0 * full)]
    rows += [Row(Storing(dim), [Way(f"float32, {dim} d")], 4.0 * dim) for dim in model.prefixes]
    return rows
