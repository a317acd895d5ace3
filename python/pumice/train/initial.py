"""The rows that training starts from: a static model's, wherever it came from, or random ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.model import StaticModel
from pumice.modelfile.parts import Metadata, ModelParts
from pumice.modelfile.rows import widen_rows
from pumice.modelfile.vocabulary import tokens_by_id

_NEW_COLUMNS = 0.1


def random_model(
    tokenizer: Mapping[str, Any],
    *,
    dim: int,
    seed: int = 0,
    counts: Mapping[str, int] | None = None,
    sif_coefficient: float = 1e-3,
) -> StaticModel:
    """A model of random rows over a parsed tokenizer.json: a start for `train`, no more.

    With ``counts``, how often each token occurs, rows are weighted by a / (a + p) (Arora et al. 2017), a
    the ``sif_coefficient``. Truncation, padding and special tokens around the text are left out. Raises
    ModelFileError for a tokenizer.json that is not supported.
    """
    bare = {**tokenizer, "truncation": None, "padding": None, "post_processor": None}
    count = _size(bare)
    rows = np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)
    provenance: dict[str, Any] = {"method": "random rows", "seed": seed}
    if counts is not None:
        numbers = np.array([counts.get(token, 0) for token in tokens_by_id(bare)], dtype=np.float64)
        probabilities = numbers / max(1.0, numbers.sum())
        rows *= (sif_coefficient / (sif_coefficient + probabilities)).astype(np.float32)[:, None]
        provenance |= {"sif_coefficient": sif_coefficient, "corpus_tokens": int(numbers.sum())}
    metadata = Metadata(provenance=provenance)
    return StaticModel.from_parts(ModelParts(bare, rows, metadata=metadata))


def read_tokenizer(path: Path) -> dict[str, Any]:
    """A tokenizer.json, or that of a model's folder."""
    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        tokenizer = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{file}: is not JSON: give a tokenizer.json") from None
    if not isinstance(tokenizer, dict):
        raise InputError(f"{file}: is not a JSON object: give a tokenizer.json")
    return tokenizer


def _size(tokenizer: Mapping[str, Any]) -> int:
    try:
        vocabulary = tokenizer["model"]["vocab"]
        ids = range(len(vocabulary)) if isinstance(vocabulary, list) else vocabulary.values()
        added = [entry["id"] for entry in tokenizer.get("added_tokens") or ()]
        return int(max([*ids, *added])) + 1
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError("tokenizer.json: has no vocabulary: give a whole tokenizer.json") from None


def starting_dims(model: StaticModel) -> tuple[int, ...]:
    """The model's own size and valid prefixes, ascending."""
    return tuple(sorted({*(model.prefixes or ()), model.dimensions}))


def starting_table(
    parts: ModelParts,
    *,
    dim: int,
    seed: int,
    counts: NDArray[np.int64] | None = None,
    sif_coefficient: float | None = None,
) -> NDArray[np.float32]:
    """A row for each token, float32, shape (tokens, dim), of root mean square 1.

    Weights and scales are multiplied in, and a / (a + p) where ``sif_coefficient`` says so, p from
    ``counts``. A shorter model gets further columns of small random numbers; a longer one is cut.
    """
    table = widen_rows(parts.embeddings, parts.row_scales)
    if parts.token_rows is not None:
        table = table[parts.token_rows]
    if parts.token_weights is not None:
        table = table * parts.token_weights.astype(np.float32)[:, None]
    table = np.array(table[:, :dim], dtype=np.float64)
    if sif_coefficient is not None and counts is not None:
        probabilities = counts / max(1, counts.sum())
        table *= (sif_coefficient / (sif_coefficient + probabilities))[:, None]
    size = float(np.sqrt(np.square(table).mean()))
    if not size:
        raise InputError("the starting model's rows are all zero: start from another")
    table /= size
    missing = dim - table.shape[1]
    if missing > 0:
        rng = np.random.default_rng((seed, 1))
        fresh = rng.standard_normal((len(table), missing)) * _NEW_COLUMNS
        table = np.concatenate((table, fresh), axis=1)
    return table.astype(np.float32)
