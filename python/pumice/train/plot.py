"""The plot of a run: loss and figures at each prefix over the steps, as SVG. The only user of matplotlib."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from pumice.errors import MissingExtraError

_POINTS = 400


def draw(history: Mapping[str, Any]) -> bytes:
    """SVG bytes, the same for the same history and library version."""
    try:
        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train") from error
    with matplotlib.rc_context({"svg.hashsalt": "pumice"}):
        figure = Figure(figsize=(10, 4), layout="constrained")
        FigureCanvasSVG(figure)
        left, right = figure.subplots(1, 2)
        dims = history["dims"]
        losses = np.array(history["losses"], dtype=float).reshape(-1, 1 + len(dims))
        window = max(1, len(losses) // _POINTS)
        means = losses[: len(losses) // window * window].reshape(-1, window, losses.shape[1])
        for column, dim in enumerate(dims, start=1):
            left.plot(means[:, -1, 0], means[:, :, column].mean(1), label=f"{dim}", linewidth=1)
            points = [
                (one["step"], _height(one, dim, place=column - 1)) for one in history["evaluations"]
            ]
            if points:
                drawn = right.plot(*zip(*points, strict=True), label=f"{dim}", marker=".")
                for kind, style in zip(_codes(history), ("--", ":"), strict=False):
                    heights = [
                        (one["step"], _height(one, dim, place=column - 1, code=kind))
                        for one in history["evaluations"]
                    ]
                    color = drawn[0].get_color()
                    right.plot(*zip(*heights, strict=True), linestyle=style, color=color)
        left.set_title("loss of each batch" if window == 1 else f"loss, means of {window} batches")
        retrieval = any(one["figures"] for one in history["evaluations"])
        title = "nDCG@10, mean of the sets measured"
        styles = zip(("dashed", "dotted"), _codes(history), strict=False)
        if told := ", ".join(f"{style}: {kind} codes" for style, kind in styles):
            title += f"\n{told}"
        right.set_title(title if retrieval else history.get("agreement", title))
        for axis in (left, right):
            axis.set_xlabel("step")
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.spines[["top", "right"]].set_visible(False)
        if history["evaluations"]:
            best = history["best_step"]
            right.axvline(best, color="0.8", linewidth=1, zorder=0)
            side = "right" if 2 * best > losses[-1:, 0].sum() else "left"
            place = right.get_xaxis_transform()
            right.text(best, 0.03, " kept ", transform=place, color="0.5", ha=side)
        handles, names = left.get_legend_handles_labels()
        # Beside the axes: within them it lay upon the curves.
        figure.legend(handles, names, title="dimensions", frameon=False, loc="outside right center")
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _codes(history: Mapping[str, Any]) -> list[str]:
    figures = (figure for one in history["evaluations"] for figure in one["figures"])
    return [code for code in dict.fromkeys(figure.get("code", "") for figure in figures) if code]


def _height(evaluation: Mapping[str, Any], dim: int, *, place: int, code: str = "") -> float:
    figures = [
        figure["ndcg"]
        for figure in evaluation["figures"]
        if figure["dim"] == dim and figure.get("code", "") == code
    ]
    return float(np.mean(figures) if figures else evaluation["agreement"][place])
