"""The plot of a run: loss and nDCG@10 at each prefix over the steps, as SVG. The only user of matplotlib."""

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
                (one["step"], np.mean([f["ndcg"] for f in one["figures"] if f["dim"] == dim]))
                for one in history["evaluations"]
            ]
            if points:
                right.plot(*zip(*points, strict=True), label=f"{dim}", marker=".")
        left.set_title("loss of each batch")
        right.set_title("nDCG@10, mean of the sets measured")
        for axis in (left, right):
            axis.set_xlabel("step")
            axis.spines[["top", "right"]].set_visible(False)
        left.legend(title="dimensions", frameon=False)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()
