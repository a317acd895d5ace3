"""Sizes, ladders and limits; agreement by hand."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

import pumice
from pumice.errors import InputError, MissingExtraError
from pumice.shrink import Limit, Range, Setting, Shrinker, Sizes, agreement, climb, fit, sizes
from pumice.shrink.ladder import neighbours_of, whole_setting
from pumice.shrink.sizes import compressed_size, parsed_size, sizes_of
from tests.parity import small_tokenizers
from tests.shrink.test_tokens import SAMPLES
from tests.shrink.tokenizers import model_of


@pytest.fixture(scope="module")
def shrinker() -> Shrinker:
    from pumice.modelfile import Metadata

    metadata = Metadata(prefixes=(8, 16, 32))
    before = model_of(small_tokenizers.trained_wordpiece(), dim=32, metadata=metadata)
    return Shrinker(before, corpus=SAMPLES)


def by_dimensions(model: pumice.StaticModel) -> float:
    return model.dimensions / 32


def test_sizes_are_what_the_compressors_give() -> None:
    brotli = pytest.importorskip("brotli")
    data = bytes(1000) + bytes(range(256))
    found = sizes_of(data)
    assert found == Sizes(1256, len(gzip.compress(data, 9)), len(brotli.compress(data)))
    assert len(brotli.decompress(brotli.compress(data))) == 1256


def test_brotli_is_named_where_it_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "brotli", None)
    assert sizes_of(b"abc").brotli is None
    with pytest.raises(MissingExtraError, match=r'pip install "pumice\[shrink\]"'):
        compressed_size(b"abc", "brotli")


@pytest.mark.parametrize(
    ("text", "size"),
    [("4MB", 4_000_000), ("512 KiB", 524288), ("1.5m", 1_500_000), ("100000", 100_000), ("9b", 9)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parsed_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "4 XB", "-4MB", "4,5MB", "0", "0.1b", "nan", "1e6"])
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(InputError, match="is no size"):
        parsed_size(text)


@pytest.mark.parametrize("compressed", ["none", "gzip"])
def test_the_most_tokens_that_fit(shrinker: Shrinker, compressed: str) -> None:
    def size(tokens: int, dim: int, dtype: str) -> int:
        model = shrinker.model(tokens=tokens, dim=dim, dtype=dtype)
        return compressed_size(model.to_bytes(), compressed)

    limit = Limit(size(1000, 16, "int8"), compressed)
    rungs = fit(shrinker, limit, quality=by_dimensions, within=Range((8, 16, 32), ("int8",)))
    assert rungs[0].setting.dim == max(rung.setting.dim for rung in rungs)
    for rung in rungs:
        setting = rung.setting
        assert size(setting.tokens, setting.dim, setting.dtype) <= limit.bytes
        if setting.tokens < shrinker.total:
            more = min(shrinker.total, setting.tokens + max(16, setting.tokens // 50))
            assert size(more, setting.dim, setting.dtype) > limit.bytes * 0.995
    [of16] = [rung.setting.tokens for rung in rungs if rung.setting.dim == 16]
    assert 980 <= of16 <= 1000


def test_what_does_not_fit_is_told(shrinker: Shrinker) -> None:
    with pytest.raises(InputError, match="no model of 1,000 bytes can be made of this one"):
        fit(shrinker, Limit(1000), quality=by_dimensions)
    with pytest.raises(InputError, match='compressed "zip" is not one of none, gzip, brotli'):
        fit(shrinker, Limit(1000, "zip"), quality=by_dimensions)


def test_no_more_tokens_than_asked_for(shrinker: Shrinker) -> None:
    within = Range((8,), ("int8", "float16"), tokens=900)
    rungs = fit(shrinker, Limit(10**9), quality=by_dimensions, within=within)
    assert [rung.setting for rung in rungs] == [Setting(900, 8, "int8"), Setting(900, 8, "float16")]


def test_compressed_bits_are_counted(shrinker: Shrinker) -> None:
    pytest.importorskip("brotli")
    rungs = fit(shrinker, Limit(20_000, "brotli"), quality=by_dimensions)
    assert {rung.setting.dtype for rung in rungs} >= {"int2", "int1"}
    for rung in rungs:
        assert rung.sizes.brotli is not None
        assert rung.sizes.brotli <= 20_000
    tokens = {(rung.setting.dim, rung.setting.dtype): rung.setting.tokens for rung in rungs}
    assert tokens[32, "int1"] > tokens[32, "int2"]


def test_a_ladder_is_the_chosen_one_and_what_is_beside_it(shrinker: Shrinker) -> None:
    chosen = Setting(700, 16, "int8")
    settings = neighbours_of(shrinker, chosen)
    assert settings[0] == whole_setting(shrinker) == Setting(shrinker.total, 32, "float32")
    assert chosen in settings
    for one in settings[1:]:
        differs = [a != b for a, b in zip(vars(one).values(), vars(chosen).values(), strict=True)]
        assert sum(differs) <= 1
    told = []
    rungs = climb(shrinker, settings[:2], quality=by_dimensions, tell=told.append)
    assert told == rungs
    assert rungs[0].quality == 1.0
    assert rungs[0].sizes.stored == shrinker.whole.nbytes


def test_agreement_by_hand() -> None:
    whole = model_of(small_tokenizers.trained_wordpiece(), dim=32)
    texts = [*SAMPLES[20:], *(f"lower {i} newest" for i in range(30))]
    same = agreement(whole, texts)
    assert same(whole) == 1.0
    rows = np.random.default_rng(9).standard_normal((len(whole.tokens), 32)).astype(np.float32)
    from dataclasses import replace

    other = pumice.StaticModel.from_parts(replace(whole.parts(), embeddings=rows))
    assert 0.1 < same(other) < 0.9
    with pytest.raises(InputError, match="neighbours among 2 different texts"):
        agreement(whole, ["a", "b", "a"])
    assert sizes.COMPRESSIONS[0] == "none"
