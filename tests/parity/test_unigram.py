"""Unigram token ids equal those of Hugging Face tokenizers, and the core itself runs them."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

import pumice
from pumice.modelfile.unigram import as_tokenizers_reads
from tests.parity import charsmaps, texts, unigrams
from tests.parity.test_token_ids import SameIds, assert_same_ids, parts_of

Json = dict[str, Any]
LIMITED = {name: text for name, text in texts.hostile_texts().items() if len(text) < 20_000}
HOSTILE = [
    *LIMITED.values(),
    "a" * 100_000,
    "\u4e2d" * 30_000,
    " " * 50_000,
    "\u2581" * 3000,
    " \u2581 _ __ \u2581\u2581a \u2581 b_ ",
    "  lead", "trail  ", "\u3000wide\u3000", "\t\n mixed \r\n",
    "<unk> <0x41><0x00></s>", "</s></s> x</s>y",
]  # fmt: skip

SPACES = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
SPACES_TO_MARK = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}
STRIP_RIGHT = {"type": "Strip", "strip_left": False, "strip_right": True}


@pytest.fixture(scope="module")
def sample() -> list[str]:
    points = texts.code_point_texts(texts.telling_points()[::23])
    return [*HOSTILE, *points, *texts.random_texts(400, seed=11)]


@pytest.mark.parametrize("byte_fallback", [False, True])
@pytest.mark.parametrize("name", list(unigrams.PRE_TOKENIZERS))
def test_pre_tokenizers(sample: list[str], name: str, byte_fallback: bool) -> None:
    tokenizer = unigrams.unigram(
        pre_tokenizer=unigrams.PRE_TOKENIZERS[name], byte_fallback=byte_fallback
    )
    parts = parts_of(tokenizer)
    assert_same_ids(parts, sample)
    assert_same_ids(replace(parts, unknown="drop"), sample)
    assert_same_ids(replace(parts, max_tokens=7, max_chars=40), sample)


REAL: dict[str, tuple[str, list[Json], str]] = {
    "xlm_roberta": ("nmt_nfkc", [], "split_then_metaspace"),
    "xlm_roberta_fast": ("nmt_nfkc", [SPACES], "metaspace_always_split"),
    "t5": ("nmt_nfkc", [STRIP_RIGHT, SPACES_TO_MARK], "metaspace_always_split"),
    "t5_first": ("nmt_nfkc", [STRIP_RIGHT], "metaspace_first_whole"),
    "albert": ("nmt_nfkc_cf", [SPACES], "metaspace_always_split"),
}


@pytest.mark.parametrize("byte_fallback", [False, True])
@pytest.mark.parametrize("name", list(REAL))
def test_as_real_models_are_made(
    sample: list[str], data_dir: Path, name: str, byte_fallback: bool
) -> None:
    """SentencePiece's charsmap, what transformers puts around it, and a trained vocabulary."""
    rule, after, pre_tokenizer = REAL[name]
    charsmap = charsmaps.precompiled(charsmaps.of_sentencepiece(rule))
    tokenizer = unigrams.unigram(
        normalizer={"type": "Sequence", "normalizers": [charsmap, *after]},
        pre_tokenizer=unigrams.PRE_TOKENIZERS[pre_tokenizer],
        byte_fallback=byte_fallback,
    )
    # What "first" means after a charsmap, which may delete the beginning, is left to the library.
    native = name != "t5_first"
    same = SameIds(parts_of(tokenizer), native=native)
    assert same.model.metadata["tokenizer"]["native"] == native
    same.check(sample)
    same.check(texts.eval_texts(data_dir, each=30))


def test_metadata_says_native() -> None:
    model = pumice.StaticModel.from_parts(parts_of(unigrams.unigram()))
    assert model.metadata["tokenizer"] == {"type": "Unigram", "native": True, "reason": None}


@pytest.mark.parametrize("length", [3, 12, 200])
def test_ties(length: int) -> None:
    rng = random.Random(length)
    for _ in range(20):
        tokenizer = unigrams.by_hand(unigrams.random_vocabulary(rng))
        lines = ["".join(rng.choices("ab\u00e9\u4e2dz", k=length)) for _ in range(300)]
        assert_same_ids(parts_of(tokenizer), lines)


def test_fused_unknown_pieces_that_are_a_token() -> None:
    """With scores far above zero two unknown letters beat the token that spells them."""
    vocab = [("<unk>", 100.0), ("xy", 100.0), ("a", 110.0), ("yx", 400.0)]
    lines = ["xy", "axya", "xyx", "xxyy", "<unk>", "x<unk>y", "axyaxya", "xz", ""]
    for byte_fallback in (False, True):
        tokenizer = unigrams.by_hand(vocab, byte_fallback=byte_fallback)
        assert_same_ids(parts_of(tokenizer), lines)


def test_incomplete_byte_tokens() -> None:
    vocab = [("<unk>", 0.0), ("a", -1.0), ("<0xC3>", -2.0), ("<0xA9>", -2.0), ("<0x7A>", -2.0)]
    lines = ["\u00e9", "a\u00e9z", "\u00e8a\u00e9", "z\u00e9z\u4e2d", "<0xC3>"]
    assert_same_ids(parts_of(unigrams.by_hand(vocab, byte_fallback=True)), lines)


def test_scores_are_read_as_the_library_reads_them() -> None:
    rng = random.Random(9)
    scores = [-rng.random() * 10 ** rng.randint(-300, 300) for _ in range(2000)]
    scores += [-rng.random() * 20 for _ in range(5000)] + [0.0, -0.0, 1.0, -5.0, 1e22, 5e-324]
    vocab = [(f"t{index}", score) for index, score in enumerate(scores)]
    read = json.loads(Tokenizer.from_str(json.dumps(unigrams.by_hand(vocab))).to_str())
    assert [as_tokenizers_reads(score) for score in scores] == [
        s for _, s in read["model"]["vocab"]
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"unk_id": None}, "unk_id"),
        ({"vocab": [["<unk>", 0.0], ["a\0b", -1.0]]}, "NUL"),
    ],
)
def test_left_to_the_library(sample: list[str], change: Json, reason: str) -> None:
    tokenizer = unigrams.unigram()
    tokenizer["model"] |= change
    tokenizer["added_tokens"] = []
    model = pumice.StaticModel.from_parts(parts_of(tokenizer))
    assert not model.metadata["tokenizer"]["native"]
    assert reason in model.metadata["tokenizer"]["reason"]


def test_random_texts() -> None:
    assert_same_ids(parts_of(unigrams.unigram()), texts.random_texts(3_000))


def test_code_points_sampled() -> None:
    assert_same_ids(parts_of(unigrams.unigram()), texts.code_point_texts(texts.telling_points()))


def test_evaluation_texts_sampled(data_dir: Path) -> None:
    assert_same_ids(parts_of(unigrams.unigram()), texts.eval_texts(data_dir, each=150))


@pytest.mark.slow
@pytest.mark.parametrize("byte_fallback", [False, True])
def test_everything(data_dir: Path, byte_fallback: bool) -> None:
    same = SameIds(parts_of(unigrams.unigram(byte_fallback=byte_fallback)))
    same.check(texts.code_point_texts(texts.SCALARS))
    same.check(texts.random_texts(100_000))
    same.check(texts.hostile_texts().values())
    same.check(texts.eval_texts(data_dir))
