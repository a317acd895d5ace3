"""Labels stand apart, pages take the reader's colours, and text of unknown origin stays text."""

from __future__ import annotations

import pytest

from pumice.evaluate.evaluation import Evaluation, Figure, SetSize
from pumice.evaluate.metrics import METRICS
from pumice.evaluate.report.drawing import spread
from pumice.evaluate.report.evaluation_page import evaluation_page
from pumice.evaluate.report.summary import summarize
from pumice.evaluate.report.table import table

METRIC = "nDCG@10"


def figure(
    data: str, setting: str, value: float, *, model: str = "made", size: float = 64
) -> Figure:
    return Figure(data, model, setting, dict.fromkeys(METRICS, value), 1.0, 100.0, 16, size, 0.9)


def evaluation(name: str = "first") -> Evaluation:
    figures = [
        figure(name, "float32", 0.5),
        figure(name, "binary", 0.4, size=2),
        figure("second", "float32", 0.7),
        figure("second", "binary", 0.8, size=2),
    ]
    return Evaluation(tuple(figures), (SetSize(name, 10, 2, 2), SetSize("second", 10, 2, 2)))


def test_labels_stand_apart() -> None:
    points = [(0, 1.0), (0, 1.0), (0.5, 1.01), (9, 1.0)]
    assert spread(points, reach=1, gap=0.1) == pytest.approx([1.0, 1.1, 1.2, 1.0])


def test_means_and_changes() -> None:
    first, second = summarize(evaluation(), METRIC)
    assert (first.mean, first.change) == (0.6, None)
    assert abs(second.mean - 0.6) < 1e-9
    assert second.change is not None
    assert abs(second.change) < 1e-9
    lines = list(table(evaluation(), METRIC))
    assert lines[0].split() == [
        METRIC,
        "first",
        "second",
        "mean",
        "change",
        "recall@10",
        "MB/million",
        "queries/s",
        "build",
        "s",
    ]
    assert len({len(line) for line in lines[:1] + lines[2:4]}) == 1  # aligned


def test_a_page_is_text_and_takes_the_readers_colours() -> None:
    page = evaluation_page(evaluation("<script>alert(1)</script>"), METRIC)
    assert "<script" not in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page
    svg = page[page.index("<svg") : page.rindex("</svg>")]
    assert "var(--series-0)" in svg
    assert "currentColor" in svg
    assert "#010203" not in svg
