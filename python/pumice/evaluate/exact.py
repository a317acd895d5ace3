"""Exact search over float vectors: what every index is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.evaluate.embedder import Model, checked_vectors
from pumice.evaluate.metrics import Ranking
from pumice.evaluate.retrieval_set import RetrievalSet

NEAREST = 10
_EQUAL = 1e-6
"""Scores this close count as equal: engines add up in another order."""
_QUERIES = 256


@dataclass(frozen=True)
class Exact:
    """Unit vectors of a set's documents and queries, and how near each query's tenth document is."""

    documents: NDArray[np.float32]
    queries: NDArray[np.float32]
    tenth: NDArray[np.float32]
    """Of each query, the cosine of the tenth nearest document: what is as near belongs to the ten."""
    rows: dict[str, int]

    @classmethod
    def of(cls, model: Model, data: RetrievalSet) -> Exact:
        """Embed and search; ModelFileError for NaN, InputError where no document has a vector."""
        documents = checked_vectors(model.documents, data.documents, what="document")
        queries = checked_vectors(model.queries, data.queries, what="query")
        if not documents.any():
            raise InputError(
                f"{data.name}: model {model.name} knows no token of any document: it is not for "
                "this language"
            )
        rows = {identifier: at for at, identifier in enumerate(data.document_ids)}
        tenth = np.empty(len(queries), np.float32)
        there = documents[documents.any(axis=1)]
        depth = min(NEAREST, len(there))
        for low in range(0, len(queries), _QUERIES):
            scores = queries[low : low + _QUERIES] @ there.T
            tenth[low : low + _QUERIES] = np.partition(scores, -depth, axis=1)[:, -depth]
        return cls(documents, queries, tenth, rows)

    def recall(self, ranking: Ranking, asked: Sequence[str]) -> float:
        """recall@10: of each query's ten hits, the share that exact search has among its ten."""
        depth = min(NEAREST, int(self.documents.any(axis=1).sum()))
        shares = []
        for at, query in enumerate(asked):
            if not self.queries[at].any():
                continue
            hits = [self.rows[one] for one in ranking.get(query, ())[:NEAREST]]
            scores = self.documents[hits] @ self.queries[at]
            shares.append(float((scores >= self.tenth[at] - _EQUAL).sum()) / depth)
        return float(np.mean(shares)) if shares else 0.0
