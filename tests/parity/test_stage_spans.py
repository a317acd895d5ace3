"""Token spans of Unigram, BPE and WordLevel equal the offsets of Hugging Face tokenizers, stage by stage."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models

import pumice
from tests.parity import charsmaps, golden_tokenizers, texts, unigrams
from tests.parity import small_tokenizers as small
from tests.parity.test_bpe import TOKENIZERS, byte_level, qwen2
from tests.parity.test_normalizers import (
    NORMALIZERS,
    SMALL_CHARSMAPS,
    UNICODE_16,
    clusters,
    marks,
    sequence,
)
from tests.parity.test_pre_tokenizers import CHEAP, SPLITS
from tests.parity.test_token_ids import parts_of
from tests.parity.test_token_spans import assert_same_spans
from tests.parity.test_unigram import REAL

Json = dict[str, Any]


def thinned(items: Iterable[str], *, each: int) -> list[str]:
    return list(items)[::each]


@pytest.fixture(scope="module")
def sample() -> list[str]:
    own = ["", " ", "  a  b   c ", "\n\n\na\n", "``a''", "..a...", "don't  we'll\r\n", "<0x41>"]
    hostile = [text for text in texts.hostile_texts().values() if len(text) < 2_000]
    points = texts.code_point_texts(texts.telling_points()[::31])
    random_texts = texts.random_texts(150, seed=11)
    return [*own, *hostile, *points, *random_texts, *thinned(marks(), each=25), "\ufdfa" * 300]


def check(tokenizer: Json, corpus: list[str], *, unknown: str = "average") -> None:
    assert_same_spans(parts_of(tokenizer, unknown=unknown), corpus)


@pytest.mark.parametrize("unknown", ["average", "drop"])
@pytest.mark.parametrize("name", ["unigram", "bpe", "byte_level_bpe", "word_level"])
def test_golden_models(sample: list[str], name: str, unknown: str) -> None:
    tokenizer = getattr(golden_tokenizers, name)()
    check(tokenizer, sample, unknown=unknown)
    assert_same_spans(replace(parts_of(tokenizer), max_tokens=5, max_chars=40), sample[::3])


@pytest.mark.parametrize("name", [name for name in TOKENIZERS if "every_split" not in name])
def test_bpe(sample: list[str], name: str) -> None:
    long = ["a" * 3_000, " " * 300, "\u00e9" * 200, "\0" * 200]
    check(TOKENIZERS[name](), [*sample, *long])


@pytest.mark.parametrize("name", NORMALIZERS)
def test_normalizers(sample: list[str], name: str) -> None:
    check(unigrams.spelling(NORMALIZERS[name]), sample)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_forms_of_marks(form: str) -> None:
    """Compositions, and marks out of order, of which some were one character."""
    check(unigrams.spelling({"type": form}), thinned(marks(), each=3))
    pieces = "a\u0344\u0f73\u0f81\u0323\u0301\u1e69\u1100\u1161\u11a8\uac00\u00bd\ufdfa\u3099\u304b"
    rng = random.Random(9)
    check(
        unigrams.spelling({"type": form}),
        ["".join(rng.choices(pieces, k=rng.randint(1, 8))) for _ in range(2_000)],
    )


@pytest.mark.parametrize("forms", [("NFD", "NFC"), ("NFKD", "NFKC"), ("NFC", "NFKD")])
def test_forms_after_forms(forms: tuple[str, str]) -> None:
    """Then a character that is composed has several that share one alignment."""
    steps = [{"type": form} for form in forms]
    check(unigrams.spelling(sequence(*steps)), thinned(marks(), each=5))


@UNICODE_16
@pytest.mark.parametrize("name", list(SMALL_CHARSMAPS))
def test_charsmaps(sample: list[str], name: str) -> None:
    """Also one that deletes the beginning: all that follows is aligned with too early a character."""
    normalizer = charsmaps.precompiled(charsmaps.build(SMALL_CHARSMAPS[name]))
    corpus = [*sample, *thinned(clusters(), each=23), "aab", "aaab a", "ba", "baa", "a\u0301a"]
    check(unigrams.spelling(normalizer), corpus)
    check(unigrams.spelling(sequence({"type": "NFD"}, normalizer)), corpus[::3])


def test_charsmap_expands_then_deletes() -> None:
    """A deletion goes to the character before it, even one that an expansion added."""
    for table in ({"a": "xyz", "b": ""}, {"a": "", "b": "xy"}, {"ab": "", "b": "xyz", "c": ""}):
        normalizer = charsmaps.precompiled(charsmaps.build(table))
        rng = random.Random(3)
        corpus = ["".join(rng.choices("abc \u00e9", k=rng.randint(1, 9))) for _ in range(600)]
        check(unigrams.spelling(normalizer), corpus)


@pytest.mark.parametrize("byte_fallback", [False, True])
@pytest.mark.parametrize("name", list(unigrams.PRE_TOKENIZERS))
def test_unigram(sample: list[str], name: str, byte_fallback: bool) -> None:
    pre_tokenizer = unigrams.PRE_TOKENIZERS[name]
    tokenizer = unigrams.unigram(pre_tokenizer=pre_tokenizer, byte_fallback=byte_fallback)
    check(tokenizer, sample)
    check(tokenizer, sample[::2], unknown="drop")


@pytest.mark.parametrize("name", [name for name in REAL if name != "t5_first"])
def test_as_real_models_are_made(sample: list[str], data_dir: Path, name: str) -> None:
    rule, after, pre_tokenizer = REAL[name]
    charsmap = charsmaps.precompiled(charsmaps.of_sentencepiece(rule))
    tokenizer = unigrams.unigram(
        normalizer=sequence(charsmap, *after),
        pre_tokenizer=unigrams.PRE_TOKENIZERS[pre_tokenizer],
    )
    check(tokenizer, [*sample, *thinned(texts.eval_texts(data_dir, each=30), each=10)])


@pytest.mark.parametrize("name", [*CHEAP, *list(SPLITS)[::9]])
def test_pre_tokenizers(sample: list[str], name: str) -> None:
    pieces = dict.fromkeys(
        piece for text in sample for piece, _ in SPLITS[name].pre_tokenize_str(text)
    )
    kept = dict.fromkeys(["[UNK]", *(piece for piece in pieces if "\0" not in piece)])
    vocab = {piece: i for i, piece in enumerate(kept)}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = SPLITS[name]
    check(small.as_json(tokenizer), sample)


def byte_level_step(*, add_prefix_space: bool, trim_offsets: bool = True) -> Json:
    flags = {"add_prefix_space": add_prefix_space, "trim_offsets": trim_offsets, "use_regex": True}
    return {"type": "ByteLevel", **flags}


def roberta(*, add_prefix_space: bool) -> Json:
    flags = {"add_prefix_space": add_prefix_space, "trim_offsets": True}
    return {"type": "RobertaProcessing", "sep": ["a", 0], "cls": ["a", 0], **flags}


TRIMMING = {
    "plain": byte_level_step(add_prefix_space=False),
    "prefix": byte_level_step(add_prefix_space=True),
    "off": byte_level_step(add_prefix_space=True, trim_offsets=False),
    "roberta": roberta(add_prefix_space=True),
    "sequence": {
        "type": "Sequence",
        "processors": [byte_level_step(add_prefix_space=True), roberta(add_prefix_space=False)],
    },
}


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("name", TRIMMING)
def test_offsets_that_a_post_processor_trims(sample: list[str], name: str, prefix: bool) -> None:
    tokenizer = {**byte_level(None, prefix=prefix), "post_processor": TRIMMING[name]}
    check(
        tokenizer, [*sample, " a", "  a  b", "a \u3000 b", "\u3000", "x  ", " \n \u0120 \x1c\x1d"]
    )
    check({**qwen2(), "post_processor": TRIMMING[name]}, sample[::3])


def test_trimming_where_the_first_token_may_be_dropped() -> None:
    """Only the library knows then which token was the first."""
    tokenizer = {**TOKENIZERS["bytes_unknown"](), "post_processor": TRIMMING["prefix"]}
    check(tokenizer, ["a b", "\u0120 a  b", " x y "], unknown="drop")


def test_explanation_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    model = pumice.StaticModel.from_parts(PARTS)
    found = model.token_vectors("The caf\u00e9 \ufb01nds")
    assert found.spans.tolist()[0][0] == 0
    assert found.spans.max() <= len("The caf\u00e9 \ufb01nds")
    assert model.explain("a the", "the a").score == pytest.approx(1, abs=1e-6)


PARTS = parts_of(golden_tokenizers.unigram())
