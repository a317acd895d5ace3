"""Words of a text with what they earned, on greens as deep as that."""

from __future__ import annotations

from collections.abc import Sequence

from pumice.explanation import Word
from pumice.terminal import printable

_GREENS = (194, 157, 120, 83, 46)  # of the 256 colours, pale to vivid, each under black text
_RED = "\033[38;5;167m"
_RESET = "\033[0m"
_NOTICED = 0.05  # of the largest share: what is below stays uncoloured


def coloured(text: str, words: Sequence[Word]) -> str:
    """The text with each word on a green as deep as its share, and red where that is negative."""
    largest = max((abs(word.share) for word in words), default=0.0)
    parts: list[str] = []
    at = 0
    for word in words:
        shown = printable(text[word.begin : word.end])
        lead = shown[: len(shown) - len(shown.lstrip())]
        parts += [printable(text[at : word.begin]), lead, _painted(shown.lstrip(), word, largest)]
        at = word.end
    return "".join([*parts, printable(text[at:])])


def _painted(shown: str, word: Word, largest: float) -> str:
    strength = word.share / largest if largest > 0 else 0.0
    if abs(strength) < _NOTICED:
        return shown
    if strength < 0:
        return f"{_RED}{shown}{_RESET}"
    green = _GREENS[min(int(strength * len(_GREENS)), len(_GREENS) - 1)]
    return f"\033[48;5;{green};38;5;16m{shown}{_RESET}"
