"""The report of an evaluation as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pumice.evaluate.evaluation import Evaluation
from pumice.evaluate.machine import Machine
from pumice.evaluate.metrics import METRICS
from pumice.evaluate.report.page import definitions, figures, html_table, page
from pumice.evaluate.report.plots import memory_plot, sets_plot, speed_plot
from pumice.evaluate.report.summary import SummaryRow, summarize
from pumice.evaluate.report.table import COSTS, costs, scores


def evaluation_page(evaluation: Evaluation, metric: str) -> str:
    """HTML; `metric` leads, the others follow in tables of their own."""
    models = list(dict.fromkeys(figure.model for figure in evaluation.figures))
    return page(f"Retrieval quality of {', '.join(models)}", _body(evaluation, metric))


def _body(evaluation: Evaluation, metric: str) -> Iterator[str]:
    sets = [one.name for one in evaluation.sets]
    rows = summarize(evaluation, metric)
    documents = sum(one.documents for one in evaluation.sets)
    queries = sum(one.queries for one in evaluation.sets)
    yield (
        f'<p class="soft">{len(sets)} test collection{"s" * (len(sets) != 1)}, {documents:,} documents, '
        f"{queries:,} queries, searched in Qdrant Edge.</p>"
    )
    yield f"<h2>{metric}, and what it costs</h2>"
    yield from _table(rows, sets, metric, with_costs=True)
    yield (
        '<p class="soft">change: of the mean, against the model’s first row. recall@10: of the ten that exact '
        "search finds over the model’s float vectors. MB/million: what a search reads, for a million "
        "vectors. queries/s: one after the other from Python, ten hits each. build: all sets together. "
        "Green: the best of a model.</p>"
    )
    yield from figures(
        [
            (memory_plot(rows, metric), f"What memory buys: {metric}, mean of the sets"),
            (speed_plot(rows), "Speed, and how much of exact search’s first ten is found"),
            (sets_plot(rows, metric, sets), f"{metric} on each set"),
        ]
    )
    for other in METRICS:
        if other != metric:
            yield f"<h2>{other}</h2>"
            yield from _table(summarize(evaluation, other), sets, other, with_costs=False)
    yield "<h2>Test collections</h2>"
    yield from html_table(
        ["set", "documents", "queries", "relevant"],
        [
            [one.name, f"{one.documents:,}", f"{one.queries:,}", f"{one.relevant:,}"]
            for one in evaluation.sets
        ],
    )
    yield "<h2>Measured on</h2>"
    yield from definitions(machine_lines(evaluation.machine))
    yield "<h2>Models</h2>"
    yield from definitions(evaluation.fingerprints.items())


def machine_lines(machine: Machine) -> Iterator[tuple[str, str]]:
    """Names and values."""
    yield "processor", f"{machine.processor}, {machine.processors} in use"
    yield "system", machine.system
    yield from machine.versions.items()


def _table(
    rows: Sequence[SummaryRow], sets: Sequence[str], metric: str, *, with_costs: bool
) -> Iterator[str]:
    several = len(sets) > 1
    head = [metric, *sets, *(["mean"] if several else []), *(COSTS if with_costs else ())]
    shown: list[list[str]] = []
    values: list[list[float]] = []
    blocks: list[list[int]] = []
    model = ""
    for row in rows:
        if row.model != model:
            model = row.model
            shown.append([row.model])
            values.append([])
            blocks.append([])
        blocks[-1].append(len(shown))
        shown.append([row.setting, *scores(row, sets), *(costs(row) if with_costs else [])])
        mean = [row.mean] if several else []
        values.append([row.by_set.get(name, -1.0) for name in sets] + mean)
    best = [
        (at, column + 1)
        for block in blocks
        if len(block) > 1
        for column in range(len(values[block[0]]))
        for at in block
        if values[at][column] == max(values[one][column] for one in block)
    ]
    yield from html_table(head, shown, best=best)
