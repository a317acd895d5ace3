"""Chooses the tokens that stay: those that must, then those that a corpus, or the model itself, has most of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.modelfile.parts import ModelParts
from pumice.modelfile.vocabulary import tokens_by_id
from pumice.shrink.needed import needed_tokens


class Choice:
    """An order of tokens in which any number of them makes a whole vocabulary."""

    def __init__(self, tokenizer: dict[str, Any], order: NDArray[np.int64]) -> None:
        """``order`` has every token's id, the one to keep first first."""
        tokens = tokens_by_id(tokenizer)
        needed = needed_tokens(tokenizer)
        self.missing = needed.missing
        """Pieces that come in as soon as a token is dropped."""
        self.total = len(tokens)
        must = [index for index, token in enumerate(tokens) if token in needed.stay]
        parts = _parts_of_merges(tokenizer)
        self._ranked = list(dict.fromkeys(_closed([*must, *order.tolist()], parts)))
        self.fewest = min(self.total, len(dict.fromkeys(_closed(must, parts))) + len(self.missing))
        """Tokens of the smallest vocabulary."""

    def kept(self, count: int) -> list[int]:
        """Ids of tokens that stay, rising, so that with the missing pieces there are at most ``count``.

        InputError where so few cannot be.
        """
        if count >= self.total:
            return list(range(self.total))
        if count < self.fewest:
            raise InputError(
                f"tokens={count} is fewer than the {self.fewest} without which words would become "
                f"unknown: give at least {self.fewest}"
            )
        return sorted(self._ranked[: count - len(self.missing)])


def order_of(
    parts: ModelParts, counts: NDArray[np.int64] | None, tokens: Sequence[str]
) -> NDArray[np.int64]:
    """Ids by falling count; without counts, as the model itself ranks them.

    A token's weight falls with its frequency, where the model weights tokens; a Unigram piece's score rises
    with it; other vocabularies are written in its order. Ties go to the lower id.
    """
    ids = np.arange(len(tokens))
    if counts is not None:
        return np.lexsort((ids, -counts))
    if parts.token_weights is not None:
        return np.lexsort((ids, np.abs(parts.token_weights.astype(np.float64))))
    if parts.tokenizer["model"].get("type") == "Unigram":
        scores: Mapping[str, float] = dict(parts.tokenizer["model"]["vocab"])
        lowest = min(scores.values(), default=0.0)
        return np.lexsort((ids, np.array([-scores.get(token, lowest) for token in tokens])))
    return ids


def _parts_of_merges(tokenizer: dict[str, Any]) -> dict[int, tuple[int, int]]:
    """For each token of BPE the two that the first merge of all makes it of."""
    model = tokenizer["model"]
    vocab: dict[str, int] = model["vocab"] if model.get("type") == "BPE" else {}
    found: dict[int, tuple[int, int]] = {}
    for left, right in map(merge_parts, model.get("merges") or ()):
        if {left, right, left + right} <= vocab.keys():
            found.setdefault(vocab[left + right], (vocab[left], vocab[right]))
    return found


def merge_parts(merge: str | Sequence[str]) -> tuple[str, str]:
    """Both forms in which tokenizer.json writes a merge."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _closed(order: Sequence[int], parts: Mapping[int, tuple[int, int]]) -> list[int]:
    """The order with each token behind all that it is merged of."""
    placed: dict[int, None] = {}
    for wanted in order:
        stack = [wanted]
        while stack:
            token = stack[-1]
            before = [p for p in parts.get(token, ()) if p not in placed and p not in stack]
            if before:
                stack += before
            else:
                placed[stack.pop()] = None
    return list(placed)
