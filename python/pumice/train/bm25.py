"""BM25 over token ids, for mining: the best passages of many queries at once, in numpy.

bm25s 0.3.16 was tried: with numpy alone, 81 seconds of one processor for 100,000 arXiv titles over as many
abstracts, reckoned from 300 of them; this took 31 before it left frequent tokens out, reckoned from 2,000.
It also tokenises words, which many scripts do not space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pumice.train.tokens import Texts

K1, B = 1.2, 0.75
COMMON_SHARE, COMMON_COUNT = 0.1, 10_000
"""A token in more passages than either of these stands for a stop word and is left out: it costs most and
says least."""
QUERY_TOKENS = 32
"""Of a longer query, only its rarest tokens count."""
POSTINGS = 20_000
"""Of a query's tokens, the rarest count while they have no more postings together; the rarest always does."""


@dataclass(frozen=True)
class BM25:
    """Passages by token, each posting with what the token adds to the passage's score.

    Robertson and Zaragoza 2009, with Lucene's idf, ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative.
    """

    passages: int
    edges: NDArray[np.int64]
    """(tokens + 1,): where each token's postings begin, and the end; none for a token left out."""
    numbers: NDArray[np.int32]
    """The passage of each posting, ascending within a token."""
    weights: NDArray[np.float32]

    @classmethod
    def of(cls, passages: Texts, indices: NDArray[np.int64], *, tokens: int) -> BM25:
        """Index some of ``passages``; numbers count along ``indices``."""
        ids = passages.take(indices)
        lengths = np.fromiter(map(len, ids), np.int64, count=len(ids))
        owners = np.repeat(np.arange(len(ids), dtype=np.int64), lengths)
        flat = np.concatenate([np.empty(0, np.int32), *ids])
        postings, counts = np.unique((flat.astype(np.int64) << 32) | owners, return_counts=True)
        owner = (postings & 0xFFFFFFFF).astype(np.int32)
        frequencies = np.bincount(postings >> 32, minlength=tokens)
        common = frequencies > max(COMMON_COUNT, COMMON_SHARE * len(ids))
        inverse = np.log1p((len(ids) - frequencies + 0.5) / (frequencies + 0.5))
        saturation = K1 * (1 - B + B * lengths / max(1e-9, lengths.mean()))
        weights = inverse[postings >> 32] * counts * (K1 + 1) / (counts + saturation[owner])
        kept = ~common[postings >> 32]
        frequencies[common] = 0
        edges = np.concatenate(([0], np.cumsum(frequencies)))
        return cls(len(ids), edges, owner[kept], weights[kept].astype(np.float32))

    def best(self, queries: list[NDArray[np.int32]], *, depth: int) -> NDArray[np.int64]:
        """(queries, depth): passages by falling score; -1 where fewer share a token with the query."""
        found = np.full((len(queries), depth), -1, np.int64)
        scores = np.zeros(self.passages, np.float32)
        for number, query in enumerate(queries):
            best = self._best(self.asked(query), scores, depth)
            found[number, : len(best)] = best
        return found

    def asked(self, query: NDArray[np.int32]) -> list[tuple[int, int]]:
        """The tokens of a query that count, ascending, and how often each stands there."""
        tokens, counts = np.unique(query, return_counts=True)
        sizes = self.edges[tokens + 1] - self.edges[tokens]
        tokens, counts, sizes = tokens[sizes > 0], counts[sizes > 0], sizes[sizes > 0]
        rarest = np.argsort(sizes, kind="stable")[:QUERY_TOKENS]
        within = np.cumsum(sizes[rarest]) <= POSTINGS
        within[:1] = True
        kept = np.sort(rarest[within])
        return list(zip(tokens[kept].tolist(), counts[kept].tolist(), strict=True))

    def _best(
        self, asked: list[tuple[int, int]], scores: NDArray[np.float32], depth: int
    ) -> NDArray[np.int64]:
        """Passages by falling score; ``scores`` has a zero for each before and after."""
        if not asked:
            return np.empty(0, np.int64)
        touched = []
        for token, count in asked:
            begin, end = self.edges[token], self.edges[token + 1]
            numbers, added = self.numbers[begin:end], self.weights[begin:end]
            scores[numbers] += added if count == 1 else added * np.float32(count)
            touched.append(numbers)
        # A passage stands among them as often as it shares tokens.
        candidates = np.concatenate(touched)
        reached = scores[candidates]
        enough = len(reached) - depth * len(asked)
        if enough > 0:
            candidates = candidates[reached >= np.partition(reached, enough)[enough]]
        candidates = np.unique(candidates)
        order = np.argsort(-scores[candidates], kind="stable")[:depth]
        best: NDArray[np.int64] = candidates[order].astype(np.int64)
        for numbers in touched:
            scores[numbers] = 0
        return best
