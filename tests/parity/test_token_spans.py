"""Token spans equal the offsets of Hugging Face tokenizers, on every kind of text and tokenizer."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from tokenizers import Tokenizer

import pumice
from pumice.modelfile.parts import ModelParts
from tests.parity import small_tokenizers as small
from tests.parity import texts
from tests.parity.test_token_ids import parts_of, shortest

Tokens = list[tuple[int, int, int]]


def expected(parts: ModelParts, reference: Tokenizer, text: str) -> Tokens:
    """The library's ids and offsets, under the model's limits and its rule for unknown tokens."""
    encoding = reference.encode(text[: parts.max_chars], add_special_tokens=False)
    pairs = zip(encoding.ids, encoding.offsets, strict=True)
    tokens = [(index, begin, end) for index, (begin, end) in pairs][: parts.max_tokens]
    if parts.unknown == "average":
        return tokens
    unknown = parts.tokenizer["model"].get("unk_id")
    if parts.tokenizer["model"].get("unk_token") is not None:
        unknown = reference.token_to_id(parts.tokenizer["model"]["unk_token"])
    return [token for token in tokens if token[0] != unknown]


def assert_same_spans(parts: ModelParts, corpus: Iterable[str], *, native: bool = True) -> None:
    model = pumice.StaticModel.from_parts(parts)
    assert (model._library is None) == native
    reference = Tokenizer.from_str(json.dumps(parts.tokenizer))

    def both(text: str) -> tuple[Tokens, Tokens]:
        found = model._token_spans(text).tolist()
        return [(a, b, c) for a, b, c in found], expected(parts, reference, text)

    for text in corpus:
        ours, theirs = both(text)
        if ours != theirs:
            text = shortest(text, lambda t: both(t)[0] != both(t)[1])
            ours, theirs = both(text)
            pytest.fail(f"{text[:300]!a}: pumice {ours[:40]}, tokenizers {theirs[:40]}")
        assert [token[0] for token in ours] == model.tokenize(text)


@pytest.fixture(scope="module")
def sample() -> list[str]:
    hostile = [text for text in texts.hostile_texts().values() if len(text) < 20_000]
    points = texts.code_point_texts(texts.telling_points()[::23])
    return [*hostile, *points, *texts.random_texts(400, seed=11)]


def test_code_points_and_random_texts(bert_tokenizer: Any) -> None:
    points = texts.code_point_texts(texts.telling_points()[::5])
    assert_same_spans(parts_of(bert_tokenizer), [*points, *texts.random_texts(3000)])


@pytest.mark.parametrize("name", texts.hostile_texts())
def test_hostile_texts(bert_tokenizer: Any, name: str) -> None:
    assert_same_spans(parts_of(bert_tokenizer), [texts.hostile_texts()[name]])


@pytest.mark.slow
def test_code_points_all(bert_tokenizer: Any) -> None:
    assert_same_spans(parts_of(bert_tokenizer), texts.code_point_texts(texts.SCALARS))


@pytest.mark.slow
def test_random_texts_all(bert_tokenizer: Any) -> None:
    assert_same_spans(parts_of(bert_tokenizer), texts.random_texts(100_000))


@pytest.mark.parametrize("flags", small.BERT_FLAGS, ids=lambda flags: str(list(flags.values())))
def test_every_character_shows(sample: list[str], flags: Any) -> None:
    """With a piece for each character, as without pieces for some."""
    vocab = small.spelling_vocabulary(sample)
    assert_same_spans(parts_of(small.bert(vocab, flags=flags)), sample[::2])
    cut = parts_of(small.bert(small.without_some_letters(vocab), flags=flags), unknown="drop")
    assert_same_spans(cut, sample[1::2])


def test_sorted_marks_keep_their_offsets_unsorted() -> None:
    """All orders of marks that stay, that go, that decompose into two, and of letters that hold some."""
    letters = "a\u00e9\u1ea4\u0344\u0f73\u302e\u1b44\U0001d16d\u0323\u034f"
    corpus = ["".join(chosen) for n in (1, 2, 3, 4) for chosen in product(letters, repeat=n)]
    rng = random.Random(4)
    corpus += ["".join(rng.choices(letters, k=rng.randint(5, 12))) for _ in range(3000)]
    corpus += [*list(texts.mark_pairs())[::3]]
    assert_same_spans(parts_of(small.bert(small.spelling_vocabulary(corpus))), corpus)


@pytest.mark.parametrize("limit", [1, 5, 1024])
def test_longest_word(sample: list[str], limit: int) -> None:
    parts = parts_of(small.bert(small.spelling_vocabulary(sample), max_input_chars_per_word=limit))
    assert_same_spans(parts, sample)


@pytest.mark.parametrize("unknown", ["average", "drop"])
@pytest.mark.parametrize("max_tokens", [1, 7])
@pytest.mark.parametrize("max_chars", [None, 30])
def test_truncation(
    sample: list[str], unknown: str, max_tokens: int, max_chars: int | None
) -> None:
    vocab = small.without_some_letters(small.spelling_vocabulary(sample))
    parts = parts_of(small.bert(vocab), unknown=unknown)
    assert_same_spans(replace(parts, max_tokens=max_tokens, max_chars=max_chars), sample)


def test_added_tokens(sample: list[str]) -> None:
    vocab = small.spelling_vocabulary(sample)
    tokenizer = small.bert(vocab)
    contents = [c for c in ("http", "aab", "\ud55c\uae00", "a b", "[[") if c not in vocab]
    tokenizer["added_tokens"] += [
        small.added_token(content, len(vocab) + i) for i, content in enumerate(contents)
    ]
    own = ["http://a b\u00e9", "\u00e9http\u0301x", "\ud55c\uae00\ud55c", "[[CLS]]", "aa\u302eaab"]
    assert_same_spans(parts_of(tokenizer), [*own, *sample])


@pytest.mark.parametrize("unknown", ["average", "drop"])
@pytest.mark.parametrize("name", list(small.FOREIGN))
def test_foreign_tokenizers(sample: list[str], name: str, unknown: str) -> None:
    parts = parts_of(small.FOREIGN[name](), unknown=unknown)
    native = pumice.StaticModel.from_parts(parts)._library is None
    assert_same_spans(parts, sample, native=native)
    assert_same_spans(replace(parts, max_tokens=5, max_chars=40), sample, native=native)
