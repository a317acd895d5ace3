"""Counts tokens in a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.distill.options import check_unicode
from pumice.distill.tokenizer_json import load_tokenizer, token_ids
from pumice.errors import InputError

_BATCH = 1000
_MOST = 2**40  # of one token; a sum over any vocabulary still fits 64 bits


def token_counts(
    tokenizer: dict[str, Any], corpus: Iterable[str] | Mapping[str, int]
) -> NDArray[np.int64]:
    """Count each token id of a tokenizer in texts, or look it up where counts are given by token."""
    check_corpus(corpus)
    ids = token_ids(tokenizer)
    if isinstance(corpus, Mapping):
        return np.array([_count_of(token, corpus.get(token, 0)) for token in ids], dtype=np.int64)
    return _count(tokenizer, corpus, size=len(ids))


def check_corpus(corpus: Any) -> None:
    """Raise InputError for what is no corpus at all, without reading any of it."""
    if isinstance(corpus, str):
        raise InputError("corpus is one string: give a sequence of texts, or [text]")
    if not isinstance(corpus, Iterable):
        kind = type(corpus).__name__
        raise InputError(f"corpus is of type {kind}: give a sequence of texts, or counts by token")


def _count_of(token: str, count: Any) -> int:
    if not isinstance(count, (int, np.integer)) or not 0 <= count <= _MOST:
        raise InputError(f"corpus counts {token!r} as {count!r}: give how often it occurs")
    return int(count)


def _count(tokenizer: dict[str, Any], texts: Iterable[str], *, size: int) -> NDArray[np.int64]:
    encoder = load_tokenizer(tokenizer)
    counts = np.zeros(size, dtype=np.int64)
    position = 0
    stream = iter(texts)
    while batch := list(islice(stream, _BATCH)):
        for offset, text in enumerate(batch):
            if not isinstance(text, str):
                kind = type(text).__name__
                raise InputError(f"corpus text {position + offset} is of type {kind}: give str")
            check_unicode(text, what=f"corpus text {position + offset}")
        position += len(batch)
        encodings = encoder.encode_batch_fast(batch, add_special_tokens=False)
        ids = [encoding.ids for encoding in encodings]
        counts += np.bincount(np.fromiter((i for row in ids for i in row), int), minlength=size)
    if position == 0:
        raise InputError("the corpus holds no text: give at least one, or leave corpus out")
    return counts
