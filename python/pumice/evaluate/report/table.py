"""The table on a terminal, aligned, a block for each model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pumice.evaluate.evaluation import Evaluation
from pumice.evaluate.report.summary import SummaryRow, summarize

ABSENT = "–"
COSTS = ("change", "recall@10", "MB/million", "queries/s", "build s")


def table(evaluation: Evaluation, metric: str) -> Iterator[str]:
    """Lines: the metric on each set, the mean, and what each setting costs."""
    sets = [one.name for one in evaluation.sets]
    mean = ["mean"] if len(sets) > 1 else []
    head = [metric, *sets, *mean, *COSTS]
    body: list[list[str]] = []
    model = ""
    for row in summarize(evaluation, metric):
        if row.model != model:
            model = row.model
            body.append([model])
        body.append(["  " + row.setting, *scores(row, sets), *costs(row)])
    yield from aligned([head, *body])
    yield ""
    yield (
        "change: of the mean, against the model's first row. recall@10: of exact search's ten, over the "
        "model's float vectors."
    )
    yield (
        "MB/million: what a search reads, for a million vectors. queries/s: one after the other, from "
        "Python. build: all sets."
    )


def scores(row: SummaryRow, sets: Sequence[str]) -> list[str]:
    """The metric on each set, and the mean where there are several."""
    cells = [f"{row.by_set[name]:.4f}" if name in row.by_set else ABSENT for name in sets]
    return [*cells, f"{row.mean:.4f}"] if len(sets) > 1 else cells


def costs(row: SummaryRow) -> list[str]:
    """In the order of COSTS."""
    return [
        ABSENT if row.change is None else f"{round(row.change, 3) + 0.0:+.1%}",
        ABSENT if row.recall is None else f"{row.recall:.3f}",
        ABSENT if row.bytes_per_vector is None else f"{row.bytes_per_vector:,.0f}",
        f"{row.queries_per_second:,.0f}",
        f"{row.build_seconds:.1f}",
    ]


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with the first column at the left and the others at the right; short rows stand alone."""
    full = [row for row in rows if len(row) > 1]
    widths = [max(len(row[at]) for row in full) for at in range(len(full[0]))]
    for row in rows:
        if len(row) == 1:
            yield row[0]
            continue
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()
