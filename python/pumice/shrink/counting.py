"""Counts how often each token of a model occurs in a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.arguments import check_strings
from pumice.errors import InputError
from pumice.model import StaticModel

_BATCH = 4096
_MOST = 2**53


def count_tokens(
    model: StaticModel, corpus: Iterable[str] | Mapping[str, int]
) -> NDArray[np.int64]:
    """Occurrences by id, shape (tokens,); ``corpus`` is texts, or counts by token. InputError for others."""
    if isinstance(corpus, Mapping):
        return np.array([_count_of(token, corpus.get(token, 0)) for token in model.tokens])
    if isinstance(corpus, (str, bytes)) or not isinstance(corpus, Iterable):
        raise InputError(
            f"corpus is of type {type(corpus).__name__}: give a list of texts, or counts by token"
        )
    counts = np.zeros(len(model.tokens), np.int64)
    stream, first = iter(corpus), 0
    while batch := list(islice(stream, _BATCH)):
        check_strings(batch, first=first)
        first += len(batch)
        ids = [index for found in model.tokenize(batch) for index in found]
        counts += np.bincount(np.array(ids, np.int64), minlength=len(counts))
    if not first:
        raise InputError("the corpus holds no text: give some, or none at all")
    return counts


def _count_of(token: str, count: Any) -> int:
    whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
    if not whole or not 0 <= count <= _MOST:
        raise InputError(f"corpus counts {token!r} as {count!r}: give how often it occurs")
    return int(count)
