"""A tuning as a page: the trials as points, and the Pareto table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pumice.evaluate.report.drawing import drawn
from pumice.evaluate.report.evaluation_page import machine_lines
from pumice.evaluate.report.page import definitions, figures, html_table, page
from pumice.evaluate.report.tuning_table import (
    CHOSEN,
    beaten_in,
    measured_how,
    shown,
    tuning_head,
    tuning_row,
)
from pumice.evaluate.tuning import Trial, Tuning


def tuning_page(found: Tuning) -> str:
    """HTML."""
    return page(f"Tuning {found.model} on {found.data}", _body(found))


def _body(found: Tuning) -> Iterator[str]:
    chosen = found.chosen
    said = "nothing reaches it" if chosen is None else f"chosen: {chosen.label}"
    yield f"<p>Target: {found.target}, least {found.minimize}; {said}.</p>"
    plots = [
        (
            _plot(found, "memory", "megabytes for a million vectors"),
            f"{found.target.metric} over memory; the line is what nothing beats in both",
        ),
        (
            _plot(found, "queries_per_second", "queries per second"),
            f"{found.target.metric} over speed",
        ),
    ]
    yield from figures(plots)
    yield f"<h2>{beaten_in(found)}, and float vectors</h2>"
    yield from _table(found, shown(found))
    yield f'<p class="soft">{measured_how(found)}</p>'
    yield "<h2>All that was tried</h2>"
    yield from _table(found, sorted(found.trials, key=lambda one: -one.quality))
    yield "<h2>Measured on</h2>"
    yield from definitions(machine_lines(found.machine))


def _table(found: Tuning, trials: list[Trial]) -> Iterator[str]:
    rows = [tuning_row(found, trial)[:-1] for trial in trials]
    chosen = [at for at, trial in enumerate(trials) if trial == found.chosen]
    marked = [(at, column) for at in chosen for column in range(1, len(rows[at]))]
    yield from html_table(tuning_head(found)[:-1], rows, best=marked)


def _rising(trials: Sequence[Trial]) -> list[Trial]:
    """The best of each memory, where it is better than all that takes less."""
    rising: list[Trial] = []
    for trial in sorted(trials, key=lambda one: (one.memory, -one.quality)):
        if not rising or trial.quality > rising[-1].quality:
            rising.append(trial)
    return rising


def _plot(found: Tuning, over: str, name: str) -> str:
    with drawn(title=f"{found.target.metric} over {over}", height=4.2) as drawing:
        axes = drawing.axes
        axes.plot(
            [getattr(trial, over) for trial in found.trials],
            [trial.quality for trial in found.trials],
            "o",
            color=drawing.colour(5),
            markersize=4,
            alpha=0.5,
        )
        front = _rising(found.trials) if over == "memory" else []
        axes.plot(
            [trial.memory for trial in front],
            [trial.quality for trial in front],
            "-",
            drawstyle="steps-post",
            color=drawing.colour(0),
            linewidth=1.5,
        )
        axes.axhline(found.threshold, color=drawing.colour(1), linewidth=1, linestyle="--")
        if found.chosen is not None:
            place = (getattr(found.chosen, over), found.chosen.quality)
            axes.plot(*([one] for one in place), "D", color=drawing.colour(1), markersize=8)
            axes.annotate(
                CHOSEN.removeprefix("<- "),
                place,
                xytext=(0, 8),
                textcoords="offset points",
                horizontalalignment="center",
                fontsize=9,
            )
        lowest = min(trial.quality for trial in found.trials)
        highest = max(trial.quality for trial in found.trials)
        room = max(highest - lowest, 0.01)
        axes.set_ylim(lowest - 0.05 * room, highest + 0.12 * room)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel(name)
        axes.set_ylabel(found.target.metric)
    return drawing.svg
