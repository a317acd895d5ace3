"""One way of keeping vectors, asked with one oversampling: what it finds and what it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pumice.evaluate.asking import filled
from pumice.evaluate.embedder import Model
from pumice.evaluate.exact import NEAREST, Exact
from pumice.evaluate.memory import bytes_in_memory, bytes_on_disk
from pumice.evaluate.metrics import by_query
from pumice.evaluate.retrieval_set import RetrievalSet
from pumice.evaluate.settings import Storing, Way
from pumice.evaluate.tuning.target import RECALL, Target

OVERSAMPLING = (1.0, 2.0, 4.0, 8.0, 16.0)
CODES = ("int8", "turbo-4", "turbo-2", "binary-2", "binary")


@dataclass(frozen=True)
class Trial:
    """What was measured of one candidate."""

    dim: int
    storage: Any
    """A pumice.Storage, its oversampling included."""
    quality: float
    """The target's metric."""
    recall: float
    """recall@10 against exact search over the model's float vectors."""
    memory: float
    """Bytes for each vector that a search reads."""
    disk: float
    """Bytes for each vector on the disk, codes and texts not counted."""
    queries_per_second: float
    build_seconds: float

    @property
    def label(self) -> str:
        """In a few words."""
        kind = self.storage.quantize or self.storage.datatype
        if self.storage.stages:
            stages = ", ".join(map(str, self.storage.stages))
            text = f"{kind} of the first {stages}, then {self.dim} d"
        else:
            text = f"{kind}, {self.dim} d"
        if self.storage.m:
            text += ", graph"
        widened = self.storage.oversampling
        return f"{text}, ×{widened:g}" if widened is not None else text

    def config(self) -> dict[str, Any]:
        """What `pumice index --config` takes. Words are no part of a trial, so it says nothing of them."""
        settings = {"dim": self.dim, **self.storage.to_json()}
        del settings["sparse"]
        return settings


@dataclass(frozen=True)
class Candidate:
    """An index to be filled, and the oversamplings that it is asked with."""

    dim: int
    storage: Any
    oversampling: Sequence[float | None]

    def considered(self, oversampling: float | None) -> float:
        """How many vectors the first stage of all hands on for ten hits."""
        steps = len(self.storage.stages) + (self.storage.quantize is not None)
        return float(NEAREST * (oversampling or 1.0) ** steps)


def candidates(model: Model) -> Iterator[Candidate]:
    """Float vectors and codes, of all dimensions, of a prefix alone, and of a prefix before the rest."""
    from pumice import Storage

    full = model.documents.dimensions

    def stored(**how: Any) -> Any:
        return Storage(sparse=False, m=0, **how)

    yield Candidate(full, stored(), [None])
    yield Candidate(full, stored(datatype="float16"), [None])
    for kind in CODES:
        yield Candidate(full, stored(quantize=kind), OVERSAMPLING)
    for prefix in model.prefixes:
        yield Candidate(prefix, stored(), [None])
        yield Candidate(prefix, stored(quantize="int8"), OVERSAMPLING[:2])
        yield Candidate(prefix, stored(quantize="binary"), OVERSAMPLING)
        for kind in ("int8", "binary"):
            yield Candidate(full, stored(quantize=kind, stages=(prefix,)), OVERSAMPLING[1:])


def with_graph(trial: Trial) -> Iterator[Candidate]:
    """The same codes, found through graphs of two sizes."""
    for m in (16, 32):
        storage = replace(trial.storage, m=m)
        yield Candidate(trial.dim, storage, [trial.storage.oversampling])


def run(
    candidate: Candidate, model: Model, data: RetrievalSet, *, exact: Exact, target: Target
) -> Iterator[Trial]:
    """Fill one index, ask it with each of its oversamplings."""
    from pumice import SearchParams

    if not candidate.oversampling:
        return
    storing = Storing(candidate.dim, candidate.storage)
    asked = list(data.queries)
    with filled(model, data, storing, exact=exact) as index:
        for oversampling in candidate.oversampling:
            way = Way("", params=SearchParams(oversampling=oversampling))
            answers = index.ask(way, deep=target.metric.endswith("@100"))
            recall = exact.recall(answers.nearest, asked)
            quality = recall
            if target.metric != RECALL:
                scores = by_query(answers.deep, data, target.metric)
                quality = sum(scores.values()) / len(scores)
            yield Trial(
                candidate.dim,
                replace(candidate.storage, oversampling=oversampling),
                quality,
                recall,
                bytes_in_memory(candidate.storage, dim=candidate.dim),
                bytes_on_disk(candidate.storage, dim=candidate.dim),
                answers.queries_per_second,
                index.build_seconds,
            )
