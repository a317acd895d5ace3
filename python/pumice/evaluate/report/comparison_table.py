"""A comparison on a terminal: two columns, the recommendation, and where the two differ."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from pumice.evaluate.comparison import Comparison
from pumice.evaluate.comparison.comparison import Side
from pumice.evaluate.comparison.recommendation import digits, duration
from pumice.evaluate.report.table import aligned

_WIDTH = 96
_PASSAGE = 110


def comparison_lines(found: Comparison) -> Iterator[str]:
    """Everything a person decides by."""
    yield from aligned(list(comparison_rows(found)))
    yield ""
    yield from textwrap.wrap(measured_how(found), _WIDTH)
    yield ""
    yield f"Recommendation: {found.recommendation.choice}."
    for reason in found.recommendation.reasons:
        yield from textwrap.wrap(reason, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
    if found.examples:
        yield ""
        yield "Where the two differ most:"
        for example in found.examples:
            yield f"  {_short(example['query'])}"
            yield f"    static       {_short(example['static'])}"
            yield f"    transformer  {_short(example['transformer'])}"


def comparison_rows(found: Comparison) -> Iterator[list[str]]:
    """A heading, then a row for each thing that was measured."""
    sides = (found.static, found.transformer)
    costs = [side.cost for side in sides]
    yield ["", *(side.model for side in sides)]
    yield ["model", *(_megabytes(cost.model_bytes) for cost in costs)]
    yield ["process in memory", *(_megabytes(cost.resident_bytes) for cost in costs)]
    yield ["dimensions", *(f"{cost.dimensions:,}" for cost in costs)]
    yield ["a million float vectors", *(_megabytes(4e6 * cost.dimensions) for cost in costs)]
    yield ["opens in", *(f"{cost.load_seconds:.2f} s" for cost in costs)]
    yield ["one query", *(f"{digits(cost.query_milliseconds)} ms" for cost in costs)]
    yield ["texts a second", *(f"{cost.texts / cost.seconds:,.0f}" for cost in costs)]
    yield [
        "processor time, a million texts",
        *(duration(cost.processor_hours_per_million) for cost in costs),
    ]
    if found.price is not None:
        yield [
            f"price of that, at {found.price:g} an hour",
            *(digits(cost.price_per_million(found.price)) for cost in costs),
        ]
    for way in found.static.metrics:
        for metric in ("nDCG@10", "recall@100"):
            cells = [_metric(side, way, metric) for side in sides]
            yield [f"{metric}, {way}", *cells]
    if not found.static.metrics:
        yield ["first ten in common", f"{found.agreement.top:.0%}", ""]
        yield ["transformer's first among them", f"{found.agreement.first:.0%}", ""]


def measured_how(found: Comparison) -> str:
    """On what, and what was extrapolated."""
    documents = f"{found.documents:,} documents of {found.data}"
    if found.documents < found.documents_in_all:
        documents += f", a sample of {found.documents_in_all:,}, which is easier to search than all"
    costs = (found.static.cost, found.transformer.cost)
    sizes = " and ".join(f"{cost.texts:,}" for cost in costs)
    mean = costs[0].text_bytes / costs[0].texts
    return (
        f"Searched: {documents}, with {found.queries:,} queries. Processor time was measured on {sizes} "
        f"texts of {mean:,.0f} bytes on average and extrapolated to a million, on {found.machine.processor} "
        f"({found.machine.processors} in use), float32, without a GPU."
    )


def _metric(side: Side, way: str, metric: str) -> str:
    return f"{side.metrics[way][metric]:.4f}" if way in side.metrics else ""


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def _short(text: str) -> str:
    return textwrap.shorten(text, _PASSAGE, placeholder=" …")
