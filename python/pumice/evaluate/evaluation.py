"""evaluate: models over test collections, through the index that a user would fill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pumice.evaluate import bm25, metrics
from pumice.evaluate.asking import filled
from pumice.evaluate.embedder import Model
from pumice.evaluate.exact import Exact
from pumice.evaluate.machine import Machine, this_machine
from pumice.evaluate.opening import BM25
from pumice.evaluate.retrieval_set import RetrievalSet
from pumice.evaluate.settings import Row, rows_of

FORMAT = "pumice-eval"
VERSION = 1
Told = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """One model, kept and asked in one way, on one set."""

    data: str
    model: str
    setting: str
    metrics: Mapping[str, float]
    build_seconds: float
    queries_per_second: float
    dim: int | None = None
    bytes_per_vector: float | None = None
    """Of what a search reads; None where it is no vector of fixed length."""
    recall: float | None = None
    """recall@10 against exact search over the model's full float vectors; None for what ranks by words."""
    left_out: int = 0
    """Documents without a token that the model knows, which are never found."""


@dataclass(frozen=True)
class SetSize:
    """How large a test collection is."""

    name: str
    documents: int
    queries: int
    relevant: int


@dataclass(frozen=True)
class Evaluation:
    """All figures, and where they were measured."""

    figures: tuple[Figure, ...]
    sets: tuple[SetSize, ...]
    machine: Machine = field(default_factory=this_machine)
    seconds: float = 0.0
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """By model: of its file or its weights."""

    def as_json(self) -> dict[str, Any]:
        """Plain values; format and version first."""
        return {"format": FORMAT, "version": VERSION, **asdict(self)}


def evaluate(
    models: Sequence[Model | None],
    sets: Iterable[RetrievalSet],
    *,
    rows: Callable[[Model], Sequence[Row]] = rows_of,
    tell: Told | None = None,
) -> Evaluation:
    """Measure each model on each set: float vectors, codes, prefixes, words, both.

    None among the models stands for bm25s. `sets` are taken one after the other, `rows` says how a
    model's vectors are kept and asked, and `tell` is given a line for each figure. Raises
    MissingExtraError before anything is measured.
    """
    metrics.check_installed()
    if None in models:
        bm25.check_installed()
    started = time.perf_counter()
    figures: list[Figure] = []
    sizes: list[SetSize] = []
    for data in sets:
        relevant = sum(g > 0 for grades in data.judgments.values() for g in grades.values())
        sizes.append(SetSize(data.name, len(data.documents), len(data.queries), relevant))
        for model in models:
            for figure in _bm25(data) if model is None else _model(model, data, rows(model)):
                figures.append(figure)
                if tell is not None:
                    tell(
                        f"{figure.data}: {figure.model}, {figure.setting}: "
                        f"nDCG@10 {figure.metrics['nDCG@10']:.4f}"
                    )
    return Evaluation(
        tuple(figures),
        tuple(sizes),
        seconds=time.perf_counter() - started,
        fingerprints={one.name: one.documents.fingerprint for one in models if one is not None},
    )


def _model(model: Model, data: RetrievalSet, rows: Sequence[Row]) -> Iterable[Figure]:
    model.prepare(data.documents, data.queries)
    exact = Exact.of(model, data)
    asked = list(data.queries)
    for row in rows:
        with filled(model, data, row.storing, exact=exact) as index:
            for way in row.ways:
                answers = index.ask(way)
                dense = way.mode == "dense"
                yield Figure(
                    data.name,
                    model.name,
                    way.label,
                    metrics.measure(answers.nearest, answers.deep, data),
                    build_seconds=index.build_seconds,
                    queries_per_second=answers.queries_per_second,
                    dim=row.storing.dim,
                    bytes_per_vector=row.bytes_per_vector,
                    recall=exact.recall(answers.nearest, asked) if dense else None,
                    left_out=index.left_out,
                )


def _bm25(data: RetrievalSet) -> Iterable[Figure]:
    run = bm25.run_bm25(data)
    ranking = {
        query: [one for one in documents if one != query]
        for query, documents in run.ranking.items()
    }
    yield Figure(
        data.name,
        BM25,
        "bm25s, English stop words",
        metrics.measure(ranking, ranking, data),
        build_seconds=run.build_seconds,
        queries_per_second=run.queries_per_second,
        bytes_per_vector=run.index_bytes / len(data.documents),
    )
