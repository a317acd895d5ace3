"""nDCG@10 by exact search equals the formula."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from pumice.evaluate import RetrievalSet
from pumice.evaluate.ndcg import exact_ndcg


class Table:
    """An embedder that looks vectors up."""

    name, fingerprint, prefixes, dimensions = "table", "0", None, 2

    def encode(self, texts: list[str], *, dim: int | None = None) -> np.ndarray:
        angles = np.array([float(text) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_by_hand() -> None:
    documents = {"a": "0.1", "b": "0.5", "c": "1.0", "q": "0.0"}
    data = RetrievalSet("hand", documents, {"q": "0", "p": "1.1"}, {"q": {"b": 2}, "p": {"c": 1}})
    # "q" is a document too and does not find itself: "b" comes second.
    assert exact_ndcg(Table(), [data]) == {"hand": pytest.approx((1 / log2(3) + 1) / 2)}
