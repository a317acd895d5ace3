"""BM25 as the field reports it: bm25s with English stop words and no stemmer. The only user of bm25s."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pumice.errors import MissingExtraError
from pumice.evaluate.metrics import DEPTH, Ranking
from pumice.evaluate.retrieval_set import RetrievalSet

STOP_WORDS = "en"


@dataclass(frozen=True)
class Bm25Run:
    """What a run over a set gave."""

    ranking: Ranking
    build_seconds: float
    queries_per_second: float
    index_bytes: int


def run_bm25(data: RetrievalSet) -> Bm25Run:
    """Index and ask everything; a document that shares no word with a query is no hit of it."""
    bm25s = _library()
    started = time.perf_counter()
    retriever = bm25s.BM25()
    tokens = _tokens(bm25s, list(data.documents.values()))
    if not any(tokens):
        return Bm25Run({}, time.perf_counter() - started, 0.0, 0)
    retriever.index(tokens, show_progress=False)
    built = time.perf_counter() - started
    started = time.perf_counter()
    queries = _tokens(bm25s, list(data.queries.values()))
    depth = min(DEPTH + 1, len(data.documents))
    found, scores = retriever.retrieve(queries, k=depth, show_progress=False)
    seconds = time.perf_counter() - started
    ids = data.document_ids
    ranking = {
        query: [ids[at] for at, score in zip(row, line, strict=True) if score > 0]
        for query, row, line in zip(data.queries, found.tolist(), scores.tolist(), strict=True)
    }
    size = sum(value.nbytes for value in retriever.scores.values() if isinstance(value, np.ndarray))
    return Bm25Run(ranking, built, len(queries) / seconds, size)


def check_installed() -> None:
    """MissingExtraError before anything takes minutes."""
    _library()


def _tokens(bm25s: Any, texts: Sequence[str]) -> list[list[str]]:
    made: list[list[str]] = bm25s.tokenize(
        texts, stopwords=STOP_WORDS, return_ids=False, show_progress=False
    )
    return made


def _library() -> Any:
    try:
        import bm25s
    except ImportError:
        raise MissingExtraError("bm25s", "eval") from None
    return bm25s
