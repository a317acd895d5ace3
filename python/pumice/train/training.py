"""What a run ends with: the model, its figures, its history, its card."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pumice.model import StaticModel
    from pumice.train.figures import Figure


@dataclass(frozen=True)
class Training:
    """A finished run."""

    model: StaticModel
    """The best measured state, its rows stored as ``dtype`` says."""
    figures: list[Figure]
    """Of ``model`` itself, on every set at every prefix."""
    first_figures: list[Figure]
    """Of the rows that training started from."""
    history: dict[str, Any]
    """"losses": [step, mean loss] of every step; "evaluations": step and figures; "best_step"."""
    stopped: str
    """Why the run ended before its last step; empty where it did not."""
    diverged: bool
    """The loss was no longer a number."""
    card: str
    """Markdown for people: data, settings, figures."""
    pairs_per_second: float
    """Or texts."""
    agreement: Sequence[float] = ()
    """Of a regression: that of ``model`` with its teacher on held-out texts, at each prefix, ascending."""
    first_agreement: Sequence[float] = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model, its card (.md) and the plot of its training (.svg) beside it."""
        from pumice.modelfile.writing import checked_path, write_whole
        from pumice.train.plot import draw

        target = checked_path(path, what="path")
        plot = target.with_suffix(".svg")
        card = self.card.replace("(training.svg)", f"({plot.name.replace(' ', '%20')})")
        drawn = draw(self.history)
        self.model.save(target)
        write_whole(plot, drawn)
        write_whole(target.with_suffix(".md"), card.encode())
