"""token_vectors and explain: what each token adds, exactly."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

import pumice
from pumice.errors import InputError
from pumice.modelfile import ModelParts
from tests.parity import small_tokenizers as small
from tests.test_model import TEXTS


def variants(parts: ModelParts) -> dict[str, ModelParts]:
    """Models that differ in what a token adds."""
    rng = np.random.default_rng(5)
    tokens = len(parts.embeddings)
    mapped = rng.integers(0, 100, tokens).astype(np.uint32)
    return {
        "plain": parts,
        "not normalised": replace(parts, normalize=False),
        "weights": replace(parts, token_weights=rng.uniform(0, 2, tokens).astype(np.float32)),
        "token rows": replace(parts, embeddings=parts.embeddings[:100], token_rows=mapped),
        "unknown averaged": replace(parts, unknown="average"),
        "cut": replace(parts, max_tokens=3),
    }


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "int4", "int1"])
def test_the_mean_of_token_vectors_is_the_vector(parts: ModelParts, dtype: str) -> None:
    for name, variant in variants(parts).items():
        model = pumice.StaticModel.from_parts(variant, dtype=dtype)
        for text in TEXTS:
            found = model.token_vectors(text)
            assert found.ids.tolist() == model.tokenize(text)
            assert found.vectors.shape == (len(found), 64)
            assert found.vectors.dtype == np.float32
            mean = found.vectors.mean(axis=0) if len(found) else np.zeros(64)
            if model.normalized:
                mean = mean / (np.linalg.norm(mean) or 1)
            assert np.allclose(model.encode(text), mean, rtol=0, atol=1e-6), (name, text)


def test_tokens_and_their_places(model: pumice.StaticModel) -> None:
    text = "Na\u00efve caf\u00e9s: unaffable \u5317\u4eac"
    found = model.token_vectors(text)
    pieces = [
        (t, text[begin:end]) for t, (begin, end) in zip(found.tokens, found.spans, strict=True)
    ]
    assert pieces[:4] == [
        ("naive", "Na\u00efve"),
        ("cafes", "caf\u00e9s"),
        (":", ":"),
        ("una", "una"),
    ]
    assert pieces[-1] == ("\u4eac", "\u4eac")
    assert (found.ids.dtype, found.spans.dtype) == (np.uint32, np.int64)
    assert found.spans.shape == (len(found), 2)
    with pytest.raises(FrozenInstanceError):
        found.tokens = []  # type: ignore[misc]


def test_no_tokens(model: pumice.StaticModel) -> None:
    found = model.token_vectors("")
    assert (found.ids.shape, found.spans.shape, found.vectors.shape) == ((0,), (0, 2), (0, 64))
    assert found.tokens == []


@pytest.mark.parametrize("name", ["plain", "not normalised", "weights", "unknown averaged", "cut"])
@pytest.mark.parametrize("dim", [None, 16])
def test_shares_add_up_to_the_cosine(parts: ModelParts, name: str, dim: int | None) -> None:
    model = pumice.StaticModel.from_parts(variants(parts)[name])
    for query in TEXTS:
        for document in TEXTS:
            explained = model.explain(query, document, dim=dim)
            a, b = model.encode([query, document], dim=dim).astype(np.float64)
            norms = float(np.linalg.norm(a) * np.linalg.norm(b))
            assert explained.score == pytest.approx(a @ b / norms if norms else 0, abs=1e-6)
            assert explained.shares.shape == (len(explained.query), len(explained.document))
            assert explained.shares.sum() == pytest.approx(explained.score, abs=1e-9)
            assert explained.query_shares.sum() == pytest.approx(explained.score, abs=1e-9)
            assert explained.document_shares.sum() == pytest.approx(explained.score, abs=1e-9)
            assert explained.query_shares.shape == (len(explained.query),)
            assert explained.document_shares.shape == (len(explained.document),)
            assert explained.document.vectors.shape[1] == (dim or 64)


def test_a_zero_vector_has_nothing_to_share(parts: ModelParts) -> None:
    rows = np.zeros_like(parts.embeddings)
    rows[::2] = parts.embeddings[::2]
    zeros = pumice.StaticModel.from_parts(replace(parts, embeddings=np.zeros_like(rows)))
    explained = zeros.explain("a static model", "one vector")
    assert explained.score == 0
    assert explained.shares.shape == (3, 2)
    assert not explained.shares.any()
    opposite = rows.copy()
    one, two = (zeros.tokenize(word)[0] for word in ("one", "two"))
    opposite[two] = -opposite[one]
    cancelling = pumice.StaticModel.from_parts(replace(parts, embeddings=opposite))
    assert cancelling.explain("one two", "one").score == 0


def test_the_word_in_common_earns_most() -> None:
    model = pumice.load()
    document = "Bread, water, and how passports are renewed"
    explained = model.explain("renew a passport", document)
    begin, end = explained.document.spans[int(explained.document_shares.argmax())]
    assert document[begin:end] == "passports"


def test_other_tokenizers(parts: ModelParts) -> None:
    for build in (small.unigram, small.bpe_byte_level, small.word_level):
        tokenizer = build()
        size = len(pumice.modelfile.vocabulary.tokens_by_id(tokenizer))
        model = pumice.StaticModel.from_parts(
            replace(parts, tokenizer=tokenizer, embeddings=parts.embeddings[:size])
        )
        for text in ("the lower newest widest", "", "na\u00efve \u5317\u4eac"):
            found = model.token_vectors(text)
            assert found.ids.tolist() == model.tokenize(text)
            mean = found.vectors.mean(axis=0) if len(found) else np.zeros(64)
            unit = mean / (np.linalg.norm(mean) or 1)
            assert np.allclose(model.encode(text), unit, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.token_vectors(3), "the text is int, not str"),
        (lambda m: m.token_vectors(["a"]), "the text is list, not str"),
        (lambda m: m.token_vectors("\ud800"), "the text holds a lone surrogate"),
        (lambda m: m.explain("a", None), "document is NoneType, not str"),
        (lambda m: m.explain(b"a", "b"), "query is bytes, not str"),
        (lambda m: m.explain("a", "b", dim=17), "dim=17 is not among the prefixes"),
    ],
)
def test_bad_arguments(model: pumice.StaticModel, call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(model)
