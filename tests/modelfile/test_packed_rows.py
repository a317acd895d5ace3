"""Rows of 4, 2 and 1 bits: what is stored comes back, and is the nearest that a scale per row allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pumice
from pumice.errors import InputError, ModelFileError
from pumice.modelfile.container import ENTRY, HEADER, REQUIRED, Kind
from pumice.modelfile.packed_rows import BITS, packed, quantize_packed, unpacked_rows
from tests.parity import small_tokenizers
from tests.shrink.tokenizers import model_of

DTYPES = list(BITS)


def values_of(dtype: str) -> np.ndarray:
    largest = 2 ** BITS[dtype] - 1
    return np.arange(-largest, largest + 1, 2)


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 5), dim=st.integers(1, 40))
def test_what_is_packed_comes_back(dtype: str, seed: int, rows: int, dim: int) -> None:
    codes = np.random.default_rng(seed).choice(values_of(dtype), (rows, dim)).astype(np.int8)
    data = packed(codes, dtype)
    width = -(-dim * BITS[dtype] // 8)
    assert len(data) == rows * width
    table = np.frombuffer(data, np.uint8).reshape(rows, width)
    assert np.array_equal(unpacked_rows(table, dtype, dim=dim), codes)
    for d in range(dim):  # as docs/format.md has it
        code = int(table[0, d * BITS[dtype] // 8]) >> (d * BITS[dtype] % 8) & (2 ** BITS[dtype] - 1)
        assert 2 * code - (2 ** BITS[dtype] - 1) == codes[0, d]


@pytest.mark.parametrize(("dtype", "most"), [("int4", 0.0125), ("int2", 0.125), ("int1", 0.37)])
def test_little_is_lost(dtype: str, most: float) -> None:
    """Of normal values 0.0115, 0.1188 and 0.3634 of the squares are the least (Max 1960)."""
    rows = np.random.default_rng(1).standard_normal((300, 256)).astype(np.float32)
    rows *= np.geomspace(1e-6, 1e6, 300, dtype=np.float32)[:, None]
    codes, scales = quantize_packed(rows, dtype)
    assert np.isin(codes, values_of(dtype)).all()
    lost = ((codes * scales[:, None] - rows) ** 2).sum(axis=1) / (rows**2).sum(axis=1)
    assert lost.mean() < most
    largest = np.abs(rows).max(axis=1, keepdims=True) / values_of(dtype).max()
    nearest = np.clip(2 * np.floor(rows / largest / 2) + 1, -values_of(dtype).max(), None)
    by_largest = ((nearest * largest - rows) ** 2).sum(axis=1) / (rows**2).sum(axis=1)
    assert lost.mean() < 0.8 * by_largest.mean()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_scale_is_the_least_squares(dtype: str) -> None:
    rows = np.random.default_rng(2).standard_t(3, (50, 64)).astype(np.float32)
    codes, scales = quantize_packed(rows, dtype)
    best = (codes * rows).sum(axis=1) / (codes.astype(float) ** 2).sum(axis=1)
    assert scales == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_at_the_edge(dtype: str) -> None:
    rows = np.zeros((6, 9), np.float32)
    rows[1, 3] = 1
    rows[2] = 3e38
    rows[3] = -1e-38
    rows[4] = 1e-45
    rows[5, ::2] = 2
    codes, scales = quantize_packed(rows, dtype)
    assert np.isfinite(scales).all()
    assert (scales >= 0).all()
    assert scales[0] == 0
    assert codes[1, 3] > 0
    assert (codes[2] * scales[2]) == pytest.approx(rows[2], rel=1e-5)
    assert (codes[3] < 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_model_comes_back_as_it_was(dtype: str) -> None:
    whole = model_of(small_tokenizers.trained_wordpiece(), dim=33)
    model = pumice.StaticModel.from_parts(whole.parts(), dtype=dtype)
    assert model.metadata["dtype"] == dtype
    parts = model.parts()
    assert parts.token_weights is None
    assert pumice.StaticModel.from_parts(parts, dtype=dtype).fingerprint == model.fingerprint
    wide = pumice.StaticModel.from_parts(parts, dtype="float32")
    text = "the lower newest widest"
    assert wide.encode(text) == pytest.approx(model.encode(text), abs=2e-4)
    added = model.token_vectors(text).vectors.sum(axis=0)
    assert added / np.linalg.norm(added) == pytest.approx(model.encode(text), abs=1e-6)


def test_shared_rows_and_weights() -> None:
    whole = model_of(small_tokenizers.trained_wordpiece(), dim=16)
    rng = np.random.default_rng(0)
    count = len(whole.tokens)
    parts = replace(
        whole.parts(),
        embeddings=rng.standard_normal((20, 16)).astype(np.float32),
        token_rows=rng.integers(0, 19, count),
        token_weights=rng.uniform(-2, 2, count).astype(np.float32),
    )
    model = pumice.StaticModel.from_parts(parts, dtype="int4")
    again = model.parts()
    assert again.row_scales is not None
    assert again.row_scales[19] == 0  # nobody's
    assert pumice.StaticModel.from_parts(again, dtype="int4").fingerprint == model.fingerprint
    texts = ["the lower newest", "widest"]
    wide = pumice.StaticModel.from_parts(parts).encode(texts)
    assert ((model.encode(texts) * wide).sum(axis=1) > 0.97).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_reader_of_before_refuses_the_file_by_its_section(dtype: str) -> None:
    whole = model_of(small_tokenizers.trained_wordpiece(), dim=8)
    data = pumice.StaticModel.from_parts(whole.parts(), dtype=dtype).to_bytes()
    count = HEADER.unpack_from(data)[2]
    entries = [ENTRY.unpack_from(data, HEADER.size + i * ENTRY.size) for i in range(count)]
    flags = {kind: flag for kind, flag, *_ in entries}
    assert Kind.ROWS not in flags
    assert flags[Kind.PACKED_ROWS] == REQUIRED
    assert Kind.ROW_SCALES not in flags


@pytest.mark.parametrize("dtype", ["float16", "int4"])
def test_damaged_files_are_told(dtype: str) -> None:
    from pumice.modelfile.container import pack
    from pumice.modelfile.reader import ModelFile

    whole = model_of(small_tokenizers.trained_wordpiece(), dim=7)
    file = ModelFile.from_bytes(
        pumice.StaticModel.from_parts(whole.parts(), dtype=dtype).to_bytes()
    )
    sections = {k: bytes(s) for k in Kind if (s := file.section(k)) is not None}
    rows = sections[Kind.PACKED_ROWS if dtype == "int4" else Kind.ROWS]
    for changed in (
        {Kind.PACKED_ROWS: rows[:-1]},
        {Kind.PACKED_ROWS: rows, Kind.ROWS: rows},
        {Kind.ROW_SCALES: bytes(4 * len(whole.tokens))},
    ):
        with pytest.raises(ModelFileError):
            ModelFile.from_bytes(pack({**sections, **changed}))


def test_what_is_no_type_is_told() -> None:
    whole = model_of(small_tokenizers.trained_wordpiece(), dim=8)
    with pytest.raises(InputError, match='dtype "int3" is not one of float32, float16, int8, int4'):
        pumice.StaticModel.from_parts(whole.parts(), dtype="int3")
