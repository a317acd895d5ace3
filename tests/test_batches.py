"""Texts encoded together, one by one, in any company: the same bits, and for int8 rows exact sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pumice
from pumice.errors import InputError
from pumice.modelfile.parts import ModelParts
from pumice.modelfile.rows import widen_rows
from tests.parity import small_tokenizers as small

DIM = 70
"""Blocks of every kernel's width and a rest."""
DTYPES = ("float32", "float16", "int8", "int4", "int2", "int1")


@pytest.fixture(scope="module")
def parts() -> ModelParts:
    tokenizer = small.trained_wordpiece()
    tokens = len(tokenizer["model"]["vocab"])
    rng = np.random.default_rng(3)
    return ModelParts(
        tokenizer=tokenizer,
        embeddings=rng.standard_normal((tokens, DIM)).astype(np.float32),
        token_weights=rng.uniform(-1, 2, tokens).astype(np.float32),
        unknown="average",
    )


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    """Empty, short and long past every buffer: 256 rows of a sum, 2,048 ids that wait, 64 texts."""
    rng = np.random.default_rng(4)
    words = ["the", "lower", "newest", "widest", "of", "them", "Zürich", "naïve", "!", "x" * 300]
    sizes = [*range(40), 255, 256, 257, 511, 513, 2047, 2048, 2049, 5000, 1, 0, 9000, 0, 3]
    sizes += list(rng.integers(0, 30, 200))
    return [" ".join(rng.choice(words, size)) for size in sizes]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("normalize", [True, False])
def test_company_changes_no_bit(
    parts: ModelParts, corpus: list[str], dtype: str, normalize: bool
) -> None:
    model = pumice.StaticModel.from_parts(replace(parts, normalize=normalize), dtype=dtype)
    together = model.encode(corpus, threads=1)
    alone = np.stack([model.encode(text) for text in corpus])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(model.encode(corpus[::-1], threads=2)[::-1], alone)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("scaled", [True, False])
def test_int8_sums_are_exact(
    parts: ModelParts, corpus: list[str], weighted: bool, scaled: bool
) -> None:
    """Against float64, where whole numbers of this size are exact."""
    rng = np.random.default_rng(5)
    rows = rng.integers(-127, 128, parts.embeddings.shape, dtype=np.int8)
    scales = rng.uniform(0.01, 0.1, len(rows)).astype(np.float32) if scaled else None
    weights = parts.token_weights if weighted else None
    model = pumice.StaticModel.from_parts(
        replace(parts, embeddings=rows, row_scales=scales, token_weights=weights, normalize=False)
    )
    factors = np.ones(len(rows)) if scales is None else scales.astype(np.float64)
    factors = factors if weights is None else factors * weights
    bits = 15 if scaled else 30
    if weighted or scaled:
        unit = np.float32(2.0 ** (np.frexp(np.abs(factors).max())[1] - bits))
        factors = np.rint(factors / np.float64(unit))
    else:
        unit = np.float32(1)
    for text, vector in zip(corpus, model.encode(corpus), strict=True):
        ids = model.tokenize([text])[0]
        total = (rows[ids].astype(np.float64) * factors[ids][:, None]).sum(axis=0)
        wanted = unit * total.astype(np.float32) / np.float32(max(len(ids), 1))
        np.testing.assert_array_equal(vector, wanted)


def test_a_bad_text_is_named_wherever_it_is(parts: ModelParts, corpus: list[str]) -> None:
    model = pumice.StaticModel.from_parts(parts)
    for position in (0, 1, 63, 64, 200, len(corpus)):
        texts = [*corpus[:position], "lone \ud800", *corpus[position:]]
        with pytest.raises(InputError, match=rf"texts\[{position}\]"):
            model.encode(texts)


@pytest.mark.parametrize("weighted", [True, False])
def test_int8_survives_export_and_recompiling(parts: ModelParts, weighted: bool) -> None:
    """The table that a file gives back, in float32, gives the vectors that the file gives."""
    given = parts if weighted else replace(parts, token_weights=None)
    model = pumice.StaticModel.from_parts(given, dtype="int8")
    found = model._file.parts()
    assert pumice.StaticModel.from_parts(found).fingerprint == model.fingerprint

    rows = widen_rows(found.embeddings, found.row_scales)
    wide = pumice.StaticModel.from_parts(replace(found, embeddings=rows, row_scales=None))
    texts = ["the newest of them", "lower " * 50, "naïve !"]
    vectors = model.encode(texts)
    np.testing.assert_allclose(wide.encode(texts), vectors, rtol=0, atol=1e-6)
    exact = pumice.StaticModel.from_parts(given).encode(texts)
    assert np.einsum("ij,ij->i", vectors, exact).min() > 0.9995
