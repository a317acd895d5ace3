"""A token counts by where it stands and how often it did before: checked against plain sums."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import pumice
from pumice.errors import InputError, ModelFileError
from pumice.modelfile import ModelParts
from pumice.modelfile.container import Kind, pack
from pumice.modelfile.counting import Counting, counting_of
from pumice.modelfile.reader import ModelFile

RULES = {
    "repeats": counting_of(repeats=0.5),
    "lead": counting_of(lead=5),
    "both": counting_of(repeats=0.8, lead=20),
}
BOTH = RULES["both"]
TEXTS = [
    "the cat and the dog and the bird: the end",
    "nothing here stands twice",
    "again again",
    "a " * 5000 + "zebra " * 3 + "b " * 300,  # more than a worker's ids have room for
    "one two three " * 900,
    "",
    "the the",
]


def variants(parts: ModelParts) -> dict[str, ModelParts]:
    rng = np.random.default_rng(5)
    tokens = len(parts.embeddings)
    weights = rng.uniform(-1, 2, tokens).astype(np.float32)
    integers = rng.integers(-127, 128, parts.embeddings.shape).astype(np.int8)
    mapped = rng.integers(0, 100, tokens).astype(np.uint32)
    made = {
        "plain": parts,
        "weights": replace(parts, token_weights=weights),
        "token rows": replace(parts, embeddings=parts.embeddings[:100], token_rows=mapped),
        "fine multipliers": replace(parts, embeddings=integers, token_weights=weights),
        "int8 alone": replace(parts, embeddings=integers),
        "cut": replace(parts, max_tokens=5, unknown="average"),
    }
    return {
        f"{name}, {rule}": replace(one, counting=counting)
        for name, one in made.items()
        for rule, counting in RULES.items()
        if rule == "both" or name == "plain"
    }


def expected(parts: ModelParts, ids: list[int]) -> NDArray[np.float64]:
    """The unit vector of the weighted sum, in float64."""
    seen: dict[int, int] = {}
    total = np.zeros(parts.embeddings.shape[1])
    repeats, positions = (256, *parts.counting.repeats), (256, *parts.counting.positions)
    for place, token in enumerate(ids):
        before = seen.get(token, 0)
        seen[token] = before + 1
        share = repeats[min(before, len(repeats) - 1)] / 256
        share *= positions[min(place, len(positions) - 1)] / 256
        row = token if parts.token_rows is None else int(parts.token_rows[token])
        scale = 1.0 if parts.row_scales is None else float(parts.row_scales[row])
        weight = 1.0 if parts.token_weights is None else float(parts.token_weights[token])
        total += share * scale * weight * parts.embeddings[row].astype(np.float64)
    norm = float(np.linalg.norm(total))
    return total / norm if norm else total


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "int2"])
def test_vectors_are_the_weighted_sums(parts: ModelParts, dtype: str) -> None:
    for name, variant in variants(parts).items():
        model = pumice.StaticModel.from_parts(variant, dtype=dtype)
        stored = model.parts()
        assert stored.counting == variant.counting
        vectors = model.encode(TEXTS, threads=1)
        for text, vector in zip(TEXTS, vectors, strict=True):
            # A multiplier of int8 rows is a whole number, what a repeat counts of it too.
            atol = 2e-4 if dtype.startswith("int") or name.startswith(("fine", "int8")) else 2e-5
            wanted = expected(stored, model.tokenize(text))
            assert np.allclose(vector, wanted, rtol=0, atol=atol), (name, text[:40])
            own = model.token_vectors(text).vectors.astype(np.float64).sum(0)
            own /= np.linalg.norm(own) or 1
            assert np.allclose(vector, own, rtol=0, atol=2e-5), (name, text[:40])
            assert np.array_equal(model.encode(text), vector)
        assert np.array_equal(model.encode(TEXTS[::-1], threads=3)[::-1], vectors)


def test_a_text_that_fails_leaves_nothing_behind(parts: ModelParts) -> None:
    model = pumice.StaticModel.from_parts(replace(parts, counting=BOTH))
    before = model.encode("the cat")
    for broken in ("the the cat \ud800", "cat " * 5000 + "\ud800"):
        with pytest.raises(InputError):
            model.encode(broken)
        with pytest.raises(InputError):
            model.encode([broken, "the cat"], threads=1)
        assert np.array_equal(model.encode("the cat"), before)


def test_without_repeats_nothing_changes(model: pumice.StaticModel, parts: ModelParts) -> None:
    counting = pumice.StaticModel.from_parts(replace(parts, counting=RULES["repeats"]))
    assert np.array_equal(counting.encode(TEXTS[1]), model.encode(TEXTS[1]))
    assert not np.array_equal(counting.encode(TEXTS[0]), model.encode(TEXTS[0]))


def test_shares_add_up(parts: ModelParts) -> None:
    model = pumice.StaticModel.from_parts(replace(parts, counting=BOTH), dtype="int8")
    explained = model.explain(TEXTS[0], "the bird and the dog")
    a, b = model.encode([TEXTS[0], "the bird and the dog"])
    assert explained.score == pytest.approx(float(a @ b), abs=1e-6)
    assert explained.shares.sum() == pytest.approx(explained.score, abs=1e-9)


def test_ids_that_a_library_made_count_the_same(parts: ModelParts) -> None:
    native = pumice.StaticModel.from_parts(replace(parts, counting=BOTH))
    ids = np.array(native.tokenize(TEXTS[0]), np.uint32)
    out = np.empty((1, 64), np.float32)
    native._core.pool(ids, np.array([0, len(ids)]), 64, 0, out.view(np.uint8))
    assert np.array_equal(out[0], native.encode(TEXTS[0]))


def test_rules_by_name() -> None:
    assert counting_of() == counting_of(repeats=1) == Counting()
    assert counting_of(repeats=0).repeats == (0,) * 31
    ids = np.array([7, 7, 3, 7, 3] + [9] * 40)
    for exponent in (0.5, 0.8):
        counts = counting_of(repeats=exponent).of(ids) / 256**2
        for token, times in ((7, 3), (3, 2)):
            assert counts[ids == token].sum() == pytest.approx(times**exponent, abs=0.01)
        assert counts[ids == 9][:32].sum() == pytest.approx(32**exponent, abs=0.07)
        assert len(set(counts[ids == 9][31:].tolist())) == 1
    places = counting_of(lead=20).of(np.arange(1000)) / 256**2
    assert places[[0, 20, 60]] == pytest.approx([1, 2 / 3, 0.5], abs=0.002)
    assert len(set(places[255:].tolist())) == 1
    for wrong in ({"repeats": 1.5}, {"lead": 0}):
        with pytest.raises(InputError, match=f"{next(iter(wrong))} is"):
            counting_of(**wrong)


@pytest.mark.parametrize(
    ("counting", "normalize", "message"),
    [
        (Counting(repeats=(256,)), True, "repeats .* give at most 255, from 0 to 255"),
        (Counting(positions=(-1,)), True, "positions .* give at most 1024, from 0 to 255"),
        (Counting(repeats=(1,) * 256), True, "repeats .* give at most 255"),
        (Counting(positions=(1,) * 1025), True, "positions .* give at most 1024"),
        (Counting(repeats=(1,)), False, "does not normalise"),
    ],
)
def test_rules_that_no_file_can_hold(
    parts: ModelParts, counting: Counting, normalize: bool, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        pumice.StaticModel.from_parts(replace(parts, counting=counting, normalize=normalize))


def test_a_damaged_section_is_refused(parts: ModelParts) -> None:
    given = replace(parts, counting=Counting((128,), (200,)))
    file = pumice.StaticModel.from_parts(given)._file
    sections = {kind: bytes(s) for kind in Kind if (s := file.section(kind)) is not None}
    unnormalised = bytearray(sections[Kind.PARAMETERS])
    unnormalised[15] = 0
    for kind, data in (
        (Kind.REPEATS, b""),
        (Kind.REPEATS, bytes(256)),
        (Kind.POSITIONS, b""),
        (Kind.POSITIONS, bytes(1025)),
        (Kind.PARAMETERS, bytes(unnormalised)),
    ):
        with pytest.raises(ModelFileError, match="contradicts the parameters"):
            ModelFile.from_bytes(pack({**sections, kind: data}))


def test_other_libraries_cannot_count_so(parts: ModelParts, tmp_path: Path) -> None:
    model = pumice.StaticModel.from_parts(replace(parts, counting=BOTH))
    for name in ("model2vec", "sentence-transformers"):
        with pytest.warns(UserWarning, match="counts all of a text's tokens alike"):
            model.save_pretrained(tmp_path / name, format=name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pumice.StaticModel.from_parts(parts).save_pretrained(tmp_path / "plain")
