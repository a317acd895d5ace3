"""Compiling and uncompiling: storage dtypes, rules, and parts that contradict each other."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import pumice
from pumice.errors import InputError, ModelFileError, PumiceError
from pumice.modelfile import ModelFile, ModelParts, compile_model
from pumice.modelfile.rows import quantize_rows, widen_rows
from tests.parity.small_tokenizers import added_token

TEXTS = ["What is a static embedding?", "Ein Text mit Ümlauten", "北京 is big", "", "x" * 500]


def test_parts_survive_compiling(parts: ModelParts) -> None:
    weights = np.linspace(0.1, 2, 30522, dtype=np.float32)
    given = replace(
        parts,
        token_weights=weights,
        unknown="average",
        max_tokens=99,
        max_chars=500,
        normalize=False,
    )
    found = ModelFile.from_bytes(compile_model(given)).parts()
    assert found.tokenizer == given.tokenizer
    assert np.array_equal(found.embeddings, given.embeddings)
    assert found.token_weights is not None
    assert np.array_equal(found.token_weights, weights)
    assert (found.unknown, found.max_tokens, found.max_chars, found.normalize) == (
        "average",
        99,
        500,
        False,
    )
    assert found.metadata.prefixes == (16, 32, 64)
    assert compile_model(found) == compile_model(given)


def test_int8_rows_keep_a_scale_each(parts: ModelParts, model: pumice.StaticModel) -> None:
    small = pumice.StaticModel.from_parts(parts, dtype="int8")
    rows, scales = quantize_rows(parts.embeddings)
    assert np.abs(widen_rows(rows, scales) - parts.embeddings).max() <= scales.max() / 2 * 1.0001
    assert small.nbytes < model.nbytes / 2
    cosines = (small.encode(TEXTS) * model.encode(TEXTS)).sum(axis=1)
    assert (cosines[:3] > 0.9995).all()
    again = ModelFile.from_bytes(
        compile_model(ModelFile.from_bytes(small._file.to_bytes()).parts())
    )
    assert again.fingerprint == small.fingerprint


def test_float16_rows_equal_numpys_rounding(parts: ModelParts) -> None:
    half = pumice.StaticModel.from_parts(parts, dtype="float16")
    widened = replace(parts, embeddings=parts.embeddings.astype(np.float16).astype(np.float32))
    assert np.array_equal(half.encode(TEXTS), pumice.StaticModel.from_parts(widened).encode(TEXTS))


def test_every_float16_widens_as_numpy_does(parts: ModelParts) -> None:
    bits = np.arange(2**16, dtype=np.uint16)
    bits = bits[np.isfinite(bits.view(np.float16))]
    rows = np.zeros((30522, 64), np.float16)
    rows[2000 : 2000 + len(bits) // 64] = (
        bits[: len(bits) // 64 * 64].view(np.float16).reshape(-1, 64)
    )
    model = pumice.StaticModel.from_parts(replace(parts, embeddings=rows, normalize=False))
    words = [
        (i, t) for i, t in enumerate(model.tokens) if 2000 <= i < 3000 and model.tokenize(t) == [i]
    ]
    found = model.encode([token for _, token in words])
    assert len(words) > 900
    assert np.array_equal(found, rows[[i for i, _ in words]].astype(np.float32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"embeddings": np.zeros((30521, 8), np.float32)},
            "30521 rows but the tokenizer has 30522",
        ),
        ({"embeddings": np.zeros(30522, np.float32)}, "expected two dimensions"),
        ({"embeddings": np.zeros((30522, 8), np.int64)}, "expected two dimensions"),
        ({"embeddings": np.full((30522, 2), np.nan, np.float32)}, "row 0 holds NaN"),
        ({"embeddings": np.zeros((30522, 0), np.float32)}, "0 dimensions"),
        ({"token_weights": np.ones(3)}, r"token_weights has shape \(3,\)"),
        ({"token_weights": np.full(30522, np.inf)}, "token_weights hold NaN"),
        ({"token_rows": np.full(30522, 30522)}, "name a row outside"),
        ({"token_rows": np.full(30522, -1)}, "name a row outside"),
        ({"row_scales": np.ones(5)}, r"row_scales has shape \(5,\)"),
        ({"unknown": "skip"}, 'unknown="skip" is not one of drop, average'),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"max_chars": -1}, "max_chars is -1"),
    ],
)
def test_contradictions_are_refused(parts: ModelParts, change: Any, message: str) -> None:
    with pytest.raises(PumiceError, match=message):
        compile_model(replace(parts, **change))


def test_values_past_float16_are_refused(parts: ModelParts) -> None:
    large = replace(parts, embeddings=np.full((30522, 2), 1e6, np.float32))
    with pytest.raises(ModelFileError, match="do not fit float16"):
        compile_model(large, dtype="float16")
    with pytest.raises(InputError, match="not one of float32, float16, int8"):
        compile_model(parts, dtype="float8")


def edit(tokenizer: dict[str, Any], *path: str, value: Any) -> dict[str, Any]:
    edited = copy.deepcopy(tokenizer)
    place = edited
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return edited


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("pre_tokenizer", "type"), "Whitespace", "pre_tokenizer.type is Whitespace"),
        (("normalizer",), None, "normalizer.type is None"),
        (("model", "max_input_chars_per_word"), 5000, "max_input_chars_per_word"),
    ],
)
def test_what_the_core_does_not_run_is_named(
    parts: ModelParts, path: tuple[str, ...], value: Any, reason: str
) -> None:
    edited = replace(parts, tokenizer=edit(parts.tokenizer, *path, value=value))
    tokenizer = pumice.StaticModel.from_parts(edited).metadata["tokenizer"]
    assert not tokenizer["native"]
    assert reason in tokenizer["reason"]


def test_normalized_added_tokens_are_the_core_s(parts: ModelParts) -> None:
    added = [{**a, "normalized": True} for a in parts.tokenizer["added_tokens"]]
    model = pumice.StaticModel.from_parts(
        replace(parts, tokenizer={**parts.tokenizer, "added_tokens": added})
    )
    assert model.metadata["tokenizer"]["native"]
    assert model.tokenize("a [mask] B") == [1037, 103, 1038]


def test_added_tokens_that_become_one_go_to_the_library(parts: ModelParts) -> None:
    first = len(parts.embeddings)
    own = [added_token(text, first + i, normalized=True) for i, text in enumerate(("A b", "a B"))]
    added = [*parts.tokenizer["added_tokens"], *own]
    rows = np.resize(parts.embeddings, (first + 2, parts.embeddings.shape[1]))
    tokenizer = {**parts.tokenizer, "added_tokens": added}
    model = pumice.StaticModel.from_parts(replace(parts, tokenizer=tokenizer, embeddings=rows))
    reason = 'added token "a B" is normalised to another or nothing'
    assert model.metadata["tokenizer"]["reason"] == reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {}}, "model.vocab is missing"),
        ({"model": {"type": "WordPiece", "vocab": {"a": 1}}}, 'token "a" has id 1 where 0'),
        ({"model": {"type": "WordPiece", "vocab": {"a": 0, "b": 0}}}, 'token "b" has id 0 where 1'),
    ],
)
def test_broken_tokenizers_are_refused(parts: ModelParts, change: Any, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        compile_model(replace(parts, tokenizer={**parts.tokenizer, **change}))


def test_an_added_token_with_another_id_is_refused(parts: ModelParts) -> None:
    added = [{"id": 40000, "content": "new york"}]
    with pytest.raises(
        ModelFileError, match='"new york" has id 40000, but the vocabulary gives it 30522'
    ):
        compile_model(replace(parts, tokenizer={**parts.tokenizer, "added_tokens": added}))


def test_a_token_with_a_lone_surrogate_is_refused() -> None:
    tokenizer = {"model": {"type": "WordPiece", "vocab": {"\ud800": 0}}}
    with pytest.raises(ModelFileError, match="lone surrogate"):
        compile_model(ModelParts(tokenizer=tokenizer, embeddings=np.ones((1, 4), np.float32)))
