"""What must be reached: "recall@10 >= 0.98", or "nDCG@10 >= 97 %" of what exact search reaches."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pumice.errors import InputError
from pumice.evaluate.metrics import METRICS

RECALL = "recall@10"
_TARGET = re.compile(r"\s*([A-Za-z]+@\d+)\s*(?:>=|≥)\s*([0-9.]+)\s*(%?)\s*")
_KNOWN = {name.lower(): name for name in METRICS}


@dataclass(frozen=True)
class Target:
    """A metric and the least that it may be."""

    metric: str
    """recall@10 is against exact search and needs no judgments; the others are those of `pumice eval`."""
    least: float
    relative: bool = False
    """Of what exact search over the float vectors reaches."""

    @property
    def needs_judgments(self) -> bool:
        """Whether qrels must be there."""
        return self.metric != RECALL

    def threshold(self, exact: float) -> float:
        """The least value, given exact search's own."""
        return self.least * exact if self.relative else self.least

    def __str__(self) -> str:
        shown = f"{self.least:.4g} of exact search's" if self.relative else f"{self.least:.4g}"
        return f"{self.metric} >= {shown}"


def parse_target(text: str) -> Target:
    """InputError says how a target is written."""
    parts = _TARGET.fullmatch(text)
    name = _KNOWN.get(parts[1].lower()) if parts else None
    try:
        least = float(parts[2]) if parts else -1.0
    except ValueError:
        least = -1.0
    percent = parts is not None and parts[3] == "%"
    least = least / 100 if percent else least
    if name is None or not 0 < least <= 1:
        raise InputError(
            f'{text!r} is no target: write "recall@10 >= 0.98" (of exact search\'s ten), or one of '
            f'{", ".join(METRICS)} with qrels, such as "nDCG@10 >= 97%" of what exact search reaches'
        )
    return Target(name, least, relative=percent and name != RECALL)
