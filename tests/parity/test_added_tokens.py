"""Added tokens with every flag, in every family that the core runs, cut as by Hugging Face tokenizers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from pumice.modelfile.vocabulary import model_vocabulary
from tests.parity import small_tokenizers as small
from tests.parity import texts
from tests.parity.test_bpe import byte_level, llama2, qwen2, sentencepiece
from tests.parity.test_token_ids import assert_same_ids, parts_of

Json = dict[str, Any]

FAMILIES: dict[str, Callable[[], Json]] = {
    "wordpiece": small.trained_wordpiece,
    "byte_level": lambda: byte_level(None),
    "byte_level_prefix": lambda: byte_level(None, prefix=True),
    "sentencepiece": sentencepiece,
    "llama2": llama2,
    "qwen2": qwen2,
    "lowercase": lambda: {**byte_level(None), "normalizer": {"type": "Lowercase"}},
    "metaspace": small.bpe_metaspace,
    "metaspace_first": lambda: {
        **small.bpe_metaspace(),
        "normalizer": None,
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first"},
    },
    "unigram": small.unigram,
    "word_level": small.word_level,
}
CONTENTS = (
    "<m>",
    "lo",
    "the",
    "er ",
    " ",
    "<m><m>",
    "\u00e9",
    "x\u0301",
    "\ud55c",
    "\0",
    "<m> <",
    "_a",
    "<",
)
FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
NEIGHBOURS = "a1_.\u0301\u00e9\u203f\u200d\ud55c \t\u00a0\u3000\u2028\u0085\u200b\n\r'-"


def with_added(tokenizer: Json, flags: dict[str, Json]) -> Json:
    """The tokenizer with added tokens: for each content its flags."""
    vocab = model_vocabulary(tokenizer)
    old = [added for added in tokenizer["added_tokens"] if added["content"] not in flags]
    names = dict.fromkeys([*(token["content"] for token in old), *flags])
    ids = {**vocab}
    for name in names:
        ids.setdefault(name, len(ids))
    added = [small.added_token(name, ids[name], **flags[name]) for name in flags]
    return {**tokenizer, "added_tokens": sorted([*old, *added], key=lambda token: token["id"])}


def added_texts(seed: int) -> Iterator[str]:
    """Added tokens among each other, white space and letters."""
    for content, before, after in product(CONTENTS[:3], ["", *NEIGHBOURS], ["", *NEIGHBOURS]):
        yield f"{before}{content}{after}"
        yield f"b {before} {content} {after} c{content}"
    rng = random.Random(seed)
    parts = [*CONTENTS * 2, *NEIGHBOURS, "  ", " \t ", "lower", "a", "[CLS]", "<|end|>"]
    for _ in range(400):
        yield "".join(rng.choices(parts, k=rng.randint(1, 9)))
    yield from texts.random_texts(40, seed=seed)
    yield from (
        "<" * 5_000,
        " <m> " * 1_500,
        " " * 1_500,
        "<m" * 5_000,
        "the" * 5_000,
        "<m>" + " " * 1_500,
    )


def check(family: str, flags: dict[str, Json], seed: int) -> None:
    assert_same_ids(parts_of(with_added(FAMILIES[family](), flags)), added_texts(seed))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("flags", list(product((False, True), repeat=4)), ids=str)
def test_one_combination(family: str, flags: tuple[bool, ...]) -> None:
    on = dict(zip(FLAGS, (*flags, True), strict=True))
    check(family, dict.fromkeys(CONTENTS[:3], on), seed=1)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(6))
def test_random_combinations(family: str, seed: int) -> None:
    rng = random.Random(seed)
    flags = {
        content: {flag: rng.random() < 0.4 for flag in FLAGS}
        for content in rng.sample(CONTENTS, k=rng.randint(2, len(CONTENTS)))
    }
    for content, on in flags.items():
        on["lstrip"] = on["lstrip"] and seed % 2 == 0
        on["rstrip"] = on["rstrip"] and seed % 2 == 1
        # BERT's normalizer makes nothing of NUL.
        on["normalized"] = on["normalized"] and (family, content) != ("wordpiece", "\0")
    check(family, flags, seed)


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize(
    ("normalizer", "native"),
    [
        ({"type": "NFKC"}, True),
        ({"type": "Prepend", "prepend": "\u2581"}, True),
        ({"type": "Replace", "pattern": {"String": "x"}, "content": "<m>"}, True),
        ({"type": "Replace", "pattern": {"String": "x"}, "content": ""}, False),
        ({"type": "Strip", "strip_left": True, "strip_right": False}, False),
        ({"type": "Sequence", "normalizers": [{"type": "StripAccents"}]}, False),
        ({"type": "Nmt"}, False),
    ],
    ids=str,
)
def test_the_first_piece(normalizer: Json, native: bool, normalized: bool) -> None:
    """Metaspace's "first" is where the text began before it was normalised."""
    tokenizer = {**FAMILIES["metaspace_first"](), "normalizer": normalizer}
    flags = {content: {"normalized": normalized} for content in ("<m>", "q")}
    parts = ("x", "<m>", " ", "a", "\u0301", "\u2581", "q", "\x01", "\u4e2d", "\u212b")
    corpus = ("".join(text) for length in (1, 2, 3) for text in product(parts, repeat=length))
    assert_same_ids(parts_of(with_added(tokenizer, flags)), corpus, native=native)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["wordpiece", "byte_level"])
def test_every_neighbour(family: str) -> None:
    """single_word, lstrip and rstrip beside every code point."""
    for flag in FLAGS[:3]:
        tokenizer = with_added(FAMILIES[family](), {"<m>": {flag: True}})
        corpus = (f"{char}<m>{char}" for char in map(chr, texts.SCALARS))
        assert_same_ids(parts_of(tokenizer), corpus)
