"""What a trainer learns from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Two texts that belong together, perhaps some that look as if they did, perhaps scores of these."""

    anchor: str
    positive: str
    negatives: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    """What a cross-encoder gave the positive, then each negative; empty where none did."""
