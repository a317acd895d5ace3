"""Queries where a user has none: a sentence taken out of a text, which must find the rest of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from pumice.errors import InputError
from pumice.evaluate.retrieval_set import RetrievalSet

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_SHORTEST, _LONGEST = 15, 300  # characters of a sentence that makes a query
_LEAST = 20


def held_out_queries(
    name: str, documents: Mapping[str, str], *, queries: int, seed: int = 0
) -> RetrievalSet:
    """A set whose every query is a sentence of one document, which has lost it and alone is relevant.

    InputError where fewer than twenty documents have two sentences.
    """
    rng = np.random.default_rng(seed)
    kept = dict(documents)
    asked: dict[str, str] = {}
    judged: dict[str, dict[str, int]] = {}
    names = list(documents)
    for at in rng.permutation(len(names)).tolist():
        if len(asked) == queries:
            break
        text = documents[names[at]]
        found = [one for one in _SENTENCE.finditer(text) if _is_query(one[0].strip())]
        if len(found) < 2:
            continue
        chosen = found[int(rng.integers(len(found)))]
        rest = f"{text[: chosen.start()]} {text[chosen.end() :]}".strip()
        query = f"held out of {names[at]}"
        asked[query], kept[names[at]] = chosen[0].strip(), rest
        judged[query] = {names[at]: 1}
    if len(asked) < _LEAST:
        raise InputError(
            f"{name}: only {len(asked)} texts have two sentences to take a query from: give --queries"
        )
    return RetrievalSet(name, kept, asked, judged)


def _is_query(sentence: str) -> bool:
    return _SHORTEST <= len(sentence) <= _LONGEST and any(c.isalpha() for c in sentence)
