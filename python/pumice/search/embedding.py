"""Texts on their way into an index: their vectors, checked, and their words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import bool_, float32
from numpy.typing import NDArray

from pumice.errors import InputError, SearchIndexError
from pumice.search.bm25 import Words
from pumice.search.home import Query
from pumice.search.points import TermRows
from pumice.search.search_params import MODES
from pumice.search.spelling import is_spelled


@dataclass(frozen=True)
class Embedded:
    """What is stored of texts, a row each."""

    dense: NDArray[float32]
    terms: TermRows | None
    known: NDArray[bool_]
    """Whether the vector is not zero: the model knows a token of the text."""

    def of_known(self) -> Embedded:
        """What is stored: the rows of texts that have a vector."""
        if self.known.all():
            return self
        rows = np.flatnonzero(self.known)
        terms = self.terms.take(rows) if self.terms is not None else None
        return Embedded(self.dense[rows], terms, self.known[rows])

    def parts(self, sizes: Sequence[int]) -> list[Embedded]:
        """The rows in runs of these sizes, as views."""
        ends = np.cumsum(sizes).tolist()
        return [
            Embedded(
                self.dense[end - size : end],
                None if self.terms is None else self.terms.run(end - size, end),
                self.known[end - size : end],
            )
            for size, end in zip(sizes, ends, strict=True)
        ]


class Embedding:
    """One model, at one of its dimensions, with or without words."""

    def __init__(self, model: Any, *, dim: int, words: bool) -> None:
        self._model = model
        self._dim = dim
        self._words = Words() if words else None

    def documents(
        self, texts: Sequence[str], *, vectors: NDArray[float32] | None = None
    ) -> Embedded:
        """Of each text."""
        if vectors is None:  # the two sides of a model may differ
            encode = getattr(self._model, "encode_documents", self._model.encode)
            vectors = self._encoded(texts, encode)
        terms = self._words.documents(texts) if self._words is not None else None
        return Embedded(vectors, terms, _not_zero(vectors))

    def queries(
        self, texts: Sequence[str], *, vectors: NDArray[float32] | None, mode: str | None
    ) -> list[Query | None]:
        """Of each question; None for one with neither a vector nor a word."""
        for at, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(f"queries[{at}] is a {type(text).__name__}: give a str")
        if mode is not None and mode not in MODES:
            raise InputError(f"mode is {mode!r}: it is one of {', '.join(MODES)}")
        if mode in ("sparse", "hybrid") and self._words is None:
            raise InputError(
                f"mode is {mode!r}: this index keeps no words; index again with "
                "Storage(sparse=True), or search with mode='dense'"
            )
        dense: Any = [None] * len(texts)
        if mode != "sparse":
            rows = self._encoded(texts, self._model.encode) if vectors is None else vectors
            dense = [row if row.any() else None for row in rows]
        words = self._words if mode != "dense" else None
        terms = [words.query(text) if words is not None else None for text in texts]
        kept = [one if one is not None and len(one.numbers) else None for one in terms]
        for at, text in enumerate(texts):
            if dense[at] is not None and kept[at] is not None and is_spelled(self._model, text):
                dense[at] = None
        return [
            Query(vector, one) if vector is not None or one is not None else None
            for vector, one in zip(dense, kept, strict=True)
        ]

    def checked(self, vectors: Any, *, count: int) -> NDArray[float32]:
        """The caller's own vectors, float32; InputError for another shape, NaN or infinity."""
        given = np.asarray(vectors)
        if given.dtype.kind != "f" or given.shape != (count, self._dim):
            raise InputError(
                f"vectors is {given.dtype} of shape {given.shape}: give floats of shape "
                f"({count}, {self._dim}), a row for each text"
            )
        rows = given.astype(float32, copy=False)
        if np.isfinite(_squares(rows)).all():  # no mask as large as the vectors
            return rows
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(bad):
            raise InputError(f"vectors[{bad[0]}] holds NaN or infinity: no text has such a vector")
        return rows

    def _encoded(self, texts: Sequence[str], encode: Callable[..., Any]) -> NDArray[float32]:
        shape = len(texts), self._dim
        if not texts:
            return np.zeros(shape, float32)
        given = np.asarray(encode(texts, dim=self._dim))
        if given.dtype.kind not in "fiu" or given.shape != shape:
            raise SearchIndexError(
                f"model {self._model.name} gives {given.dtype} of shape {given.shape} for "
                f"{len(texts)} texts: an index needs numbers of shape {shape}, a row for each"
            )
        vectors: NDArray[float32] = given.astype(float32, copy=False)
        if not np.isfinite(_squares(vectors)).all() and not np.isfinite(vectors).all():
            at = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
            raise SearchIndexError(
                f"model {self._model.name} gives a vector with NaN or infinity for text {at} "
                "of this batch: its file is damaged; use another model"
            )
        return vectors


def _not_zero(vectors: NDArray[float32]) -> NDArray[bool_]:
    known: NDArray[bool_] = _squares(vectors) > 0
    if not known.all():  # the square of a very small number is zero too
        known = np.any(vectors, axis=1)
    return known


def _squares(vectors: NDArray[float32]) -> NDArray[float32]:
    """Of each row, added up: one pass answers both questions."""
    squares: NDArray[float32] = np.einsum("ij,ij->i", vectors, vectors)
    return squares
