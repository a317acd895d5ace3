"""Words read one by one give the ids of the whole text: where cutting is proven right, and where it is not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

import pumice
from tests.parity import charsmaps, texts, unigrams
from tests.parity import small_tokenizers as small
from tests.parity.test_bpe import byte_level, qwen2
from tests.parity.test_token_ids import SameIds, parts_of

Json = dict[str, Any]
BLOCK = "\u2581"


def sequence(*steps: Json) -> Json:
    return {"type": "Sequence", "normalizers": list(steps)}


def replaced(pattern: str, content: str) -> Json:
    return {"type": "Replace", "pattern": {"String": pattern}, "content": content}


def runs(pattern: str, content: str) -> Json:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}


STRIP = {"type": "Strip", "strip_left": True, "strip_right": True}
NFKC = {"type": "NFKC"}
NORMALIZERS: dict[str, Json | None] = {
    "none": None,
    "nfkc_lowercase": sequence(NFKC, {"type": "Lowercase"}),
    "nfd_accents": sequence({"type": "NFD"}, {"type": "StripAccents"}),
    "bert": {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    },
    "nmt": {"type": "Nmt"},
    "strip": STRIP,
    "strip_in_between": sequence(replaced("x", "  "), STRIP, replaced(" ", "y ")),
    "prepend": {"type": "Prepend", "prepend": "ab"},
    "prepend_space_strip": sequence({"type": "Prepend", "prepend": " "}, NFKC, STRIP),
    "spaces": runs(" {2,}", " "),
    "spaces_to_block": runs(" {2,}", BLOCK),
    "any_spaces": runs(r"\s+", " "),
    "deleted_spaces": runs(r"\s+", ""),
    "punctuation_apart": sequence(
        *(replaced(mark, f" {mark} ") for mark in ",.!"), runs(r"\s+", " "), STRIP
    ),
    "punctuation_apart_no_strip": sequence(
        *(replaced(mark, f" {mark} ") for mark in ",.!t"), runs(" {2,}", " ")
    ),
    "spaces_after": sequence(replaced("e", "e "), replaced("t", " t "), runs(r"\s+", " ")),
    "spaces_after_then_three": sequence(replaced("e", "e "), runs(" {3,}", " ")),
    "spaces_after_then_map": sequence(
        replaced("e", "e "), {"type": "Lowercase"}, STRIP, runs(r"\s+", " ")
    ),
    "spaces_after_then_block": sequence(
        replaced("e", "e "), replaced(" ", BLOCK), runs(r"\s+", " ")
    ),
    "spaces_after_then_letter": sequence(
        replaced("e", "e  "), replaced("  ", "q"), runs(r"\s+", " ")
    ),
    "collapsed_then_spaces_after": sequence(runs(r"\s+", " "), replaced("e", "e ")),
    "collapsed_then_block": sequence(replaced("e", "e "), runs(r"\s+", " "), replaced(" ", BLOCK)),
    "block": replaced(" ", BLOCK),
    "block_then_nmt": sequence(replaced(" ", BLOCK), {"type": "Nmt"}),
    "block_then_run": sequence(replaced(" ", BLOCK), runs(BLOCK + "{2,}", BLOCK)),
    "block_deleted": sequence(replaced(" ", BLOCK), replaced(BLOCK, "")),
    # These match across the beginning of a word, or change what it begins with.
    "across": replaced("a ", "b"),
    "across_two": replaced("e\u2581", "\u2581e"),
    "from_space": replaced(" t", "T"),
    "from_space_kept": replaced(" t", " T"),
    "letters_for_letter": replaced("e", "ab"),
    "space_for_letter": replaced("e", " "),
    "block_for_letter": replaced("e", BLOCK),
}
CHARSMAPS = {
    "nmt_nfkc": [],
    "nmt_nfkc_spaces": [runs(" {2,}", " ")],
    "nmt_nfkc_t5": [STRIP, runs(" {2,}", BLOCK)],
    "nfkc": [],
    "nmt_nfkc_cf": [runs(r"\s+", " ")],
}
PRE_TOKENIZERS: dict[str, Json | None] = unigrams.PRE_TOKENIZERS | {
    "whitespace": {"type": "Whitespace"},
    "bert": {"type": "BertPreTokenizer"},
    "whitespace_digits": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Digits", "individual_digits": True},
        ],
    },
    "metaspace_digits": {
        "type": "Sequence",
        "pretokenizers": [
            unigrams.METASPACES["metaspace_always_split"],
            {"type": "Punctuation", "behavior": "MergedWithNext"},
        ],
    },
}


def words() -> Iterator[str]:
    """Words at the borders of what the caches hold: sizes, tokens, NUL, zeros at the end of a key."""
    for size in (1, 7, 8, 14, 15, 16, 17, 29, 30, 31, 32, 33, 39, 40, 41, 63, 64, 65, 130):
        yield "the lower newest widest "[: size % 24] + "q" * (size - size % 24)
        yield "z" * size
        yield "\u00e9" * (size // 2)
        yield "\uac00" * (size // 3)
    for nuls in range(4):
        yield "the" + "\0" * nuls
    yield from (
        "a",
        "a\x01",
        "a\x0f",
        "newest",
        "Newest,",
        "don't",
        "lower\u0301",
        "thelowere\u0301st",
        "thelowe\u0301st",
        "cafe\u00e9s",
        "lowerwidest\u00e9widest",
        "\u00e9lowerwidest",
        "\U0001f44d\U0001f3fd",
    )


def ends() -> tuple[str, ...]:
    """What a word may end with that does not leave it apart from the next, and what does."""
    return (
        "", "\u3000", "\u00a0", "\u200b", "\u0600", "\u0301", BLOCK, "\t", "\n", "\r\n", "\r", "\x01", "\x7f",
        "\u2028", "\u0e33", "\U000110bd", "\ufeff", "\u00ad", "e", "x",
    )  # fmt: skip


def gaps() -> tuple[str, ...]:
    return (
        " ",
        "  ",
        "   ",
        " " * 70,
        "\n",
        "\n ",
        " \n",
        "\t",
        "\r\n ",
        " \u0301",
        " \u200d",
        BLOCK,
        " " + BLOCK,
    )


def lines() -> list[str]:
    rng = random.Random(21)
    some = list(words())
    made = [
        f"{a}{end}{gap}{b}"
        for a, end, gap, b in product(("", "the", "q"), ends(), gaps(), ("", "e", BLOCK))
    ]
    made += [f"{gap}the{end}{gap}" for end, gap in product(ends(), gaps())]
    for _ in range(600):
        parts = [
            rng.choice(some) + rng.choice(ends()) * (rng.random() < 0.2) + rng.choice(gaps())
            for _ in range(12)
        ]
        made.append("".join(parts))
    # The same word at the beginning, in between and at the end.
    made += [
        f"{word}{gap}{word}{gap}{word}" for word in (*some, "the", "e", "t") for gap in (" ", "\n")
    ]
    made.append(" ".join(["\u200b"] * 5000))
    made.append("the\u3000 " * 4000)
    made.append("the \u0600 \u3000" * 3000 + "end")
    made.append(" ".join(some * 3))
    return [*made, *(text for text in texts.hostile_texts().values() if len(text) < 20_000)]


LINES = lines()


def check(parts: pumice.modelfile.parts.ModelParts) -> None:
    """Cold and warm, cut short and with unknown tokens left out."""
    same = SameIds(parts)
    same.check(LINES)
    same.check(reversed(LINES))
    SameIds(replace(parts, unknown="drop", max_tokens=5)).check(LINES[::3])
    SameIds(replace(parts, max_tokens=1, max_chars=9)).check(LINES[::7])


@pytest.mark.parametrize(
    "pre_tokenizer", ["metaspace_always_split", "metaspace_first_split", "split_then_metaspace"]
)
@pytest.mark.parametrize("name", list(NORMALIZERS))
def test_normalizers(name: str, pre_tokenizer: str) -> None:
    normalizer = NORMALIZERS[name]
    pre = PRE_TOKENIZERS[pre_tokenizer]
    parts = parts_of(unigrams.unigram(normalizer=normalizer, pre_tokenizer=pre, byte_fallback=True))
    if pumice.StaticModel.from_parts(parts).metadata["tokenizer"]["native"]:
        check(parts)


@pytest.mark.parametrize(
    "pre_tokenizer", ["metaspace_always_split", "split_then_metaspace", "whitespace_split"]
)
@pytest.mark.parametrize("name", list(CHARSMAPS))
def test_charsmaps(name: str, pre_tokenizer: str) -> None:
    rule = name.removesuffix("_spaces").removesuffix("_t5")
    charsmap = charsmaps.precompiled(charsmaps.of_sentencepiece(rule))
    normalizer = sequence(charsmap, *CHARSMAPS[name])
    pre = PRE_TOKENIZERS[pre_tokenizer]
    check(parts_of(unigrams.unigram(normalizer=normalizer, pre_tokenizer=pre, byte_fallback=True)))


SMALL_CHARSMAPS: dict[str, dict[str, str]] = {
    "prepend_takes_the_space": {"\u0600": "p", "\n": " ", "\t": " "},
    "line_ends_are_letters": {"\n": "e", "\t": "  ", "\r": " "},
    "space_is_a_letter": {" ": "e", "\n": " "},
    "space_begins_a_key": {" \u0301": "e", "\n": " "},
}


@pytest.mark.parametrize("after", [None, "block", "any_spaces"])
@pytest.mark.parametrize("name", list(SMALL_CHARSMAPS))
def test_small_charsmaps(name: str, after: str | None) -> None:
    charsmap = charsmaps.precompiled(charsmaps.build(SMALL_CHARSMAPS[name]))
    steps = [charsmap] if after is None else [charsmap, NORMALIZERS[after] or {}]
    for normalizer in (sequence(*steps), sequence(*steps[::-1])):
        check(parts_of(unigrams.unigram(normalizer=normalizer, byte_fallback=True)))


@pytest.mark.parametrize("build", [unigrams.unigram, lambda: byte_level(None), small.word_level])
def test_tokens_left_out_count(build: Any) -> None:
    """Unknown tokens that the mean leaves out take part in what max_tokens cuts, from the caches as well."""
    made = [
        "the \u4e2d\u6587 lower\u4e2d \u4e2d newest\u4e2dthe \u4e2d\u4e2d\u4e2d the lower " * 3,
        *LINES[::5],
    ]
    for most in (1, 2, 3, 5, 8, 64, 65):
        same = SameIds(replace(parts_of(build(), unknown="drop"), max_tokens=most))
        same.check(made)
        same.check(reversed(made))


@pytest.mark.parametrize("name", list(PRE_TOKENIZERS))
@pytest.mark.parametrize("normalizer", ["none", "block", "any_spaces"])
def test_pre_tokenizers(name: str, normalizer: str) -> None:
    pre = PRE_TOKENIZERS[name]
    check(
        parts_of(
            unigrams.unigram(
                normalizer=NORMALIZERS[normalizer], pre_tokenizer=pre, byte_fallback=True
            )
        )
    )


@pytest.mark.parametrize(
    "build", [lambda: byte_level(None), lambda: byte_level(None, prefix=True), qwen2]
)
@pytest.mark.parametrize("normalizer", [None, "nfkc_lowercase", "prepend", "block"])
def test_patterns(build: Any, normalizer: str | None) -> None:
    tokenizer = build()
    if normalizer is not None:
        tokenizer = {**tokenizer, "normalizer": NORMALIZERS[normalizer]}
    check(parts_of(tokenizer))


def test_added_tokens_between_words() -> None:
    """The text between added tokens has ends of its own."""
    tokenizer = unigrams.unigram(
        normalizer=STRIP, pre_tokenizer=PRE_TOKENIZERS["metaspace_first_split"]
    )
    tokenizer["added_tokens"] = [small.added_token("</s>", 1, special=True)]
    pieces = ["the", " the", "the ", "  newest lower ", "", "\u3000", " \u200b"]
    made = ["</s>".join(parts) for parts in product(pieces, repeat=3)]
    parts = parts_of({**tokenizer, "normalizer": None})
    same = SameIds(parts)
    same.check(made)
    same.check(reversed(made))


@pytest.mark.parametrize("build", [unigrams.unigram, lambda: byte_level(None)])
def test_more_words_than_the_caches_hold(build: Any) -> None:
    rng = random.Random(22)
    many = ["".join(rng.choices("thelowrnwsid", k=rng.randint(1, 20))) for _ in range(250_000)]
    made = [" ".join(many[at : at + 50]) for at in range(0, len(many), 50)]
    same = SameIds(parts_of(build()))
    same.check(made)
    same.check(made[::-1])


@pytest.mark.parametrize("build", [unigrams.unigram, lambda: byte_level(None), qwen2])
def test_vectors_do_not_depend_on_what_was_met(build: Any) -> None:
    parts = parts_of(build(), unknown="drop")
    cold = np.concatenate(
        [pumice.StaticModel.from_parts(parts).encode(LINES[i::40]) for i in range(40)]
    )
    model = pumice.StaticModel.from_parts(parts)
    model.encode(LINES[::-1])
    warm = np.concatenate([model.encode(LINES[i::40]) for i in range(40)])
    assert np.array_equal(cold, warm)
    unknown = model._core.describe()["unknown_id"]
    ids = [[i for i in found if i != unknown] for found in model.tokenize(LINES[::40])]
    wanted = np.stack([parts.embeddings[i].sum(0) if i else np.zeros(2) for i in ids])
    norms = np.maximum(np.linalg.norm(wanted, axis=1, keepdims=True), 1e-30)
    assert np.abs(warm[: len(ids)] - wanted / norms).max() < 1e-4
