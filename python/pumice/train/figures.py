"""What is measured while training: nDCG@10 and accuracy at each prefix, on held-out pairs and BEIR folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.train.evaluation_sets import EvaluationSet
from pumice.train.lanes import Lanes
from pumice.train.pooling import Bags, pool
from pumice.train.tokens import Texts

DEPTH = 10
_TEXTS = 4096
_QUERIES = 512
_SMALLEST = 1e-30


class Judged(Protocol):
    """A set whose documents were judged."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def relevant(self) -> list[dict[int, int]]:
        """For each query: document index to grade, above 0."""


@dataclass(frozen=True)
class Figure:
    """One set at one prefix."""

    name: str
    dim: int
    ndcg: float
    """nDCG@10, gains as trec_eval has them."""
    accuracy: float
    """The share of queries whose first document is relevant."""
    code: str = ""
    """"binary" or "int8" where queries and documents are such codes; "" for the vectors themselves. "teacher"
    where the teacher's own vectors of queries were measured."""


def measure(
    table: Tensor,
    sets: Sequence[EvaluationSet],
    dims: Sequence[int],
    *,
    lanes: Lanes,
    codes: Sequence[str] = (),
) -> list[Figure]:
    """Every set at every prefix, then each of ``codes`` in the same way."""
    figures = []
    for one in sets:
        queries = embed(table, one.queries, lanes=lanes)
        documents = embed(table, one.documents, lanes=lanes)
        for kind in ("", *codes):
            for dim in dims:
                best = _best(_code(queries[:, :dim], kind), _code(documents[:, :dim], kind))
                figures.append(_figure(one, dim, best, code=kind))
    return figures


def figures_of(
    one: Judged, queries: Tensor, documents: Tensor, dims: Sequence[int], *, called: str = ""
) -> list[Figure]:
    """A set at every prefix, from vectors of its queries and documents."""
    return [
        _figure(one, dim, _best(queries[:, :dim], documents[:, :dim]), code=called) for dim in dims
    ]


def embed(table: Tensor, texts: Texts, *, lanes: Lanes) -> Tensor:
    """The means of all texts' rows, not normalised; zeros for a text without tokens."""
    vectors = []
    for low in range(0, len(texts), _TEXTS):
        high = min(low + _TEXTS, len(texts))
        begin, end = int(texts.offsets[low]), int(texts.offsets[high])
        lengths = texts.lengths[low:high]
        ids = np.array(texts.ids[begin:end])
        bags = Bags.of(ids, lengths, counting=texts.counting, device=str(table.device))
        vectors.append(pool(table, bags, lanes=lanes))
    return torch.cat(vectors)


def mean_ndcg(figures: Sequence[Figure]) -> float:
    """Over all sets and prefixes: what the best state is chosen by."""
    return sum(figure.ndcg for figure in figures) / len(figures)


def _best(queries: Tensor, documents: Tensor) -> NDArray[np.int64]:
    """(queries, DEPTH at most): documents by falling cosine.

    Vectors that have all become one are not taken for good ones: held-out documents stand in the order of
    their hashes.
    """
    documents = torch.nn.functional.normalize(documents, dim=1)
    depth = min(DEPTH, len(documents))
    found = []
    for low in range(0, len(queries), _QUERIES):
        chosen = torch.nn.functional.normalize(queries[low : low + _QUERIES], dim=1)
        found.append(torch.topk(chosen @ documents.T, depth, dim=1).indices.cpu().numpy())
    best: NDArray[np.int64] = np.concatenate(found)
    return best


def _code(vectors: Tensor, kind: str) -> Tensor:
    """What `StaticModel.encode` writes for a dtype, as float32; cosines of signs rank as Hamming distances."""
    if kind == "binary":
        return torch.where(vectors > 0, 1.0, -1.0)
    if kind == "int8":
        largest = vectors.abs().amax(1, keepdim=True).clamp_(min=_SMALLEST)
        return torch.round(vectors * (127 / largest))
    return vectors


def _figure(one: Judged, dim: int, best: NDArray[np.int64], *, code: str) -> Figure:
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
    total = hits = 0.0
    for row, relevant in zip(best.tolist(), one.relevant, strict=True):
        gains = np.array([relevant.get(index, 0) for index in row])
        ideal = np.array(sorted(relevant.values(), reverse=True)[:DEPTH])
        total += float(gains @ discounts[: len(gains)] / (ideal @ discounts[: len(ideal)]))
        hits += bool(gains[0])
    count = len(one.relevant)
    return Figure(one.name, dim, ndcg=total / count, accuracy=hits / count, code=code)
