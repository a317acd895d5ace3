"""Two lists made one: the cosine as it is, and how far the words' score is from the last of its list.

A convex combination (Bruch et al. 2023, An Analysis of Fusion Functions for Hybrid Retrieval), with two
thoughts. A cosine says how near a text is, whatever the others are: it is not spread over the list, so that a
question whose vector finds little trusts its words more. A sum over words says nothing by itself: the best of
the list counts one. Where fifty texts have the same one word of the question, the last of them scores
nearly as much as the best, and the words decide little.

A text that one of the lists lacks counts there as its last: it has at most so much. Where the words' list is
whole, what it lacks has none of the words, and scores 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

Listed = Sequence[tuple[Any, float]]
"""Ids and scores, best first."""


def linear(vectors: Listed, words: Listed, *, weights: tuple[float, float], whole: bool) -> Listed:
    """One list of the cosines' and the words'; `whole`: every text that has one of the words is in it."""
    # An id may be a UUID, whose hash is Python's: as few look-ups as there can be.
    by_vector, by_words = weights
    fused = {one: by_vector * cosine for one, cosine in vectors}
    if words:
        unlisted = by_vector * vectors[-1][1] if vectors else 0.0
        best = words[0][1]
        last = 0.0 if whole else words[-1][1]
        share = by_words / best if best > 0 else 0.0
        for one, score in words:
            fused[one] = fused.get(one, unlisted) + share * (score - last)
    return sorted(fused.items(), key=itemgetter(1), reverse=True)
