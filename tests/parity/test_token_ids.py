"""Token ids equal those of Hugging Face tokenizers, on every kind of text and tokenizer."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

import pumice
from pumice.errors import InputError
from pumice.modelfile.parts import ModelParts
from tests.parity import small_tokenizers as small
from tests.parity import texts

CHUNK = 100_000
Json = dict[str, Any]


def parts_of(tokenizer: Json, *, unknown: str = "average") -> ModelParts:
    """A model around a tokenizer; its vectors do not matter here."""
    size = Tokenizer.from_str(json.dumps(tokenizer)).get_vocab_size(with_added_tokens=True)
    rows = np.random.default_rng(0).standard_normal((size, 2), dtype=np.float32)
    return ModelParts(tokenizer=tokenizer, embeddings=rows, unknown=unknown)


def chunks(items: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def shortest(text: str, differs: Callable[[str], bool]) -> str:
    """A short substring-like text that still differs, for the failure message."""
    step = max(len(text) // 2, 1)
    while True:
        for at in range(0, len(text), step):
            if differs(shorter := text[:at] + text[at + step :]):
                text = shorter
                break
        else:
            if step == 1:
                return text
            step //= 2


def expected_ids(parts: ModelParts) -> Callable[[Sequence[str]], list[list[int]]]:
    """The reference: the tokenizers library, and model2vec's rule for unknown tokens."""
    tokenizer = Tokenizer.from_str(json.dumps(parts.tokenizer))
    tokenizer.no_padding()
    if parts.max_tokens is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(parts.max_tokens)
    dropped = None
    if parts.unknown == "drop":
        model = parts.tokenizer["model"]
        dropped = model.get("unk_id")
        if model.get("unk_token") is not None:
            dropped = tokenizer.token_to_id(model["unk_token"])

    def encode(batch: Sequence[str]) -> list[list[int]]:
        cut = [text[: parts.max_chars] for text in batch]
        encodings = tokenizer.encode_batch_fast(cut, add_special_tokens=False)
        return [[i for i in encoding.ids if i != dropped] for encoding in encodings]

    return encode


class SameIds:
    """Compares a model's token ids with the reference's; fails with a short text."""

    def __init__(self, parts: ModelParts, *, native: bool = True) -> None:
        self.tokenizer = parts.tokenizer
        self.model = pumice.StaticModel.from_parts(parts)
        self.reference = expected_ids(parts)
        assert (self.model._library is None) == native  # else the library meets itself

    def check(self, corpus: Iterable[str]) -> None:
        for batch in chunks(corpus):
            found, expected = self.model.tokenize(batch), self.reference(batch)
            if found != expected:
                pairs = zip(batch, found, expected, strict=True)
                self.fail(next(text for text, a, b in pairs if a != b))

    def fail(self, text: str) -> None:
        def both(text: str) -> tuple[list[int], list[int]]:
            return self.model.tokenize([text])[0], self.reference([text])[0]

        text = shortest(text, lambda t: both(t)[0] != both(t)[1])
        ours, theirs = both(text)
        pytest.fail(f"{text[:300]!a}: pumice {ours[:40]}, tokenizers {theirs[:40]}")


def assert_same_ids(parts: ModelParts, corpus: Iterable[str], *, native: bool = True) -> None:
    SameIds(parts, native=native).check(corpus)


@pytest.fixture(scope="module")
def minilm_ids(bert_tokenizer: Json) -> SameIds:
    """all-MiniLM-L6-v2's tokenizer."""
    return SameIds(parts_of(bert_tokenizer))


@pytest.fixture(scope="module")
def sample() -> list[str]:
    """A sample for tokenizers that are tried in number: no text is long."""
    hostile = [text for text in texts.hostile_texts().values() if len(text) < 20_000]
    points = texts.code_point_texts(texts.telling_points()[::23])
    return [*hostile, *points, *texts.random_texts(400, seed=11)]


def test_code_points_sampled(minilm_ids: SameIds) -> None:
    minilm_ids.check(texts.code_point_texts(texts.telling_points()))


@pytest.mark.parametrize("flags", [small.BERT_FLAGS[0], small.BERT_FLAGS[5]])
def test_code_points_spelled_out(flags: Json) -> None:
    points = texts.telling_points()
    vocab = small.spelling_vocabulary(["ab\u302e\u1b44", *map(chr, points)])
    assert_same_ids(parts_of(small.bert(vocab, flags=flags)), texts.code_point_texts(points))


def test_order_of_marks() -> None:
    vocab = small.spelling_vocabulary(["a", texts.LASTING_MARKS])
    assert_same_ids(parts_of(small.bert(vocab)), texts.mark_pairs())


@pytest.mark.slow
def test_code_points_all(minilm_ids: SameIds) -> None:
    minilm_ids.check(texts.code_point_texts(texts.SCALARS))


@pytest.mark.slow
@pytest.mark.parametrize("flags", [small.BERT_FLAGS[0], small.BERT_FLAGS[2], small.BERT_FLAGS[23]])
def test_code_points_all_spelled_out(flags: Json) -> None:
    assigned = [p for p in texts.SCALARS if p < 0x32400 or 0xE0000 <= p < 0xE0200]
    vocab = small.spelling_vocabulary(["ab\u302e\u1b44", *map(chr, assigned)])
    assert_same_ids(parts_of(small.bert(vocab, flags=flags)), texts.code_point_texts(texts.SCALARS))


def test_random_texts(minilm_ids: SameIds) -> None:
    minilm_ids.check(texts.random_texts(3_000))


@pytest.mark.slow
def test_random_texts_all(minilm_ids: SameIds) -> None:
    minilm_ids.check(texts.random_texts(100_000))


@pytest.mark.slow
def test_random_texts_spelled_out() -> None:
    corpus = list(texts.random_texts(20_000, seed=8))
    vocab = small.spelling_vocabulary(corpus)
    for flags in small.BERT_FLAGS:
        assert_same_ids(parts_of(small.bert(vocab, flags=flags)), corpus)


@pytest.mark.parametrize("name", texts.hostile_texts())
def test_hostile_texts(minilm_ids: SameIds, name: str) -> None:
    minilm_ids.check([texts.hostile_texts()[name]])


@pytest.mark.parametrize("text", texts.LONE_SURROGATES, ids=ascii)
def test_lone_surrogates_are_refused(minilm_ids: SameIds, text: str) -> None:
    model = minilm_ids.model
    for call in (model.tokenize, model.encode):
        with pytest.raises(InputError, match="1"):
            call(["fine", text])
        with pytest.raises(InputError):
            call(text)


def test_evaluation_texts_sampled(minilm_ids: SameIds, data_dir: Path) -> None:
    minilm_ids.check(texts.eval_texts(data_dir, each=150))


@pytest.mark.slow
def test_evaluation_texts_all(bert_tokenizer: Json, minilm_ids: SameIds, data_dir: Path) -> None:
    minilm_ids.check(texts.eval_texts(data_dir))
    cased = copy.deepcopy(bert_tokenizer)
    cased["normalizer"]["lowercase"] = False
    assert_same_ids(parts_of(cased), texts.eval_texts(data_dir))


@pytest.mark.parametrize("flags", small.BERT_FLAGS, ids=lambda flags: str(list(flags.values())))
def test_normalizer_flags(sample: list[str], flags: Json) -> None:
    vocab = small.spelling_vocabulary(sample)
    assert_same_ids(parts_of(small.bert(vocab, flags=flags)), sample)


@pytest.mark.parametrize("limit", [0, 1, 5, 101, 1024, 20_000])
def test_longest_word(sample: list[str], limit: int) -> None:
    """The core has room for words of 1 to 1024 characters; other limits are the library's."""
    parts = parts_of(small.bert(small.spelling_vocabulary(sample), max_input_chars_per_word=limit))
    assert_same_ids(parts, sample, native=1 <= limit <= 1024)


@pytest.mark.parametrize("prefix", ["@@", "", "#", "\u2581", "ab"])
def test_continuing_prefix(sample: list[str], prefix: str) -> None:
    vocab = small.spelling_vocabulary(sample, prefix=prefix)
    assert_same_ids(parts_of(small.bert(vocab, continuing_subword_prefix=prefix)), sample)


def test_vocabulary_without_some_letters(sample: list[str]) -> None:
    vocab = small.without_some_letters(small.spelling_vocabulary(sample))
    for unknown in ("average", "drop"):
        assert_same_ids(parts_of(small.bert(vocab), unknown=unknown), sample)


def test_vocabulary_without_continuing_pieces(sample: list[str]) -> None:
    words = {token: i for i, token in enumerate([*small.SPECIAL, "a", "b", "hello", "\ud55c"])}
    del words["\ud55c"]
    assert_same_ids(parts_of(small.bert(words)), [*sample, "hello a ab helloa"])


def test_longest_match_backs_off() -> None:
    tokens = [*small.SPECIAL, "a", "ab", "abcd", "##c", "##d", "##de", "##cdx", "abcdef", "##"]
    vocab = {token: index for index, token in enumerate(tokens)}
    words = ["abcde", "abc", "abcdx", "abcdef", "abcdefg", "abd", "ac", "b", "abcdede", "a##"]
    assert_same_ids(parts_of(small.bert(vocab)), words)


def test_vocabulary_with_nul(sample: list[str]) -> None:
    vocab = small.spelling_vocabulary(sample)
    vocab |= {"\0": len(vocab), "##\0": len(vocab) + 1}
    assert_same_ids(parts_of(small.bert(vocab)), sample)  # clean_text leaves no NUL to look up
    kept = small.bert(vocab, flags={**small.BERT_FLAGS[0], "clean_text": False})
    assert_same_ids(parts_of(kept), [*sample, "a\0b", "\0", "\0\0 \0x"])


def test_other_unknown_token(sample: list[str]) -> None:
    vocab = small.without_some_letters(small.spelling_vocabulary(sample))
    for unknown in ("average", "drop"):
        tokenizer = small.bert(vocab, unk_token="a")
        assert_same_ids(parts_of(tokenizer, unknown=unknown), sample)


def test_added_tokens(sample: list[str]) -> None:
    vocab = small.spelling_vocabulary(sample)
    tokenizer = small.bert(vocab)
    contents = (
        "http",
        "aab",
        "aa",
        "aabb",
        "\ud55c\uae00",
        "\u302e",
        "a b",
        " ",
        "[[",
        "\u0130",
        "]]",
    )
    tokenizer["added_tokens"] += [
        small.added_token(content, vocab.get(content, len(vocab) + i))
        for i, content in enumerate(c for c in contents if c not in vocab)
    ]
    own = [
        "aaabb aab aabaa",
        "http://a b",
        "xhttpx",
        "\ud55c\uae00\ud55c",
        "[[CLS]]",
        "aa\u302ea",
        "]]]",
    ]
    for unknown in ("average", "drop"):
        assert_same_ids(parts_of(tokenizer, unknown=unknown), [*own, *sample])


def test_no_added_tokens(sample: list[str]) -> None:
    tokenizer = {**small.bert(small.spelling_vocabulary(sample)), "added_tokens": []}
    assert_same_ids(parts_of(tokenizer), sample)


@pytest.mark.parametrize("unknown", ["average", "drop"])
@pytest.mark.parametrize("max_tokens", [1, 2, 7, 100])
@pytest.mark.parametrize("max_chars", [None, 1, 30])
def test_truncation(
    sample: list[str], unknown: str, max_tokens: int, max_chars: int | None
) -> None:
    vocab = small.without_some_letters(small.spelling_vocabulary(sample))
    parts = parts_of(small.bert(vocab), unknown=unknown)
    assert_same_ids(replace(parts, max_tokens=max_tokens, max_chars=max_chars), sample)


def test_trained_wordpiece(sample: list[str]) -> None:
    for unknown in ("average", "drop"):
        assert_same_ids(parts_of(small.trained_wordpiece(), unknown=unknown), sample)


@pytest.mark.parametrize("unknown", ["average", "drop"])
@pytest.mark.parametrize("name", list(small.NATIVE))
def test_native_tokenizers(sample: list[str], name: str, unknown: str) -> None:
    parts = parts_of(small.NATIVE[name](), unknown=unknown)
    assert_same_ids(parts, sample)
    assert_same_ids(replace(parts, max_tokens=5, max_chars=40), sample)


@pytest.mark.parametrize("unknown", ["average", "drop"])
@pytest.mark.parametrize("name", list(small.FOREIGN))
def test_foreign_tokenizers(sample: list[str], name: str, unknown: str) -> None:
    parts = parts_of(small.FOREIGN[name](), unknown=unknown)
    assert_same_ids(parts, sample, native=False)
    assert_same_ids(replace(parts, max_tokens=5, max_chars=40), sample, native=False)
