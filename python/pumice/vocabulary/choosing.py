"""Chooses whole words and phrases from counted ones: those that spare tokens, those that belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log

from pumice.errors import InputError
from pumice.vocabulary.counting import Counts
from pumice.vocabulary.options import FEWEST

_TOGETHER = 0.5
"""The least normalised pointwise mutual information of a phrase; "of the" has 0.3, "new york" 0.8."""
_COMMON = 1 / 200
"""A phrase neither begins nor ends with a word this frequent: "is a" and "he was" say nothing."""


def choose_words(
    words: Counter[str], *, count: int, pieces: Callable[[Sequence[str]], Sequence[int]]
) -> list[str]:
    """The ``count`` words that spare the most tokens, most first; ``pieces`` tells how many each is cut into.

    Raises InputError where fewer occur 5 times and are cut at all.
    """
    if not count:
        return []
    frequent = sorted(
        word
        for word, times in words.items()
        if times >= FEWEST and len(word) > 1 and any(map(str.isalpha, word))
    )
    spared = {
        word: words[word] * (cut - 1)
        for word, cut in zip(frequent, pieces(frequent), strict=True)
        if cut > 1
    }
    return _most(spared, count, what="words", why=f"occur {FEWEST} times and are cut into pieces")


def choose_phrases(counts: Counts, *, count: int, unchanged: Callable[[str], bool]) -> list[str]:
    """The ``count`` best phrases: how often they occur, times their normalised mutual information.

    Of three words, the lesser of both ways to cut them counts (Bouma 2009 for the measure). A phrase that
    is part of a longer one counts only where it stands without it. ``unchanged`` tells whether the
    normalizer leaves a phrase as it is. Raises InputError where fewer are to be had.
    """
    if not count:
        return []
    runs = Counter({run: times for run, times in counts.runs.items() if times >= FEWEST})
    total = counts.total
    common = {word for word, times in counts.words.items() if times > _COMMON * total}
    together = {run: _together(run, counts, total) for run in sorted(runs)}
    good = [
        run
        for run, score in together.items()
        if score >= _TOGETHER and _is_phrase(run.split(" "), common)
    ]
    for run in good:
        first, second, *third = run.split(" ")
        if third:
            runs[f"{first} {second}"] -= runs[run]
            runs[f"{second} {third[0]}"] -= runs[run]
    scores = {
        run: runs[run] * together[run] for run in good if runs[run] >= FEWEST and unchanged(run)
    }
    return _most(scores, count, what="phrases", why=f"occur {FEWEST} times and belong together")


def outside(words: Counter[str], phrases: Sequence[str], runs: Counter[str]) -> Counter[str]:
    """How often words stand outside of phrases, at least: what of them a token of their own would serve."""
    left = words.copy()
    for phrase in phrases:
        for word in phrase.split(" "):
            left[word] -= runs[phrase]
    return left


def _together(run: str, counts: Counts, total: int) -> float:
    """Normalised pointwise mutual information, -1 to 1: 1 where the parts never stand alone."""
    words = run.split(" ")
    times = counts.runs[run]
    values = []
    for cut in range(1, len(words)):
        parts = [" ".join(words[:cut]), " ".join(words[cut:])]
        left, right = (counts.words[p] if " " not in p else counts.runs[p] for p in parts)
        # Where a table has forgotten a part, it was rare: at least as frequent as the whole.
        chance = max(left, times) * max(right, times) / total
        values.append(log(times / chance) / log(total / times))
    return min(values)


def _is_phrase(words: list[str], common: set[str]) -> bool:
    says = not common.intersection((words[0], words[-1]))
    return says and any(character.isalpha() for word in words for character in word)


def _most(scores: Mapping[str, float], count: int, *, what: str, why: str) -> list[str]:
    if len(scores) < count:
        raise InputError(
            f"{what} is {count}, and {len(scores)} of the corpus {why}: ask for at most "
            f"{len(scores)}, or give more texts"
        )
    return sorted(scores, key=lambda key: (-scores[key], key))[:count]
