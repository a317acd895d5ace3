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
from pumice.evaluate.exact import NEAREST, Exact
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

    nearest: Ranking
    """Asked for ten hits, as a user asks: codes give their candidates for ten, not for a hundred."""
    deep: Ranking
    """Asked for a hundred."""
    queries_per_second: float
    """Asked one after the other from Python, ten hits each; a static model's embedding included."""


@dataclass(frozen=True)
class Filled:
    """An index with a set in it."""

    index: Any
    model: Model
    data: RetrievalSet
    exact: Exact
    build_seconds: float
    """Embedding by a static model, writing, and building what the storage needs."""
    left_out: int
    """Documents without a token that the model knows."""

    def ask(self, way: Way, *, deep: bool = True) -> Answers:
        """Every query's hits; where a query is a document too, it is no hit of itself."""
        nearest = self._ranking(way, NEAREST)
        further = self._ranking(way, DEPTH) if deep else nearest
        return Answers(nearest, further, self._speed(way))

    def _ranking(self, way: Way, depth: int) -> Ranking:
        names, texts = list(self.data.queries), list(self.data.queries.values())
        ids, ranking = self.data.document_ids, {}
        for low in range(0, len(names), _ASKED_AT_ONCE):
            part = slice(low, low + _ASKED_AT_ONCE)
            found = self.index.rank(
                texts[part],
                k=depth + self.data.overlap,
                mode=way.mode,
                params=way.params,
                vectors=self.exact.queries[part, : self.index.dim],
            )
            for query, hits in zip(names[part], found, strict=True):
                documents = [ids[one] for one in hits.ids]
                ranking[query] = [one for one in documents if one != query][:depth]
        return ranking

    def _speed(self, way: Way) -> float:
        texts = list(self.data.queries.values())[:_TIMED]
        vectors = self.exact.queries[:, : self.index.dim]

        def run(at: int) -> None:
            asked = {"k": NEAREST, "mode": way.mode, "params": way.params}
            if self.model.static:
                self.index.search(texts[at], **asked)
            else:
                self.index.rank([texts[at]], vectors=vectors[at : at + 1], **asked)

        for at in range(min(_WARM, len(texts))):
            run(at)
        started = time.perf_counter()
        for at in range(len(texts)):
            run(at)
        return len(texts) / (time.perf_counter() - started)


@contextmanager
def filled(model: Model, data: RetrievalSet, storing: Storing, *, exact: Exact) -> Iterator[Filled]:
    """An index in a temporary folder, removed at the end."""
    import pumice

    open_index: Any = pumice.Index
    folder = Path(tempfile.mkdtemp(prefix="pumice-eval-"))
    records = [{"id": at, "text": text} for at, text in enumerate(data.documents.values())]
    given = None if model.static else exact.documents[:, : storing.dim]
    try:
        started = time.perf_counter()
        with open_index(
            folder / "index", model.documents, dim=storing.dim, storage=storing.storage
        ) as index:
            report = index.add(records, vectors=given)
            if storing.is_built_later:
                index.optimize()
            else:
                index.flush()
            seconds = time.perf_counter() - started
            yield Filled(index, model, data, exact, seconds, len(report.skipped))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
