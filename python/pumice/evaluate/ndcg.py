"""nDCG@10 by exact search over a model's own vectors: quality alone, no index, no speed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pumice.evaluate.embedder import Embedder, checked_vectors
from pumice.evaluate.metrics import measure
from pumice.evaluate.retrieval_set import RetrievalSet

_DEPTH = 10
_QUERIES = 256


def exact_ndcg(embedder: Embedder, sets: Iterable[RetrievalSet]) -> dict[str, float]:
    """By the set's name. A query never finds itself; equal scores stand in the order of the corpus.

    Raises MissingExtraError without ir_measures, ModelFileError for a vector that is not finite.
    """
    return {data.name: _ndcg(embedder, data) for data in sets}


def _ndcg(embedder: Embedder, data: RetrievalSet) -> float:
    documents = checked_vectors(embedder, data.documents, what="document")
    queries = checked_vectors(embedder, data.queries, what="query")
    ids, asked = data.document_ids, list(data.queries)
    ranking = {}
    depth = _DEPTH + data.overlap
    for low in range(0, len(queries), _QUERIES):
        scores = queries[low : low + _QUERIES] @ documents.T
        best = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
        for query, places in zip(asked[low : low + _QUERIES], best.tolist(), strict=True):
            ranking[query] = [ids[at] for at in places if ids[at] != query][:_DEPTH]
    return measure(ranking, ranking, data)["nDCG@10"]
