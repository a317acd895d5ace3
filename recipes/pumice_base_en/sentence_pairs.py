"""Pairs of a sentence and the rest of its text: which words tell one text from another of its kind."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from pumice.train import Pair

END = re.compile(r'(?<=[a-z0-9)\]"][.!?])\s+(?=[A-Z"(])')
FEWEST_WORDS, MOST_WORDS = 6, 40
FEWEST_LETTERS = 100
"""Of the rest."""
FEWEST_PAIRS = 500
"""Of a source; one with fewer has no texts of several sentences."""
NONE_FROM = ("code_bare", "code_whole", "opentriviaqa", "snli_dev_test_triples", "tldr_en")


def sentence_sources(sources: Mapping[str, Sequence[Pair]], *, most: int) -> dict[str, list[Pair]]:
    """Of each source's first ``most`` pairs, each positive once: one of its sentences, and the others.

    Before half of the others stands the anchor where that is a title.
    """
    made = {}
    for name, pairs in sources.items():
        if name in NONE_FROM or name.startswith("word"):
            continue
        rng = random.Random(name)
        seen: set[str] = set()
        found = []
        for pair in pairs[:most]:
            if pair.positive in seen:
                continue
            seen.add(pair.positive)
            parted = parted_at_a_sentence(pair.positive, rng)
            if parted is None:
                continue
            sentence, rest = parted
            if "title" in name and rng.random() < 0.5:
                rest = f"{pair.anchor} {rest}"
            found.append(Pair(sentence, rest))
        if len(found) >= FEWEST_PAIRS:
            made[f"sentences_of_{name}"] = found
    return made


def parted_at_a_sentence(text: str, rng: random.Random) -> tuple[str, str] | None:
    """A sentence by chance and what is left; None for a text of too few or too odd ones."""
    sentences = END.split(text)
    usable = [
        index
        for index, sentence in enumerate(sentences)
        if FEWEST_WORDS <= len(sentence.split()) <= MOST_WORDS
    ]
    if len(sentences) < 3 or not usable:
        return None
    chosen = rng.choice(usable)
    rest = " ".join(sentences[:chosen] + sentences[chosen + 1 :])
    return None if len(rest) < FEWEST_LETTERS else (sentences[chosen], rest)
