"""Tokenizers of every family to take tokens from, and texts of their letters."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from tokenizers import Tokenizer

import pumice
from pumice.modelfile import ModelParts
from pumice.modelfile.vocabulary import tokens_by_id
from tests.parity import golden_tokenizers, small_tokenizers

Json = dict[str, Any]
BUILD = {
    **{f"golden {name}": build for name, build in golden_tokenizers.TOKENIZERS.items()},
    "wordpiece": small_tokenizers.trained_wordpiece,
    **small_tokenizers.NATIVE,
    **small_tokenizers.FOREIGN,
}


def model_of(tokenizer: Json, *, dim: int = 8, **rules: Any) -> pumice.StaticModel:
    """Random rows; unknown tokens are averaged in, so that ``tokenize`` shows them."""
    rows = np.random.default_rng(3).standard_normal((len(tokens_by_id(tokenizer)), dim))
    parts = ModelParts(
        {**tokenizer, "padding": None}, rows.astype(np.float32), unknown="average", **rules
    )
    return pumice.StaticModel.from_parts(parts)


def library_ids(model: pumice.StaticModel, texts: list[str]) -> list[list[int]]:
    """What Hugging Face tokenizers makes of the model's own tokenizer.json."""
    library = Tokenizer.from_str(json.dumps(model.parts().tokenizer))
    encodings = library.encode_batch(texts, add_special_tokens=False)
    return [encoding.ids for encoding in encodings]
