"""Figures of several sets as one row for each way of keeping and asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pumice.evaluate.evaluation import Evaluation, Figure


@dataclass(frozen=True)
class SummaryRow:
    """One setting of one model over all sets."""

    model: str
    setting: str
    by_set: Mapping[str, float]
    """The metric on each set that was measured."""
    mean: float
    change: float | None
    """Of the mean against the model's first row's, as a share; None in that row itself."""
    recall: float | None
    bytes_per_vector: float | None
    queries_per_second: float
    build_seconds: float
    """Of all sets together."""


def summarize(evaluation: Evaluation, metric: str) -> list[SummaryRow]:
    """Rows in the order of measurement; a model's first row is what its others are held against."""
    groups: dict[tuple[str, str], list[Figure]] = {}
    for figure in evaluation.figures:
        groups.setdefault((figure.model, figure.setting), []).append(figure)
    firsts: dict[str, float] = {}
    rows = []
    for (model, setting), figures in groups.items():
        by_set = {figure.data: figure.metrics[metric] for figure in figures}
        mean = float(np.mean(list(by_set.values())))
        first = firsts.get(model)
        firsts.setdefault(model, mean)
        rows.append(
            SummaryRow(
                model,
                setting,
                by_set,
                mean,
                change=mean / first - 1 if first else None,
                recall=_mean([figure.recall for figure in figures]),
                bytes_per_vector=_mean([figure.bytes_per_vector for figure in figures]),
                queries_per_second=float(np.mean([one.queries_per_second for one in figures])),
                build_seconds=sum(one.build_seconds for one in figures),
            )
        )
    return rows


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None
