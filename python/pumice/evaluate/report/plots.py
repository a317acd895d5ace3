"""The plots of an evaluation: what memory buys, what each set says, what speed costs."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from pumice.evaluate.report.drawing import MARKERS, Label, drawn, spread
from pumice.evaluate.report.summary import SummaryRow

# Shares of an axis: what a character of a label takes of its length, a marker with the space beside it, a line.
_CHARACTER, _MARKER, _LINE = 0.0145, 0.02, 0.045


def _heights(
    rows: Sequence[SummaryRow],
    points: Sequence[tuple[float, float]],
    *,
    length: float,
    height: float,
) -> list[float]:
    """Where the labels of points go on axes of that length and height, so that none covers another."""
    labels = [
        Label(
            at - length * _MARKER,
            at + length * (_MARKER + _CHARACTER * len(row.setting)),
            value,
        )
        for row, (at, value) in zip(rows, points, strict=True)
    ]
    heights = spread(labels, gap=height * _LINE)
    # Labels that were moved above make the axis longer, and a line more of it.
    above = max(heights) - max(label.height for label in labels)
    return spread(labels, gap=(height + above) * _LINE)


def memory_plot(rows: Sequence[SummaryRow], metric: str) -> str | None:
    """The mean over memory: each model a colour, each setting a point with its name."""
    there = [row for row in rows if row.bytes_per_vector]
    if not there:
        return None
    models = list(dict.fromkeys(row.model for row in there))
    low, high = min(row.mean for row in there), max(row.mean for row in there)
    room = max(high - low, 0.02)
    with drawn(title=f"{metric} over memory", height=4.2) as drawing:
        axes = drawing.axes
        sizes = [row.bytes_per_vector or 1 for row in there]
        left, right = min(sizes) / 1.4, max(sizes) * 5
        points = [(log2(size), row.mean) for size, row in zip(sizes, there, strict=True)]
        heights = _heights(there, points, length=log2(right / left), height=room * 1.24)
        for row, height in zip(there, heights, strict=True):
            at = models.index(row.model)
            size = row.bytes_per_vector or 0
            colour = drawing.colour(at)
            axes.plot([size], [row.mean], MARKERS[at % len(MARKERS)], color=colour, markersize=6)
            axes.annotate(
                row.setting,
                (size, row.mean),
                xytext=(size * 1.12, height),
                fontsize=8,
                verticalalignment="center",
            )
        for at, model in enumerate(models):
            marker = MARKERS[at % len(MARKERS)]
            axes.plot([], [], marker, color=drawing.colour(at), label=model)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlim(left, right)
        axes.set_ylim(low - room * 0.12, max(high, *heights) + room * 0.12)
        axes.set_xlabel("megabytes for a million vectors")
        axes.set_ylabel(f"{metric}, mean")
        axes.legend(frameon=False, loc="lower right", fontsize=8)
    return drawing.svg


def sets_plot(rows: Sequence[SummaryRow], metric: str, sets: Sequence[str]) -> str:
    """A strip for each set, a mark for each setting of each model."""
    models = list(dict.fromkeys(row.model for row in rows))
    with drawn(title=f"{metric} by set", height=0.9 + 0.5 * len(sets)) as drawing:
        axes = drawing.axes
        for place, name in enumerate(reversed(sets)):
            for row in rows:
                if name not in row.by_set:
                    continue
                at = models.index(row.model)
                axes.plot(
                    [row.by_set[name]],
                    [place + 0.12 * (at - (len(models) - 1) / 2)],
                    MARKERS[at % len(MARKERS)],
                    color=drawing.colour(at),
                    markersize=6,
                    alpha=0.7,
                )
        for at, model in enumerate(models):
            marker = MARKERS[at % len(MARKERS)]
            axes.plot([], [], marker, color=drawing.colour(at), label=model)
        axes.set_yticks(range(len(sets)), list(reversed(sets)))
        axes.set_ylim(-0.5, len(sets) - 0.5)
        axes.set_xlabel(f"{metric}; a mark is a row of the table")
        axes.legend(frameon=False, fontsize=8, loc="best")
    return drawing.svg


def speed_plot(rows: Sequence[SummaryRow]) -> str | None:
    """recall@10 over queries per second."""
    there = [row for row in rows if row.recall is not None]
    if not there:
        return None
    models = list(dict.fromkeys(row.model for row in there))
    with drawn(title="recall over speed", height=4.2) as drawing:
        axes = drawing.axes
        fastest = max(row.queries_per_second for row in there)
        slowest = min(row.queries_per_second for row in there)
        left, right = slowest * 0.9, fastest + (fastest - slowest) * 0.5 + 1
        points = [(row.queries_per_second, row.recall or 0.0) for row in there]
        heights = _heights(there, points, length=right - left, height=1.05)
        for row, height in zip(there, heights, strict=True):
            at = models.index(row.model)
            speed = row.queries_per_second
            marker = MARKERS[at % len(MARKERS)]
            axes.plot([speed], [row.recall], marker, color=drawing.colour(at), markersize=6)
            axes.annotate(
                row.setting,
                (speed, row.recall),
                xytext=(speed + (fastest - slowest) * 0.03, height),
                fontsize=8,
                verticalalignment="center",
            )
        axes.set_xlim(left, right)
        axes.set_ylim(0, max(1.05, *(height + 0.05 for height in heights)))
        axes.set_xlabel("queries per second, one after the other")
        axes.set_ylabel("recall@10 against exact search")
    return drawing.svg
