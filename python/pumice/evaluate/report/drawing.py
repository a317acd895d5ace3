"""SVG that takes its colours from the page around it. The only user of matplotlib here."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pumice.errors import MissingExtraError

# Stand in for the page's own colours while matplotlib draws, which knows no CSS.
_TEXT, _FAINT = "#010203", "#040506"
_SERIES = tuple(f"#0a0b{at:02x}" for at in range(6))
MARKERS = ("o", "s", "^", "D", "v", "P")


@dataclass
class Drawing:
    """Axes to draw on, and the SVG once the `with` has ended."""

    axes: Any
    svg: str = field(default="", init=False)

    def colour(self, at: int) -> str:
        """The series' colour; the page says which that is."""
        return _SERIES[at % len(_SERIES)]


@contextmanager
def drawn(*, title: str, width: float = 5.0, height: float = 3.4) -> Iterator[Drawing]:
    """A plot as wide as a phone, in inches; the same bytes for the same figures and library version."""
    try:
        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "eval") from None
    settings: Any = {
        "svg.hashsalt": title,
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.grid": True,
        **dict.fromkeys(
            ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), _TEXT
        ),
        **dict.fromkeys(("axes.edgecolor", "grid.color", "xtick.color", "ytick.color"), _FAINT),
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        drawing = Drawing(axes)
        yield drawing
        out = io.StringIO()
        metadata = {"Date": None, "Creator": None}
        figure.savefig(out, format="svg", metadata=metadata, transparent=True)
    drawing.svg = _for_a_page(out.getvalue(), title)


def _for_a_page(svg: str, title: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'role="img"', svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", f"<title>{title}</title>", svg, flags=re.DOTALL)
    svg = svg.replace(_TEXT, "currentColor").replace(_FAINT, "var(--faint)")
    for at, colour in enumerate(_SERIES):
        svg = svg.replace(colour, f"var(--series-{at})")
    return svg


@dataclass(frozen=True)
class Label:
    """A point's height, and from where to where the point with its label reaches across."""

    left: float
    right: float
    height: float


def spread(labels: Sequence[Label], *, gap: float) -> list[float]:
    """Heights for labels, in their order: each as low as it fits, at its point or above.

    Those that lie above one another are kept `gap` apart.
    """
    heights: dict[int, float] = {}
    for at in sorted(range(len(labels)), key=lambda one: labels[one].height):
        label, height = labels[at], labels[at].height
        beside = sorted(
            heights[other]
            for other in heights
            if labels[other].left < label.right and label.left < labels[other].right
        )
        for taken in beside:
            if abs(taken - height) < gap:
                height = taken + gap
        heights[at] = height
    return [heights[at] for at in range(len(labels))]
