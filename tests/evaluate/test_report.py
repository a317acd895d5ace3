"""Labels stand apart, pages take the reader's colours, and text of unknown origin stays text."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from pumice.evaluate.evaluation import Evaluation, Figure, SetSize
from pumice.evaluate.metrics import METRICS
from pumice.evaluate.report.drawing import Label, spread
from pumice.evaluate.report.evaluation_page import evaluation_page
from pumice.evaluate.report.plots import memory_plot
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
    labels = [Label(0, 1, 1.0), Label(0, 1, 1.0), Label(0.5, 2, 1.01), Label(2, 3, 1.0)]
    assert spread(labels, gap=0.1) == pytest.approx([1.0, 1.1, 1.2, 1.0])


def test_no_label_of_a_plot_covers_another() -> None:
    """Long labels reach the next points: where each is drawn is read from the plot."""
    settings = [("int8", 64), ("int8, rescored", 64), ("binary, 8-bit query, rescored", 8)]
    figures = [figure("made", name, 0.6 + size / 1e6, size=size) for name, size in settings]
    figures += [figure("made", f"float32, {dim} d", 0.6, size=4 * dim) for dim in (64, 128, 256)]
    rows = summarize(Evaluation(tuple(figures), (SetSize("made", 10, 2, 2),)), METRIC)
    svg = memory_plot(rows, METRIC)
    assert svg is not None
    label = re.compile(r'<text style="font-size: 8px[^>]*? x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)<')
    found = [(float(x), float(y), text) for x, y, text in label.findall(svg)]
    assert {text for _, _, text in found} >= {name for name, _ in settings}
    for (x, y, text), (other_x, other_y, other) in combinations(found, 2):
        beside = x + 4 * len(text) < other_x or other_x + 4 * len(other) < x
        assert beside or abs(y - other_y) >= 8, (text, other)


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
