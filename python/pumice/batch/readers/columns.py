"""What is wanted of a file: the text column, the kept ones with their types, and perhaps a piece of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Columns:
    """Names, and the Arrow types that every file must have for the kept ones."""

    text: str
    keep: tuple[str, ...] = ()
    types: tuple[Any, ...] = ()

    @property
    def names(self) -> list[str]:
        """All of them, each once."""
        return list(dict.fromkeys((self.text, *self.keep)))


@dataclass(frozen=True)
class Piece:
    """Row groups ``begin`` to ``end`` of a Parquet file, and its row that they begin with."""

    begin: int
    end: int
    first_row: int
