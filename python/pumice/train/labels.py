"""Labels: what a cross-encoder gives each positive and its hard negatives, kept on disk as it goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pumice.teachers.cross_encoders import CrossEncoder, load_cross_encoder
from pumice.train.lanes import processors
from pumice.train.pair import Pair
from pumice.train.pairs import checked_pairs
from pumice.train.score_cache import ScoreCache, Texts

_LISTS = 32
"""Pairs whose lists are scored and kept together: what a kill costs at most."""

Lists = Sequence[Sequence[Texts]]
"""For each pair, its anchor with its positive, then with each of its negatives."""
Scored = Callable[[int, int], None]
"""Called with (lists done, lists in all)."""


def label_pairs(
    pairs: Sequence[Pair],
    *,
    cross_encoder: CrossEncoder | str,
    cache: str | os.PathLike[str] | None = None,
) -> list[Pair]:
    """The pairs, those with negatives with scores: the positive's, then each negative's.

    ``cache`` is a folder that keeps scores by model and texts: a call that was killed goes on from there.
    Raises InputError for what is no pair.
    """
    pairs = checked_pairs(pairs)
    if isinstance(cross_encoder, str):
        cross_encoder = load_cross_encoder(cross_encoder, threads=processors())
    numbers = [number for number, pair in enumerate(pairs) if pair.negatives]
    lists = [
        [(pairs[n].anchor, text) for text in (pairs[n].positive, *pairs[n].negatives)]
        for n in numbers
    ]
    made = list(pairs)
    with TemporaryDirectory() if cache is None else nullcontext(os.fspath(cache)) as folder:
        kept = ScoreCache(Path(folder), cross_encoder.identity)
        for number, scores in zip(numbers, score_lists(lists, cross_encoder, kept), strict=True):
            made[number] = replace(pairs[number], scores=tuple(scores))
    return made


def score_lists(
    lists: Lists, cross_encoder: CrossEncoder, cache: ScoreCache, *, progress: Scored | None = None
) -> list[list[float]]:
    """The scores of every list, from the cache or the model, what is new kept every few lists.

    Which texts share a forward pass depends on the lists and on what the cache held, and never on where an
    earlier run was killed: such a run's scores are the same to the last bit.
    """
    for low in range(0, len(lists), _LISTS):
        missing = cache.missing(one for texts in lists[low : low + _LISTS] for one in texts)
        if missing:
            cache.add(missing, cross_encoder.scores(missing).tolist())
        if progress is not None:
            progress(min(low + _LISTS, len(lists)), len(lists))
    return [[cache.score(one) for one in texts] for texts in lists]
