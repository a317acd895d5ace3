"""Which tokens make two texts similar: the cosine of static vectors is a sum over token pairs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

# Scripts written without spaces: there a token is the word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, eq=False)
class TokenVectors:
    """The n tokens of a text that enter its mean, in order."""

    ids: NDArray[np.uint32]
    """(n,)"""
    tokens: list[str]
    """As the vocabulary spells them."""
    spans: NDArray[np.int64]
    """(n, 2) first character, and the one after the last, of the text that was given."""
    vectors: NDArray[np.float32]
    """(n, dim) what each adds to the sum that becomes the mean: weight x scale x row."""

    def __len__(self) -> int:
        return len(self.tokens)

    def cut(self, dim: int) -> TokenVectors:
        """The same tokens with the first ``dim`` dimensions."""
        return replace(self, vectors=self.vectors[:, :dim])


@dataclass(frozen=True, eq=False)
class Explanation:
    """The cosine of a query and a document, and what each pair of their tokens adds to it.

    A vector is a mean of token vectors, so the cosine of two is the sum over pairs of
    ``q_i . d_j / (|sum q| |sum d|)``: the shares are exact, not an attribution method's estimate. A share is
    negative where two tokens point away from each other.
    """

    score: float
    query: TokenVectors
    document: TokenVectors
    shares: NDArray[np.float64]
    """(n_query, n_document), adding up to the score."""

    @classmethod
    def of(cls, query: TokenVectors, document: TokenVectors) -> Explanation:
        """Explain two texts from their tokens' vectors."""
        unit_query, unit_document = _over_norm_of_sum(query), _over_norm_of_sum(document)
        score = float(unit_query.sum(axis=0) @ unit_document.sum(axis=0))
        return cls(score, query, document, unit_query @ unit_document.T)

    @property
    def query_shares(self) -> NDArray[np.float64]:
        """(n_query,) what each token of the query adds to the score."""
        sums: NDArray[np.float64] = self.shares.sum(axis=1)
        return sums

    @property
    def document_shares(self) -> NDArray[np.float64]:
        """(n_document,) what each token of the document adds to the score."""
        sums: NDArray[np.float64] = self.shares.sum(axis=0)
        return sums


def _over_norm_of_sum(text: TokenVectors) -> NDArray[np.float64]:
    """(n, dim) the token vectors, divided so that they add up to a unit vector, or zeros where to none."""
    vectors = text.vectors.astype(np.float64)
    norm = float(np.linalg.norm(vectors.sum(axis=0)))
    return vectors / norm if norm > 0 else np.zeros_like(vectors)


@dataclass(frozen=True)
class Word:
    """Tokens that a reader sees as one word, and what they earned together."""

    begin: int
    end: int
    tokens: tuple[int, ...]
    share: float


def words_of(text: str, tokens: TokenVectors, shares: NDArray[np.float64]) -> list[Word]:
    """The words of a text, each with the sum of its tokens' shares."""
    groups: list[list[int]] = []
    spans: list[list[int]] = tokens.spans.tolist()
    for i, (begin, _end) in enumerate(spans):
        if groups and _continues(text, spans[i - 1][1], begin):
            groups[-1].append(i)
        else:
            groups.append([i])
    return [
        Word(spans[g[0]][0], max(spans[i][1] for i in g), tuple(g), float(shares[g].sum()))
        for g in groups
    ]


def _continues(text: str, end: int, begin: int) -> bool:
    """Whether the token at ``begin`` goes on with the word that the one before ``end`` is of."""
    if begin < end:  # both come from one character
        return True
    if any(unicodedata.category(c) not in ("Mn", "Me", "Cf") for c in text[end:begin]):
        return False
    edges = text[max(end - 1, 0) : end] + text[begin : begin + 1]
    letters = all(unicodedata.category(c)[0] in "LNM" for c in edges)
    return len(edges) == 2 and letters and not _UNSPACED.search(edges)
