"""The oracle: model2vec's own distillation of the same teacher gives the same similarities."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pumice.distill import DistillOptions, distill_parts
from pumice.modelfile.parts import ModelParts

LINES = [line for line in Path(argparse.__file__).read_text(encoding="utf-8").splitlines() if line]
TEXTS = [" ".join(LINES[start : start + 3]) for start in range(1000)]


def encode(parts: ModelParts, texts: Sequence[str]) -> NDArray[np.float32]:
    """Mean of the known tokens' rows, normalised: the reference for what a model must do."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(json.dumps(parts.tokenizer))
    model = parts.tokenizer["model"]
    unknown = (
        model["unk_id"]
        if model["type"] == "Unigram"
        else (model["vocab"].get(model.get("unk_token")))
    )
    vectors = np.zeros((len(texts), parts.embeddings.shape[1]), dtype=np.float32)
    for row, encoding in enumerate(tokenizer.encode_batch(list(texts), add_special_tokens=False)):
        ids = [index for index in encoding.ids if index != unknown]
        if ids:
            vectors[row] = parts.embeddings[ids].mean(axis=0)
            vectors[row] /= np.linalg.norm(vectors[row])
    return vectors


def farthest(parts: ModelParts, reference: Any, texts: Sequence[str]) -> float:
    """The largest difference between the two matrices of cosine similarities."""
    ours = encode(parts, texts)
    theirs = reference.encode(list(texts), max_length=None)
    return float(np.abs(ours @ ours.T - theirs @ theirs.T).max())


def model2vec_distill(teacher: Path, **settings: Any) -> Any:
    distillation = pytest.importorskip("model2vec.distill", reason="the oracle is model2vec")
    return distillation.distill(str(teacher), quantize_to="float32", **settings)


@pytest.mark.parametrize("pooling", ["mean", "first", "last"])
def test_tiny_bert_matches_model2vec(bert: Path, pooling: Any) -> None:
    words = ["Feierabend", "c++", "parser argument", "the"]
    options = DistillOptions(weighting="model2vec", pooling=pooling)
    parts = distill_parts(bert, dim=8, vocabulary=words, options=options)
    reference = model2vec_distill(bert, pca_dims=8, vocabulary=words, pooling=pooling)
    texts = [*TEXTS[:996], "Feierabend", "C++ parser", "a parser argument", "the"]
    assert farthest(parts, reference, texts) < 1e-3


@pytest.mark.parametrize("teacher", ["unigram_bert", "gpt"])
def test_other_tokenizers_match_model2vec(teacher: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(teacher)
    options = DistillOptions(weighting="model2vec", pooling="mean", sif_coefficient=1e-3)
    parts = distill_parts(folder, dim=12, options=options)
    reference = model2vec_distill(folder, pca_dims=12, sif_coefficient=1e-3)
    assert farthest(parts, reference, TEXTS) < 1e-3


def test_the_other_weighting_differs(bert: Path) -> None:
    # Guards the tests above: they must be able to fail.
    parts = distill_parts(bert, dim=8, options=DistillOptions(weighting="zipf"))
    assert farthest(parts, model2vec_distill(bert, pca_dims=8), TEXTS) > 0.05


def test_part_of_minilm_matches_model2vec(teacher_folder: Path) -> None:
    # Longer tokens are left out of both so that this runs in seconds.
    pattern = r"\[unused\d+\]|(##)?\w{3,}"
    options = DistillOptions(weighting="model2vec", remove_pattern=pattern)
    parts = distill_parts(teacher_folder, dim=256, options=options)
    reference = model2vec_distill(teacher_folder, pca_dims=256, token_remove_pattern=pattern)
    assert farthest(parts, reference, TEXTS) < 1e-3


@pytest.mark.slow
def test_the_whole_of_minilm_matches_model2vec(teacher_folder: Path) -> None:
    parts = distill_parts(teacher_folder, dim=256, options=DistillOptions(weighting="model2vec"))
    assert farthest(parts, model2vec_distill(teacher_folder, pca_dims=256), TEXTS) < 1e-3
