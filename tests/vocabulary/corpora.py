"""Small corpora to learn from: made English with phrases, Korean, and what no vocabulary expects."""

from __future__ import annotations

import random

NAMES = ("new york", "los angeles", "red panda", "machine learning")
SMALL = ("the", "of", "and", "in", "a", "to")
STEMS = (
    "walk",
    "house",
    "river",
    "paint",
    "market",
    "winter",
    "stone",
    "bridge",
    "garden",
    "letter",
)
ENDS = ("", "s", "ing", "ed", "er")


def made_texts(count: int = 400, *, seed: int = 0) -> list[str]:
    """Sentences of stems with endings; each name stands in about one of sixteen."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        words = []
        for _ in range(rng.randint(8, 24)):
            words += [rng.choice(SMALL)] * (rng.random() < 0.6)
            words.append(rng.choice(STEMS) + rng.choice(ENDS))
        if rng.random() < 0.25:
            words.insert(rng.randrange(len(words)), rng.choice(NAMES).title())
        made.append(" ".join(words) + rng.choice((".", "?", " (1999).")))
    return made


KOREAN = [
    f"{place}{josa} {thing}{end} 많은 도시이다. 한국어 문장 {number}번."
    for number, (place, josa, thing, end) in enumerate(
        (place, josa, thing, end)
        for place in ("서울", "부산", "대구", "인천", "광주")
        for josa in ("은", "에서", "의", "까지")
        for thing in ("사람", "자동차", "건물")
        for end in ("이", "들이", "도")
    )
]
