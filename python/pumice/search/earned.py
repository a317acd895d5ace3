"""Which words of a found passage earned its place: by meaning, and by being the question's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pumice.explanation import Word, words_of
from pumice.search.bm25 import Words

_QUESTION, _PASSAGE = 2_000, 50_000  # characters that are explained: memory grows with both
_EXACT_WORD = 0.5  # how strongly a word of the question itself is shown, of the largest share


@dataclass(frozen=True)
class Earned:
    """`text[begin:end]`, a word."""

    begin: int
    end: int
    share: float
    """What it adds to the cosine of the two texts, as far as they are explained."""
    matched: bool
    """Whether it is a word of the question too, as BM25 sees words."""
    shade: float
    """How strongly to show it: the share, and at least half of the largest one for a matched word."""


class Explainer:
    """Explains passages found for one question."""

    def __init__(self, question: str, *, model: Any, dim: int, words: bool) -> None:
        self._question = question[:_QUESTION]
        self._model = model
        self._dim = dim
        self._words = Words() if words else None
        asked = self._words.query(self._question).numbers.tolist() if self._words else []
        self._asked = frozenset(asked)

    def earned(self, text: str) -> list[Earned]:
        """The words of the first 50,000 characters of a passage."""
        text = text[:_PASSAGE]
        explained = self._model.explain(self._question, text, dim=self._dim)
        found = words_of(text, explained.document, explained.document_shares)
        largest = max((word.share for word in found), default=0.0)
        return [self._one(text, word, largest) for word in found]

    def _one(self, text: str, word: Word, largest: float) -> Earned:
        matched = self._words is not None and not self._asked.isdisjoint(
            self._words.query(text[word.begin : word.end]).numbers.tolist()
        )
        shade = max(word.share, _EXACT_WORD * largest) if matched else word.share
        return Earned(word.begin, word.end, round(word.share, 6), matched, round(shade, 6))
