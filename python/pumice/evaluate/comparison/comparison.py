"""compare: a static model and a transformer on one corpus and its queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pumice.errors import InputError
from pumice.evaluate import metrics
from pumice.evaluate.asking import Answers, filled
from pumice.evaluate.comparison.cost import Cost, measure_cost
from pumice.evaluate.comparison.quality import Agreement, Quality, agree, judge
from pumice.evaluate.comparison.recommendation import Recommendation, recommend
from pumice.evaluate.embedder import Model
from pumice.evaluate.exact import Exact
from pumice.evaluate.machine import Machine, this_machine
from pumice.evaluate.metrics import Ranking
from pumice.evaluate.opening import TRANSFORMER_PREFIX, open_model
from pumice.evaluate.retrieval_set import RetrievalSet
from pumice.evaluate.settings import Way, plain

FORMAT, VERSION = "pumice-compare", 1
VECTORS, HYBRID = "vectors", "hybrid"
WAYS = {VECTORS: Way(VECTORS), HYBRID: Way(HYBRID, "hybrid")}
"""Words cost next to nothing and make up for much, so that both models are asked in both ways."""
Told = Callable[[str], None]


@dataclass(frozen=True)
class CompareOptions:
    """How much is measured."""

    documents: int = 2000
    """Of the corpus, those that answer a query first, the others drawn at random: a transformer is slow."""
    queries: int = 300
    """Drawn at random where there are more."""
    seconds: float = 10.0
    """For which each model encodes while the clock runs."""
    price: float | None = None
    """Of one processor for an hour, in any currency."""
    vectors: Path | None = None
    """Where the transformer's vectors are kept for the next time."""
    offline: bool = False


@dataclass(frozen=True)
class Side:
    """One of the two."""

    model: str
    cost: Cost
    metrics: dict[str, dict[str, float]]
    """By the way of searching; empty without judgments."""


@dataclass(frozen=True)
class Comparison:
    """What was measured, and what follows."""

    data: str
    documents: int
    documents_in_all: int
    queries: int
    static: Side
    transformer: Side
    quality: Quality | None
    """Each model in the better of its own ways of searching; None without judgments."""
    ways: tuple[str, str]
    """Which these are."""
    agreement: Agreement
    recommendation: Recommendation
    price: float | None
    examples: tuple[dict[str, str], ...]
    """The queries that agree least: query, and the first hit of each."""
    machine: Machine = field(default_factory=this_machine)

    def as_json(self) -> dict[str, Any]:
        """Plain values; format and version first."""
        return {"format": FORMAT, "version": VERSION, **asdict(self)}


def compare(
    static: str | None,
    transformer: str,
    data: RetrievalSet,
    *,
    options: CompareOptions | None = None,
    tell: Told | None = None,
) -> Comparison:
    """Measure both. `static` is what `pumice.load` takes, `transformer` a sentence-transformers folder or id.

    With judgments quality is nDCG@10; without, the two rankings are held against each other. Raises
    InputError, HubError, MissingExtraError.
    """
    options = options or CompareOptions()
    say = tell or (lambda _: None)
    metrics.check_installed()
    transformer = transformer.removeprefix(TRANSFORMER_PREFIX)
    name = f"{TRANSFORMER_PREFIX}{transformer}"
    ours = _opened(static, options)
    theirs = _opened(name, options)
    asked = data.ask_only(options.queries)
    sample = asked.sample(options.documents)
    costs = []
    for model, spec in ((ours, static), (theirs, name)):
        say(f"{model.name}: encoding for {options.seconds:.0f} s in a process of its own")
        texts, queries = list(sample.documents.values()), list(sample.queries.values())
        costs.append(measure_cost(spec, texts, queries, seconds=options.seconds))
    expected = costs[1].seconds / costs[1].texts * (len(sample.documents) + len(sample.queries))
    say(f"{theirs.name}: embedding {len(sample.documents):,} documents, up to {expected:.0f} s")
    theirs.prepare(sample.documents, sample.queries)
    answers, against = _answers(ours, sample), _answers(theirs, sample)
    judged = bool(sample.judgments)
    sides = [_measured(one, sample) if judged else {} for one in (answers, against)]
    best = [max(side, key=lambda way: side[way]["nDCG@10"], default=VECTORS) for side in sides]
    quality = None
    if judged:
        quality = judge(answers[best[0]].nearest, against[best[1]].nearest, sample)
    agreement = agree(answers[VECTORS].nearest, against[VECTORS].nearest)
    return Comparison(
        data.name,
        len(sample.documents),
        len(data.documents),
        len(sample.queries),
        Side(ours.name, costs[0], sides[0]),
        Side(theirs.name, costs[1], sides[1]),
        quality,
        (best[0], best[1]),
        agreement,
        recommend(costs[0], costs[1], quality=quality, agreement=agreement),
        options.price,
        _examples(agreement, answers[VECTORS].nearest, against[VECTORS].nearest, sample),
    )


def _opened(name: str | None, options: CompareOptions) -> Model:
    model = open_model(name, vectors=options.vectors, offline=options.offline)
    if model is None:
        raise InputError(
            f"{name}: is no embedding model: compare a static model with a transformer"
        )
    return model


def _answers(model: Model, data: RetrievalSet) -> dict[str, Answers]:
    exact = Exact.of(model, data)
    storing = plain(model.documents.dimensions, words=True)
    with filled(model, data, storing, exact=exact) as index:
        return {name: index.ask(way) for name, way in WAYS.items()}


def _measured(answers: dict[str, Answers], data: RetrievalSet) -> dict[str, dict[str, float]]:
    return {name: metrics.measure(one.nearest, one.deep, data) for name, one in answers.items()}


def _examples(
    agreement: Agreement, ours: Ranking, theirs: Ranking, data: RetrievalSet
) -> tuple[dict[str, str], ...]:
    def first(ranking: Ranking, query: str) -> str:
        hits = ranking.get(query, ())
        return data.documents[hits[0]] if hits else ""

    return tuple(
        {
            "query": data.queries[query],
            "static": first(ours, query),
            "transformer": first(theirs, query),
        }
        for query in agreement.least
    )
