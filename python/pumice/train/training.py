"""What a run ends with: the model, its figures, its history, its card."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumice.errors import InputError

if TYPE_CHECKING:
    from pumice.model import StaticModel
    from pumice.train.figures import Figure

CARD_MARK = "Fingerprint: `"
"""Stands in every card."""
_CARD_BYTES = 1 << 20


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
    state: Path | None = None
    """Where the run's state lies until `save` has written the model."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model, its card (.md) and the plot of its training (.svg) beside it.

        InputError where a file of the card's name is there and is no card, and where the disk is full: the
        run's folder then stays, and the same call goes on from its last state.
        """
        from pumice.modelfile.writing import checked_path, write_whole
        from pumice.train.plot import draw

        target = checked_path(path, what="path")
        plot = target.with_suffix(".svg")
        check_card(target)
        card = self.card.replace("(training.svg)", f"({plot.name.replace(' ', '%20')})")
        card = card.replace('"model.pumice"', json.dumps(target.name, ensure_ascii=False))
        drawn = draw(self.history)
        try:
            self.model.save(target)
            write_whole(plot, drawn)
            write_whole(target.with_suffix(".md"), card.encode())
        except InputError as error:
            if self.state is None or not (self.state / "state.npz").exists():
                raise
            raise InputError(
                f"{error}: what was trained is kept in {self.state}: free some space and start the same "
                "command again"
            ) from None
        if self.state is not None:
            shutil.rmtree(self.state, ignore_errors=True)


def check_card(model: Path) -> None:
    """InputError where the file that a model's card would take the place of is no card."""
    card = model.with_suffix(".md")
    try:
        with card.open("rb") as file:
            is_ours = CARD_MARK.encode() in file.read(_CARD_BYTES)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{card}: cannot be written: {error.strerror}") from None
    if not is_ours:
        raise InputError(
            f"{card}: the model's card would take its place, and it is none: name another model, or move it"
        )
