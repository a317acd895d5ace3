"""shrink: a model with fewer tokens, fewer dimensions, or rows of fewer bits."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from pumice.arguments import checked_count
from pumice.errors import InputError
from pumice.loading import load
from pumice.model import StaticModel
from pumice.modelfile.parts import ModelParts
from pumice.modelfile.rows import ROW_DTYPES, convert_rows
from pumice.modelfile.vocabulary import damage_named
from pumice.shrink.choice import Choice, order_of
from pumice.shrink.counting import count_tokens
from pumice.shrink.rows import new_rows, with_rows

Corpus = Iterable[str] | Mapping[str, int]


def shrink(
    model: StaticModel | str | os.PathLike[str],
    *,
    tokens: int | None = None,
    dim: int | None = None,
    dtype: str | None = None,
    corpus: Corpus | None = None,
) -> StaticModel:
    """A smaller model.

    ``tokens`` keeps at most so many: those most frequent in ``corpus``, which is texts or counts by token;
    without one, as the model itself ranks them. Whatever the model could spell it still spells, in shorter
    pieces; but WordLevel has none, and there a dropped word is unknown. ``dim`` is one of the model's
    prefixes. ``dtype`` is how rows are stored (None: as they are). Raises InputError.
    """
    return Shrinker(model, corpus=corpus).model(tokens=tokens, dim=dim, dtype=dtype)


class Shrinker:
    """A model whose tokens are ranked once, to be shrunk to several sizes."""

    def __init__(
        self, model: StaticModel | str | os.PathLike[str], *, corpus: Corpus | None = None
    ) -> None:
        self.whole = model if isinstance(model, StaticModel) else load(model)
        """The model as it was given."""
        self._parts = self.whole.parts()
        counts = None if corpus is None else count_tokens(self.whole, corpus)
        with damage_named():
            order = order_of(self._parts, counts, self.whole.tokens)
            self._choice = Choice(self._parts.tokenizer, order)
            self._new_rows = new_rows(self._parts, self._choice.missing)
        self._ranked_by = "the model" if corpus is None else "a corpus"
        self._converted: dict[tuple[int, str], ModelParts] = {}

    @property
    def total(self) -> int:
        """Tokens of the whole model."""
        return self._choice.total

    @property
    def fewest(self) -> int:
        """Tokens without which words would become unknown."""
        return self._choice.fewest

    @property
    def dtype(self) -> str:
        """How the whole model stores its rows."""
        return str(self.whole.metadata.get("dtype") or self._parts.embeddings.dtype.name)

    @property
    def dims(self) -> tuple[int, ...]:
        """The dimensions that a smaller model may have, rising."""
        return tuple(sorted({*(self.whole.prefixes or ()), self.whole.dimensions}))

    def model(
        self, *, tokens: int | None = None, dim: int | None = None, dtype: str | None = None
    ) -> StaticModel:
        """The model with so many tokens and dimensions, its rows stored so; None: as they are."""
        width, stored = self.checked_dim(dim), self.checked_dtype(dtype)
        parts = self._with_columns(width, stored)
        if tokens is not None and checked_count("tokens", tokens) < self.total:
            kept = self._choice.kept(tokens)
            new = self._new_rows[:, :width]
            with damage_named():
                parts = with_rows(parts, kept, pieces=self._choice.missing, rows=new)
        provenance = {
            "method": "shrinking",
            "start": {"name": self.whole.name, "fingerprint": self.whole.fingerprint},
            "settings": {"tokens": tokens, "dim": dim, "dtype": dtype},
            "ranked_by": self._ranked_by,
            "start_provenance": parts.metadata.provenance,
        }
        metadata = replace(parts.metadata, provenance=provenance)
        return StaticModel.from_parts(replace(parts, metadata=metadata), dtype=stored)

    def checked_dim(self, dim: int | None) -> int:
        """A dimension that vectors may be cut to; InputError for others."""
        if dim is None:
            return self.whole.dimensions
        width, prefixes = checked_count("dim", dim), self.whole.prefixes
        if width > self.whole.dimensions or (prefixes is not None and width not in prefixes):
            listed = ", ".join(map(str, self.dims))
            raise InputError(f"dim={dim} is not among the dimensions that the model has: {listed}")
        return width

    def checked_dtype(self, dtype: str | None) -> str:
        """A way to store rows; InputError for one that does not exist."""
        if dtype is not None and dtype not in ROW_DTYPES:
            raise InputError(f'dtype "{dtype}" is not one of {", ".join(ROW_DTYPES)}')
        return dtype or self.dtype

    def _with_columns(self, width: int, dtype: str) -> ModelParts:
        """All tokens, cut and converted; kept for the next number of tokens."""
        if (width, dtype) not in self._converted:
            parts = self._parts
            cut = np.ascontiguousarray(parts.embeddings[:, :width])
            rows, scales = convert_rows(cut, parts.row_scales, dtype=dtype)
            prefixes = parts.metadata.prefixes
            if prefixes is not None:
                prefixes = tuple(prefix for prefix in prefixes if prefix <= width)
            self._converted = {  # one at a time: a table may be large
                (width, dtype): replace(
                    parts,
                    embeddings=rows,
                    row_scales=scales,
                    metadata=replace(parts.metadata, prefixes=prefixes),
                )
            }
        return self._converted[width, dtype]
