"""Normalizers equal those of Hugging Face tokenizers: a Unigram that spells bytes shows their results."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tokenizers

import pumice
from tests.parity import charsmaps, texts, unigrams
from tests.parity.test_token_ids import SameIds, assert_same_ids, parts_of

Json = dict[str, Any]
UNICODE_16 = pytest.mark.skipif(
    not tokenizers.__version__.startswith("0.22."),
    reason="the core cuts grapheme clusters as tokenizers 0.22 does",
)


def replace(pattern: str, content: str, *, kind: str = "Regex") -> Json:
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def sequence(*parts: Json) -> Json:
    return {"type": "Sequence", "normalizers": list(parts)}


def bert(**flags: bool | None) -> Json:
    off = dict.fromkeys(("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"), False)
    return {"type": "BertNormalizer", **off, **flags}


PLAIN = ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt")
NORMALIZERS: dict[str, Json] = {name: {"type": name} for name in PLAIN} | {
    "bert": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True}
    | {"strip_accents": None, "lowercase": True},
    "bert_clean": bert(clean_text=True),
    "bert_chinese": bert(handle_chinese_chars=True),
    "bert_accents": bert(strip_accents=True),
    "replace_text": replace("ab", "\u00e9b", kind="String"),
    "replace_space": replace(" ", "\u2581", kind="String"),
    "replace_with_nothing": replace("\u0301", "", kind="String"),
    "replace_special": replace(".*(a|b)+[c]\\", "x", kind="String"),
    "replace_spaces": replace(" {2,}", " "),
    "replace_spaces_by_mark": replace(" {2,}", "\u2581"),
    "replace_whitespace": replace(r"\s+", " "),
    "replace_three_whitespaces": replace(r"\s{3,}", "<>"),
    "replace_newline": replace(r"\n", "<n>"),
    "replace_newlines": replace(r"\n+", "\n"),
    "replace_quotes": replace("``", '"', kind="String"),
    "replace_escaped": replace(r"\.\.", "\u2026"),
    "prepend": {"type": "Prepend", "prepend": "\u2581"},
    "strip": {"type": "Strip", "strip_left": True, "strip_right": True},
    "strip_left": {"type": "Strip", "strip_left": True, "strip_right": False},
    "strip_right": {"type": "Strip", "strip_left": False, "strip_right": True},
    "albert": sequence(
        replace("``", '"', kind="String"),
        replace("''", '"', kind="String"),
        {"type": "NFKD"},
        {"type": "StripAccents"},
        {"type": "Lowercase"},
    ),
    "nested": sequence(sequence({"type": "Nmt"}, {"type": "NFKC"}), replace(" {2,}", " ")),
    "nfd_nfc": sequence({"type": "NFD"}, {"type": "Lowercase"}, {"type": "NFC"}),
    "everything_twice": sequence(*({"type": name} for name in (*PLAIN, *PLAIN))),
}
SMALL_CHARSMAPS: dict[str, dict[str, str]] = {
    "letter": {"a": "X"},
    "deletion": {"a": "", "\u0301": "", "\r": "", "\u0600": ""},
    "composition": {"e\u0301": "\u00e9", "a": "bb", "\r\n": "\n", "\u0600a": "!"},
    "longer_key_never_wins": {"a": "1", "a\u0301": "2", "ab": "3", "\u0915": "K"},
    "marks": {"\u0301": "'", "\u0301\u0302": "^", "\u200d": "+", "\u00a9": "(c)"},
    "hangul": {"\uac00": "ga", "\u1100": "g", "\u1161": "a", "\u11a8": "G"},
}


def marks() -> Iterator[str]:
    """Letters and long runs of marks of every class, jamo, compositions cut in two."""
    rng = random.Random(6)
    pool = texts.within(texts.MARK_RANGES) + texts.LASTING_MARKS + texts.STARTER_MARKS
    jamo = texts.within(texts.SCRIPTS["hangul_jamo"]) + "\uac00\uac01\ud55c"
    starters = (
        "aeioyAEO\u00e9\u1ea4\u03b1\u03c9\u0915\u09c7\u0b47\u1025\u3046\u30cf\ufb1d\u212b\u1100"
    )
    tails = "\u09be\u0b3e\u102e\u3099\u309a\uff9e\u1161\u11a8\u0338\u0300\u0301\u0323\u0345\u05b4"
    for _ in range(6_000):
        parts = [rng.choice(starters + jamo)]
        for _ in range(rng.randint(1, 7)):
            parts += rng.choices(rng.choice((pool, tails, jamo, starters)), k=rng.randint(1, 4))
        yield "".join(parts)
    for size in (31, 32, 33, 100, 5_000):
        yield "a" + "".join(rng.choices(pool, k=size))


def clusters() -> Iterator[str]:
    """What grapheme clusters are made of: one of each kind, in every order, in short and long texts."""
    rng = random.Random(7)
    kinds = (
        "a\u00e9\u4e2d \0\r\n\x01\u200b\u0301\u0302\u064b\u200c\u200d\u0903\u0e33\u0600\u0890\u0d4e"
        "\u1100\u1161\u11a8\uac00\uac01\u263a\u00a9\U0001f468\U0001f3fd\ufe0f\U0001f1f0\U0001f1f7"
        "\u0915\u094d\u09cd\u0995\u093c\U000110bd\U0001d165\U0001e000\U000e0020\U00016d63\u0061"
    )
    for first in kinds:
        for second in kinds:
            yield from (first + second + third for third in kinds)
    for _ in range(20_000):
        yield "".join(rng.choices(kinds, k=rng.randint(4, 12)))


@pytest.fixture(scope="module")
def sample() -> list[str]:
    hostile = [text for text in texts.hostile_texts().values() if len(text) < 20_000]
    own = [
        "",
        " ",
        "  ",
        "   ",
        "  a  b   c ",
        "\n\n\na\n",
        "..a...",
        "``a''",
        ".*(a|b)+[c]\\x",
        "abab",
    ]
    long = ["a" * 100_000, " " * 30_000, "\ufdfa" * 2_000, "\u00e9" * 20_000, "\uac00" * 20_000]
    points = texts.code_point_texts(texts.telling_points()[::5])
    return [*own, *hostile, *long, *points, *texts.random_texts(1_500, seed=12), *marks()]


def same(normalizer: Json) -> SameIds:
    return SameIds(parts_of(unigrams.spelling(normalizer)))


@pytest.mark.parametrize("name", list(NORMALIZERS))
def test_normalizer(sample: list[str], name: str) -> None:
    same(NORMALIZERS[name]).check(sample)


@pytest.mark.parametrize("rule", charsmaps.RULES)
def test_precompiled(sample: list[str], rule: str) -> None:
    checked = same(charsmaps.precompiled(charsmaps.of_sentencepiece(rule)))
    checked.check(sample)
    checked.check(clusters())


@UNICODE_16
@pytest.mark.parametrize("name", list(SMALL_CHARSMAPS))
def test_small_charsmap(sample: list[str], name: str) -> None:
    checked = same(charsmaps.precompiled(charsmaps.build(SMALL_CHARSMAPS[name])))
    checked.check(sample)
    checked.check(clusters())


def test_charsmap_of_every_kind() -> None:
    """Each kind of code point becomes a letter, so that every cluster shows."""
    kinds = set("".join(clusters())) - {"\0"}
    mapping = {kind: chr(0x3B1 + index) for index, kind in enumerate(sorted(kinds))}
    same(charsmaps.precompiled(charsmaps.build(mapping))).check(clusters())


@pytest.mark.slow
@pytest.mark.parametrize("name", list(NORMALIZERS))
def test_normalizer_on_everything(data_dir: Path, name: str) -> None:
    checked = same(NORMALIZERS[name])
    checked.check(texts.code_point_texts(texts.SCALARS))
    checked.check(texts.random_texts(20_000))
    checked.check(texts.hostile_texts().values())
    checked.check(texts.eval_texts(data_dir, each=2_000))


@pytest.mark.slow
@pytest.mark.parametrize("rule", charsmaps.RULES)
def test_precompiled_on_everything(data_dir: Path, rule: str) -> None:
    checked = same(charsmaps.precompiled(charsmaps.of_sentencepiece(rule)))
    checked.check(texts.code_point_texts(texts.SCALARS))
    checked.check(texts.random_texts(100_000))
    checked.check(texts.hostile_texts().values())
    checked.check(texts.eval_texts(data_dir, each=2_000))


@pytest.mark.parametrize(
    ("normalizer", "reason"),
    [
        ({"type": "ByteLevel"}, "ByteLevel"),
        (replace("[a-z]+", "x"), "a-z"),
        (replace("", "x", kind="String"), "Replace"),
        (replace("a|b", "x"), "Replace"),
        ({"type": "Prepend", "prepend": ""}, "Prepend"),
    ],
)
def test_left_to_the_library(normalizer: Json, reason: str) -> None:
    parts = parts_of(unigrams.spelling(normalizer))
    model = pumice.StaticModel.from_parts(parts)
    assert reason in model.metadata["tokenizer"]["reason"]
    assert_same_ids(parts, ["abc A.B", ""], native=False)
