"""tune: try, keep what nothing beats, choose the least that reaches the target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pumice.errors import InputError
from pumice.evaluate import metrics
from pumice.evaluate.embedder import Model
from pumice.evaluate.exact import Exact
from pumice.evaluate.machine import Machine, this_machine
from pumice.evaluate.retrieval_set import RetrievalSet
from pumice.evaluate.tuning.target import Target
from pumice.evaluate.tuning.trial import Candidate, Trial, candidates, run, with_graph

FORMAT, VERSION = "pumice-tune", 1
MINIMIZED = {"memory": "memory", "disk": "disk", "time": "queries_per_second"}
MOST_CONSIDERED = 0.02
"""Of a sample: a search that rescores half of it finds all, and in the whole corpus it would not."""
Told = Callable[[str], None]


@dataclass(frozen=True)
class TuneOptions:
    """What is tried on how much."""

    target: Target
    minimize: str = "memory"
    """One of MINIMIZED; of equal ones the faster is taken."""
    documents: int = 20_000
    """Sample of the corpus: the larger, the harder it is to search, and the nearer to the truth."""
    queries: int = 300

    def __post_init__(self) -> None:
        if self.minimize not in MINIMIZED:
            raise InputError(f"minimize is {self.minimize!r}: it is one of {', '.join(MINIMIZED)}")


@dataclass(frozen=True)
class Tuning:
    """All trials, and the one that is chosen."""

    data: str
    model: str
    documents: int
    documents_in_all: int
    queries: int
    target: Target
    minimize: str
    threshold: float
    trials: tuple[Trial, ...]
    chosen: Trial | None
    """None where no trial reaches the target."""
    machine: Machine = field(default_factory=this_machine)

    @property
    def pareto(self) -> list[Trial]:
        """Trials that no other beats: what is chosen is always one of them."""
        return pareto(self.trials, self.minimize)

    def as_json(self) -> dict[str, Any]:
        """Plain values; format and version first."""
        return {"format": FORMAT, "version": VERSION, **asdict(self)}


def tune(
    model: Model, data: RetrievalSet, *, options: TuneOptions, tell: Told | None = None
) -> Tuning:
    """Try every usual way of keeping the vectors in Qdrant Edge. Raises InputError where judgments lack."""
    if options.target.needs_judgments:
        if not data.judgments:
            raise InputError(
                f"{options.target.metric} needs judgments: give a BEIR folder, or aim at recall@10"
            )
        metrics.check_installed()
    sample = data.ask_only(options.queries).sample(options.documents)
    model.prepare(sample.documents, sample.queries)
    exact = Exact.of(model, sample)
    trials: list[Trial] = []

    def tried(some: Iterable[Candidate]) -> None:
        for candidate in some:
            if len(sample.documents) < len(data.documents):
                candidate = without_excess(candidate, len(sample.documents))
            for trial in run(candidate, model, sample, exact=exact, target=options.target):
                trials.append(trial)
                if tell is not None:
                    tell(f"{trial.label}: {options.target.metric} {trial.quality:.4f}")

    tried(candidates(model))
    threshold = options.target.threshold(trials[0].quality)  # the first are the float vectors
    chosen = choose(trials, threshold, options.minimize)
    if chosen is not None:
        tried(with_graph(chosen))
        chosen = choose(trials, threshold, options.minimize)
    return Tuning(
        data.name,
        model.name,
        len(sample.documents),
        len(data.documents),
        len(sample.queries),
        options.target,
        options.minimize,
        threshold,
        tuple(trials),
        chosen,
    )


def without_excess(candidate: Candidate, documents: int) -> Candidate:
    """Without oversamplings that look at so much of a sample that they say nothing of the whole corpus."""
    kept = [
        one
        for one in candidate.oversampling
        if one is None or candidate.considered(one) <= MOST_CONSIDERED * documents
    ]
    return replace(candidate, oversampling=kept)


def choose(trials: Sequence[Trial], threshold: float, minimize: str) -> Trial | None:
    """The cheapest that reaches the threshold, the fastest of equals, then the best; None where none does."""
    good = [trial for trial in trials if trial.quality >= threshold]
    return min(
        good,
        key=lambda one: (cost(one, minimize), -one.queries_per_second, -one.quality),
        default=None,
    )


def cost(trial: Trial, minimize: str) -> float:
    """What is to be small."""
    value = float(getattr(trial, MINIMIZED[minimize]))
    return 1 / value if minimize == "time" else value


def pareto(trials: Sequence[Trial], minimize: str) -> list[Trial]:
    """Trials that no other beats (as cheap, as good and as fast, and better in one), the cheapest first.

    Speed counts although it is not what is to be small: of two codes as large, the one that needs less
    oversampling for a target is chosen, so that it must not look beaten by the one that finds more.
    """
    ordered = sorted(
        trials, key=lambda one: (cost(one, minimize), -one.quality, -one.queries_per_second)
    )
    return [one for one in ordered if not any(_beats(other, one, minimize) for other in ordered)]


def _beats(other: Trial, one: Trial, minimize: str) -> bool:
    merits = [
        (-cost(trial, minimize), trial.quality, trial.queries_per_second) for trial in (other, one)
    ]
    return merits[0] != merits[1] and all(a >= b for a, b in zip(*merits, strict=True))
