"""A tuning on a terminal: what nothing beats, the target, and what is chosen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from pumice.evaluate.report.table import aligned
from pumice.evaluate.tuning import Trial, Tuning
from pumice.evaluate.tuning.target import RECALL

_WIDTH = 96
_BAR = 24
CHOSEN = "<- chosen"


def tuning_lines(found: Tuning) -> Iterator[str]:
    """The Pareto table and the choice."""
    yield f"{beaten_in(found)}, and float vectors:"
    yield ""
    yield from aligned([tuning_head(found), *(tuning_row(found, one) for one in shown(found))])
    yield ""
    yield from textwrap.wrap(measured_how(found), _WIDTH)
    yield ""
    if found.chosen is None:
        best = max(found.trials, key=lambda one: one.quality)
        yield (
            f"Nothing reaches {found.target} ({found.threshold:.4f}); the best is {best.label} "
            f"with {best.quality:.4f}."
        )
        return
    size = found.trials[0].memory / found.chosen.memory
    yield (
        f"Chosen: {found.chosen.label}: {found.target.metric} {found.chosen.quality:.4f}, "
        f"{found.chosen.memory:,.0f} MB for a million vectors, 1/{size:.3g} of float32."
    )


def beaten_in(found: Tuning) -> str:
    """What the table holds."""
    if found.minimize == "time":
        return f"What no other way beats in both time and {found.target.metric}"
    return f"What no other way beats in {found.minimize}, {found.target.metric} and speed at once"


def tuning_head(found: Tuning) -> list[str]:
    """Names of the columns."""
    recall = [] if found.target.metric == RECALL else [RECALL]
    return [
        "kept and asked",
        found.target.metric,
        *recall,
        "MB/million",
        "disk",
        "queries/s",
        "build s",
        "",
    ]


def tuning_row(found: Tuning, trial: Trial) -> list[str]:
    """One trial's cells."""
    recall = [] if found.target.metric == RECALL else [f"{trial.recall:.3f}"]
    return [
        trial.label,
        f"{trial.quality:.4f}",
        *recall,
        f"{trial.memory:,.0f}",
        f"{trial.disk:,.0f}",
        f"{trial.queries_per_second:,.0f}",
        f"{trial.build_seconds:.1f}",
        CHOSEN if trial == found.chosen else _bar(found, trial),
    ]


def shown(found: Tuning) -> list[Trial]:
    """The Pareto front and, to hold it against, float vectors."""
    rows = found.pareto
    return rows if found.trials[0] in rows else [*rows, found.trials[0]]


def measured_how(found: Tuning) -> str:
    """On what, and what grows with the corpus."""
    sample = f"{found.documents:,} documents of {found.data}"
    if found.documents < found.documents_in_all:
        sample += (
            f", a sample of {found.documents_in_all:,}: all of them are harder to search, so leave "
            "some room above the target, or try more with --documents"
        )
    return (
        f"{len(found.trials)} ways tried with model {found.model} on {sample}, and {found.queries:,} "
        "queries. MB/million: what a search reads, for a million vectors. disk: the vectors there, MB "
        "for a million. recall@10: of exact search's ten over the float vectors."
    )


def _bar(found: Tuning, trial: Trial) -> str:
    """A plot for a terminal: how near the threshold."""
    return "█" * max(0, min(_BAR, round(_BAR * trial.quality / max(found.threshold, 1e-9))))
