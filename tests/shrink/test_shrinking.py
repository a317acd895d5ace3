"""A smaller model is a model: prefixes, rows, rules, provenance, folders of other libraries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.errors import InputError, ModelFileError
from pumice.modelfile.counting import Counting
from pumice.shrink import Shrinker
from tests.parity import small_tokenizers
from tests.shrink.test_tokens import SAMPLES
from tests.shrink.tokenizers import model_of

TEXTS = ["Applying for new travel documents", "Baking bread at home", "naïve café №5", "", "☃"]


@pytest.fixture(scope="module")
def small() -> pumice.StaticModel:
    return pumice.shrink(pumice.load(), tokens=6000, dim=128)


def test_a_prefix_gives_the_vectors_of_the_prefix() -> None:
    shipped = pumice.load()
    for dim in shipped.prefixes or ():
        model = pumice.shrink(shipped, dim=dim)
        assert model.dimensions == dim
        assert model.prefixes == tuple(p for p in shipped.prefixes or () if p <= dim)
        assert np.array_equal(model.encode(TEXTS), shipped.encode(TEXTS, dim=dim))


def test_the_same_call_gives_the_same_file(small: pumice.StaticModel, tmp_path: Path) -> None:
    one = Shrinker(pumice.load())
    one.model(tokens=7000, dim=256)  # what was made before changes nothing
    assert one.model(tokens=6000, dim=128).fingerprint == small.fingerprint
    small.save(tmp_path / "small.pumice")
    again = pumice.load(tmp_path / "small.pumice")
    again.verify()
    assert np.array_equal(again.encode(TEXTS), small.encode(TEXTS))
    assert again.nbytes < pumice.load().nbytes / 10


def test_it_says_where_it_comes_from(small: pumice.StaticModel) -> None:
    shipped = pumice.load()
    provenance = small.metadata["provenance"]
    assert provenance["start"] == {"name": shipped.name, "fingerprint": shipped.fingerprint}
    assert provenance["settings"] == {"tokens": 6000, "dim": 128, "dtype": None}
    assert provenance["start_provenance"] == shipped.metadata["provenance"]
    assert small.metadata["license"] == "Apache-2.0"
    assert small.metadata["dtype"] == "int8"


def test_neighbours_are_much_the_same(small: pumice.StaticModel) -> None:
    query, near, far = small.encode(
        ["renew a passport", "Applying for new travel documents", "Baking bread at home"]
    )
    assert query @ near > query @ far + 0.1


def test_rules_stay() -> None:
    tokenizer = small_tokenizers.trained_wordpiece()
    counting = Counting(repeats=(128, 0), positions=(200,))
    before = model_of(tokenizer, max_tokens=5, max_chars=40, counting=counting)
    parts = Shrinker(before, corpus=SAMPLES).model(tokens=700).parts()
    kept = (parts.unknown, parts.normalize, parts.max_tokens, parts.max_chars, parts.counting)
    assert kept == ("average", True, 5, 40, counting)


def test_folders_of_other_libraries_give_the_same_vectors(
    small: pumice.StaticModel, tmp_path: Path
) -> None:
    import model2vec
    import sentence_transformers

    texts = [text for text in TEXTS if text]
    # Neither library counts a text's tokens otherwise than alike, as the shipped model does.
    small = pumice.StaticModel.from_parts(replace(small.parts(), counting=Counting()))
    small.save_pretrained(tmp_path / "m2v", format="model2vec")
    small.save_pretrained(tmp_path / "st", format="sentence-transformers")
    theirs = model2vec.StaticModel.from_pretrained(str(tmp_path / "m2v"))
    assert theirs.encode(texts, max_length=None) == pytest.approx(small.encode(texts), abs=1e-6)
    other = sentence_transformers.SentenceTransformer(str(tmp_path / "st"), device="cpu")
    assert other.encode(texts) == pytest.approx(small.encode(texts), abs=1e-6)


@pytest.mark.parametrize(
    ("dtype", "cosine"),
    [
        ("float32", 0.999),
        ("float16", 0.999),
        ("int8", 0.999),
        ("int4", 0.97),
        ("int2", 0.85),
        ("int1", 0.6),
    ],
)
def test_rows_of_another_type(dtype: str, cosine: float) -> None:
    before = model_of(small_tokenizers.trained_wordpiece(), dim=32)
    model = Shrinker(before, corpus=SAMPLES).model(tokens=700, dtype=dtype)
    assert model.metadata["dtype"] == dtype
    texts = ["the lower newest", "widest of them all"]
    cosines = (model.encode(texts) * before.encode(texts)).sum(axis=1)
    assert (cosines > cosine).all()
    again = pumice.shrink(model, dim=32)  # rows stay as they are
    assert again.metadata["dtype"] == dtype
    assert np.array_equal(again.encode(texts), model.encode(texts))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dim": 100}, "dim=100 is not among the dimensions that the model has: 64, 128, 256, 512"),
        ({"dim": 1024}, "dim=1024 is not among"),
        ({"dim": 0}, "dim=0 is not a positive whole number"),
        ({"dtype": "int7"}, 'dtype "int7" is not one of'),
        ({"tokens": 10}, "tokens=10 is fewer than the 1[0-9]+ without which"),
        ({"corpus": "one text"}, "corpus is of type str: give a list of texts"),
        ({"corpus": []}, "the corpus holds no text"),
        ({"corpus": ["a", 1]}, r"texts\[1\] is int, not str"),
        ({"corpus": ["a", "\ud800"]}, r"texts\[1\] holds a lone surrogate"),
        ({"corpus": {"the": -1}}, "corpus counts 'the' as -1"),
        ({"corpus": {"the": True}}, "corpus counts 'the' as True"),
    ],
)
def test_what_cannot_be_is_told(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pumice.shrink(pumice.load(), **settings)  # type: ignore[arg-type]


def test_a_path_is_a_model_too(tmp_path: Path, small: pumice.StaticModel) -> None:
    small.save(tmp_path / "small.pumice")
    smaller = pumice.shrink(tmp_path / "small.pumice", dim=64)
    assert smaller.dimensions == 64
    assert smaller.metadata["provenance"]["start"]["fingerprint"] == small.fingerprint
    (tmp_path / "none.pumice").write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match=r"none\.pumice"):
        pumice.shrink(tmp_path / "none.pumice", dim=64)
