"""Fills an index with a set and asks it everything: ranking, and how long that took."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumice.evaluate.embedder import Model
from pumice.evaluate.exact import NEAREST
from pumice.evaluate.metrics import DEPTH, Ranking
from pumice.evaluate.retrieval_set import RetrievalSet
from pumice.evaluate.settings import Storing, Way

_ASKED_AT_ONCE = 256
_WARM = 10
_TIMED = 200
"""Queries asked one by one for a clock, after the first few."""


@dataclass(frozen=True)
class Answers:
    """What an index gave one way of asking it."""

    ranking: Ranking
    queries_per_second: float
    """Asked one after the other from Python, ten hits each, a static model's embedding included."""


@dataclass(frozen=True)
class Filled:
    """An index with a set in it."""

    index: Any
    build_seconds: float
    """Embedding by a static model, writing, and building what the storage needs."""
    left_out: int
    """Documents without a token that the model knows."""


@contextmanager
def filled(model: Model, data: RetrievalSet, storing: Storing) -> Iterator[Filled]:
    """An index in a temporary folder, removed at the end."""
    import pumice

    open_index: Any = pumice.Index  # an Embedder will do for its model
    folder = Path(tempfile.mkdtemp(prefix="pumice-eval-"))
    place, arguments = folder / "index", storing.arguments()
    try:
        started = time.perf_counter()
        index = open_index(place, model.documents, **arguments)
        try:
            report = index.add(
                {"id": at, "text": text} for at, text in enumerate(data.documents.values())
            )
            if storing.needs_building:
                index.optimize()
            else:
                index.flush()
            seconds = time.perf_counter() - started
            if model.queries is not model.documents:  # prompted otherwise: the same space
                index.close()
                index = open_index(place, model.queries, create=False)
            yield Filled(index, seconds, len(report.skipped))
        finally:
            index.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ask(index: Any, data: RetrievalSet, way: Way) -> Answers:
    """Every query's hits; where a query is a document too, it is no hit of itself."""
    arguments = way.arguments()
    depth = DEPTH + data.overlap
    names, texts, ids = list(data.queries), list(data.queries.values()), data.document_ids
    ranking: dict[str, list[str]] = {}
    for low in range(0, len(names), _ASKED_AT_ONCE):
        found = index.search(texts[low : low + _ASKED_AT_ONCE], k=depth, **arguments)
        for query, hits in zip(names[low : low + _ASKED_AT_ONCE], found, strict=True):
            documents = [ids[hit.id] for hit in hits]
            ranking[query] = [one for one in documents if one != query][:DEPTH]
    for text in texts[:_WARM]:
        index.search(text, k=NEAREST, **arguments)
    timed = texts[:_TIMED]
    started = time.perf_counter()
    for text in timed:
        index.search(text, k=NEAREST, **arguments)
    return Answers(ranking, len(timed) / (time.perf_counter() - started))
