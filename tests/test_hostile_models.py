"""A hostile model file is refused, or a text is, or the text costs no more than its length allows."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pumice
from pumice.errors import ModelFileError
from pumice.modelfile import ModelParts
from pumice.modelfile.container import Kind, pack
from pumice.modelfile.pre_tokenizers import SPLIT_LITERAL, WHITESPACE_SPLIT, operation
from pumice.modelfile.program import step
from pumice.modelfile.reader import ModelFile
from tests.parity import small_tokenizers as small
from tests.parity import unigrams

Sections = dict[Kind, bytes]

LETTERS = 100_000
SECONDS_A_BYTE = 500e-6
"""Ten times what the slowest case takes; quadratic work takes a hundred times as long."""
LOOP = struct.pack("<II", ord("a") | 1 << 31, 0) + struct.pack("<II", 1, 0) * 127
"""A trie where 'a' leads from the root back to the root, which is a token."""


def sections_of(tokenizer: dict[str, Any]) -> Sections:
    """The sections of a native model that has this tokenizer."""
    rows = np.ones((len(tokenizer["model"]["vocab"]), 4), np.float32)
    model = pumice.StaticModel.from_parts(ModelParts(tokenizer=tokenizer, embeddings=rows))
    assert model.metadata["tokenizer"]["native"]
    return {kind: bytes(s) for kind in Kind if (s := model._file.section(kind)) is not None}


def count_ids(sections: Sections, text: str) -> int:
    """How many tokens the text has, found in time."""
    model = ModelFile.from_bytes(pack(sections))
    begin = time.perf_counter()
    try:
        (ids,) = model.core.tokenize([text], 1)
    finally:
        assert time.perf_counter() - begin < SECONDS_A_BYTE * (len(text) + 1000)
    return len(ids)


def replace(pattern: bytes, content: bytes) -> bytes:
    return step(11, struct.pack("<I", len(pattern)) + pattern + content)


def metaspace(mark: bytes) -> bytes:
    return step(100, bytes([1, 1, 0, 0]) + mark)


@pytest.fixture(scope="module")
def unigram() -> Sections:
    return sections_of(unigrams.by_hand([("<unk>", 0.0), ("a", -1.0), ("aa", -1.5)]))


@pytest.fixture(scope="module")
def bpe() -> Sections:
    sections = sections_of(small.bpe_byte_level())
    del sections[Kind.PRE_TOKENIZER]
    return sections


@pytest.mark.parametrize("letters", [1, LETTERS])
@pytest.mark.parametrize(
    "normalizer",
    [
        replace(b"a", b"a" * 100) * 8,
        replace(b"a", b"a" * 300_000),
        step(13, b"a" * 100_000) * 200,
    ],
    ids=["chain", "long", "prepend"],
)
def test_a_text_that_grows_beyond_measure_is_refused(
    unigram: Sections, normalizer: bytes, letters: int
) -> None:
    with pytest.raises(ModelFileError, match="cost more than any text may"):
        count_ids({**unigram, Kind.NORMALIZER: normalizer}, "a" * letters)


def test_pieces_that_double_are_refused(unigram: Sections) -> None:
    rounds = [metaspace(m) + operation(SPLIT_LITERAL, 1, 0, data=m) for m in (b"A", b"B")]
    hostile = {**unigram, Kind.PRE_TOKENIZER: b"".join(rounds * 60)}
    with pytest.raises(ModelFileError, match="cost more than any text may"):
        count_ids(hostile, "x")


@pytest.mark.parametrize(
    ("kind", "program"),
    [
        (Kind.NORMALIZER, step(5) * 257),
        (Kind.PRE_TOKENIZER, operation(WHITESPACE_SPLIT) * 257),
        (Kind.NORMALIZER, replace(b"a" * 257, b"")),
        (Kind.PRE_TOKENIZER, operation(SPLIT_LITERAL, 1, 0, data=b"a" * 257)),
    ],
)
def test_long_programs_and_patterns_are_refused(
    unigram: Sections, kind: Kind, program: bytes
) -> None:
    with pytest.raises(ModelFileError, match="contradicts the parameters"):
        ModelFile.from_bytes(pack({**unigram, kind: program}))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {Kind.VOCABULARY: LOOP},
        {Kind.ADDED_TOKENS: LOOP},
        {Kind.NORMALIZER: replace(b"a", b"a" * 10), Kind.VOCABULARY: LOOP},
        {Kind.NORMALIZER: replace(b"a" * 255 + b"b", b"") * 200},
        {Kind.PRE_TOKENIZER: operation(SPLIT_LITERAL, 1, 0, data=b"a" * 255 + b"b") * 200},
    ],
    ids=["word", "trie", "added", "longer", "replace", "split"],
)
def test_one_long_word_costs_what_its_length_allows(unigram: Sections, changes: Sections) -> None:
    assert count_ids({**unigram, **changes}, "a" * LETTERS) > 0


def test_full_tables_of_merges(bpe: Sections) -> None:
    model = bytearray(bpe[Kind.MODEL])
    slots = (len(model) - 1040) // 16
    letter = struct.unpack_from("<256I", model, 16)[ord("a")]
    bpe = {kind: data for kind, data in bpe.items() if kind != Kind.TOKEN_BORDERS}
    for merge, left in (((1, 2, 3, 4), LETTERS), ((letter, letter, 1, letter), 1)):
        model[1040:] = struct.pack("<4I", *merge) * slots
        assert count_ids({**bpe, Kind.MODEL: bytes(model)}, "a" * LETTERS) == left


def test_borders_of_other_tokens_than_there_are_parts(bpe: Sections) -> None:
    """They would let a token stand that has no parts, which the next border asks for."""
    parts, borders = bpe[Kind.TOKEN_PARTS], bpe[Kind.TOKEN_BORDERS]
    for changed in (
        {Kind.TOKEN_PARTS: parts[:-16]},
        {Kind.TOKEN_PARTS: b""},
        {Kind.TOKEN_BORDERS: borders[:-16]},
    ):
        with pytest.raises(ModelFileError, match="contradicts the parameters"):
            ModelFile.from_bytes(pack({**bpe, **changed}))
    without = {kind: data for kind, data in bpe.items() if kind != Kind.TOKEN_BORDERS}
    assert count_ids(without, "a" * 9) == count_ids(bpe, "a" * 9)


@pytest.mark.parametrize("build", [small.bpe_metaspace, small.unigram])
def test_the_longest_that_a_text_may_get_is_not_refused(build: Any) -> None:
    assert count_ids(sections_of(build()), "\ufdfa" * LETTERS) > LETTERS


def test_what_the_core_would_refuse_is_left_to_the_library() -> None:
    steps = [{"type": "Lowercase"}] * 257
    long = unigrams.by_hand([("<unk>", 0.0), ("a", -1.0), ("b" * 257, -2.0)])
    split = {"type": "Split", "pattern": {"String": "a" * 257}, "behavior": "Isolated"}
    for changes, reason in (
        ({"normalizer": {"type": "Sequence", "normalizers": steps}}, "has 257 steps"),
        ({"pre_tokenizer": {**split, "invert": False}}, "a pattern has 257 bytes"),
        (long, "a token has 257 bytes"),
    ):
        tokenizer = {**unigrams.by_hand([("<unk>", 0.0), ("a", -1.0)]), **changes}
        rows = np.ones((len(tokenizer["model"]["vocab"]), 4), np.float32)
        model = pumice.StaticModel.from_parts(ModelParts(tokenizer=tokenizer, embeddings=rows))
        assert reason in model.metadata["tokenizer"]["reason"]


@pytest.mark.parametrize(
    "changes",
    [
        {"added_tokens": [3]},
        {"added_tokens": [{"content": "x"}]},
        {"normalizer": []},
        {"normalizer": {"type": "Sequence"}},
        {"normalizer": {"type": "Replace", "pattern": None, "content": ""}},
        {"pre_tokenizer": {"type": "Split", "pattern": 1}},
        {"truncation": 5},
        {"model": {"type": "BPE", "vocab": {"a": 0, "b": "1"}, "merges": []}},
        {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": 5}},
        {"model": {"type": "Unigram", "vocab": [["a"], ["b"]], "unk_id": 0}},
        {"model": {"type": "Unigram", "vocab": [["a", "x"], ["b", 1]], "unk_id": 0}},
        {"model": {"type": "Unigram", "vocab": 7}},
    ],
)
def test_a_damaged_tokenizer_json_is_one_sentence(changes: dict[str, Any]) -> None:
    vocab = [["a", 0.0], ["b", -1.0]]
    whole = {"added_tokens": [], "model": {"type": "Unigram", "unk_id": 0, "vocab": vocab}}
    parts = ModelParts(tokenizer={**whole, **changes}, embeddings=np.ones((2, 4), np.float32))
    with pytest.raises(ModelFileError, match=r"tokenizer\.json"):
        pumice.StaticModel.from_parts(parts)


@pytest.mark.parametrize(
    "damage",
    [
        {"type": "ByteLevel", "trim_offsets": True},
        {"type": "Sequence", "trim_offsets": True},
        {"type": "Sequence", "processors": [3, "trim_offsets"]},
        ["trim_offsets", {"trim_offsets": True}],
    ],
)
def test_a_damaged_post_processor_is_one_sentence(damage: Any) -> None:
    tokenizer = {**small.bpe_byte_level(), "post_processor": damage}
    rows = np.ones((len(tokenizer["model"]["vocab"]), 4), np.float32)
    model = pumice.StaticModel.from_parts(ModelParts(tokenizer, rows))
    assert model.encode("a text").any()
    with pytest.raises(ModelFileError, match=r"tokenizer\.json is damaged"):
        model.token_vectors("a text")


def test_a_tokenizer_that_the_library_panics_over_is_one_sentence() -> None:
    tokenizer = small.bpe_byte_level()
    tokenizer = {**tokenizer, "model": {**tokenizer["model"], "continuing_subword_prefix": "\0"}}
    rows = np.ones((len(tokenizer["model"]["vocab"]), 4), np.float32)
    model = pumice.StaticModel.from_parts(ModelParts(tokenizer, rows))
    with pytest.raises(ModelFileError, match="its tokenizer cannot be loaded"):
        model.encode("a text")


def test_a_deep_tokenizer_json_is_one_sentence() -> None:
    normalizer: dict[str, Any] = {"type": "NFC"}
    for _ in range(5000):
        normalizer = {"type": "Sequence", "normalizers": [normalizer]}
    vocab = [["a", 0.0], ["b", -1.0]]
    tokenizer = {
        "normalizer": normalizer,
        "model": {"type": "Unigram", "unk_id": 0, "vocab": vocab},
    }
    with pytest.raises(ModelFileError, match=r"tokenizer\.json is damaged"):
        pumice.StaticModel.from_parts(ModelParts(tokenizer, np.ones((2, 4), np.float32)))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc")
def test_what_a_long_text_took_is_given_back(unigram: Sections) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    model = ModelFile.from_bytes(pack(unigram))
    out = np.empty(4 * 4, np.uint8)
    model.core.encode_one("a", 4, 0, out)
    before = resident()
    text = "a" * 8_000_000  # which takes 28 bytes a letter
    model.core.encode_one(text, 4, 0, out)
    assert resident() - before < 100_000_000
