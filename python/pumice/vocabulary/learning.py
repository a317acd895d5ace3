"""Texts to a tokenizer.json that the core runs itself: sub-words, whole words, phrases, and their counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice import _core
from pumice.errors import InputError, MissingExtraError, ModelFileError
from pumice.modelfile.normalizers import bert_steps
from pumice.modelfile.parts import ModelParts
from pumice.modelfile.vocabulary import tokens_by_id
from pumice.vocabulary.choosing import choose_phrases, choose_words, outside
from pumice.vocabulary.counting import LONGEST_WORD, count_texts
from pumice.vocabulary.options import VocabularyOptions, bert_normalizer
from pumice.vocabulary.subwords import PREFIX, UNKNOWN, learn_subwords

_DEFAULTS = VocabularyOptions()
_BATCH = 8192


@dataclass(frozen=True)
class LearnedVocabulary:
    """A vocabulary and how often each of its tokens occurs in the texts it was learned from."""

    tokenizer: dict[str, Any]
    """A parsed tokenizer.json: WordPiece, the phrases as added tokens that are found in normalised text."""
    counts: dict[str, int]
    """By token, in the order of ids; [UNK] counts 0."""
    words: tuple[str, ...]
    phrases: tuple[str, ...]


def learn_vocabulary(
    texts: Iterable[str], *, options: VocabularyOptions = _DEFAULTS
) -> LearnedVocabulary:
    """Learn a vocabulary from texts, which are read twice; the same texts give the same one.

    ``texts`` is a list, or anything else that can be read again. Memory does not grow with them past
    some millions of different words. Start from it with `pumice.train.initial.random_model`, or with
    ``pumice.distill(teacher, vocabulary=learned.tokenizer, corpus=learned.counts)``. Raises InputError
    where the texts do not support so many tokens.
    """
    _check_texts(texts)
    counts = count_texts(texts, normalizer=options.normalizer(), runs=options.phrases > 0)
    subwords = learn_subwords(counts.words, size=options.size - options.words - options.phrases)
    bare = _tokenizer(subwords, options=options)
    normalize = partial(_core.normalize, bert_steps(bare["normalizer"]))
    phrases = choose_phrases(
        counts,
        count=options.phrases,
        unchanged=lambda phrase: normalize(phrase.encode()) == phrase.encode(),
    )
    left = outside(counts.words, phrases, counts.runs)
    words = choose_words(left, count=options.words, pieces=_pieces_by(bare))
    tokenizer = _tokenizer([*subwords, *words], phrases, options=options)
    numbers = _count_tokens(texts, tokenizer)
    counted = dict(zip(tokens_by_id(tokenizer), numbers.tolist(), strict=True))
    return LearnedVocabulary(tokenizer, counted, tuple(words), tuple(phrases))


def useful_entries(
    texts: Iterable[str], *, tokenizer: Mapping[str, Any], words: int, phrases: int
) -> list[str]:
    """Words that a parsed tokenizer.json cuts, and phrases, both from texts: what to add to it.

    ``pumice.distill(teacher, vocabulary=entries, corpus=texts)`` adds them. ``texts`` are read once.
    """
    reference = _reference(tokenizer)
    normalizer = reference.normalizer
    lowercase = normalizer is not None and "A" not in normalizer.normalize_str("A")
    counts = count_texts(
        texts,
        normalizer=bert_normalizer(lowercase=lowercase, strip_accents=lowercase),
        runs=phrases > 0,
    )

    def unchanged(phrase: str) -> bool:
        return normalizer is None or normalizer.normalize_str(phrase).strip() == phrase

    best = choose_phrases(counts, count=phrases, unchanged=unchanged)
    left = outside(counts.words, best, counts.runs)
    return [*choose_words(left, count=words, pieces=_pieces_by(tokenizer)), *best]


def phrase_token(content: str, identifier: int) -> dict[str, Any]:
    """A phrase as an added token of a tokenizer.json.

    lstrip eats the space before the phrase, which would else become a token of its own in tokenizers that
    keep spaces; the space after it still opens the next word.
    """
    return {
        "id": identifier,
        "content": content,
        "single_word": True,
        "lstrip": True,
        "rstrip": False,
        "normalized": True,
        "special": False,
    }


def _check_texts(texts: object) -> None:
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise InputError(f"corpus is of type {type(texts).__name__}: give a list of texts")
    if isinstance(texts, Iterator):
        raise InputError(
            "corpus can be read only once, and a vocabulary reads it twice: give a list"
        )


def _tokenizer(
    tokens: Sequence[str], phrases: Sequence[str] = (), *, options: VocabularyOptions
) -> dict[str, Any]:
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [phrase_token(p, len(tokens) + i) for i, p in enumerate(phrases)],
        "normalizer": options.normalizer(),
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": {"type": "WordPiece", "prefix": PREFIX, "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": UNKNOWN,
            "continuing_subword_prefix": PREFIX,
            "max_input_chars_per_word": LONGEST_WORD,
            "vocab": {token: number for number, token in enumerate(tokens)},
        },
    }


def _reference(tokenizer: Mapping[str, Any]) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError("tokenizers", "train") from error
    bare = {**tokenizer, "truncation": None, "padding": None, "post_processor": None}
    try:
        return Tokenizer.from_str(json.dumps(bare))
    except Exception as error:  # the library raises nothing more precise
        reason = str(error).strip().split("\n")[0]
        raise ModelFileError(
            f"tokenizer.json is damaged ({reason}): save the tokenizer again"
        ) from error


def _pieces_by(tokenizer: Mapping[str, Any]) -> Callable[[Sequence[str]], list[int]]:
    def pieces(words: Sequence[str]) -> list[int]:
        encodings = _reference(tokenizer).encode_batch_fast(list(words), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]

    return pieces


def _count_tokens(texts: Iterable[str], tokenizer: dict[str, Any]) -> NDArray[np.int64]:
    from pumice.model import StaticModel

    size = len(tokens_by_id(tokenizer))
    model = StaticModel.from_parts(ModelParts(tokenizer, np.ones((size, 1), dtype=np.float32)))
    counts = np.zeros(size, dtype=np.int64)
    stream = iter(texts)
    while batch := list(islice(stream, _BATCH)):
        ids = [i for row in model.tokenize(batch) for i in row]
        counts += np.bincount(np.array(ids, dtype=np.int64), minlength=size)
    return counts
