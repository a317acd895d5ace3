"""The pairs that pumice-base-ko-en learns from beside public ones: questions made of Korean leads."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

import numpy as np

import pumice
from pumice.train import Pair, Source

KOREAN = ("kowiki_title_lead", "ko_strategyqa_facts", "ko_question_pair")
BOTH = "tldr_en_ko"
ASKED = (
    "무엇",
    "사람",
    "날",
    "해",
    "곳",
    "이름",
    "것",
    "인물",
    "나라",
    "장소",
    "시기",
    "이유",
    "단체",
)
TAILS = (
    *(
        "은?",
        "는?",
        "은 무엇인가?",
        "는 누구인가?",
        "의 이름은?",
        "은 언제인가?",
        "은 어디인가?",
        "한 사람은?",
    ),
    *(
        "한 해는?",
        "의 수는?",
        "은 몇 년인가?",
        "의 이유는?",
        "라고 불리는 것은?",
        "이 일어난 곳은?",
    ),
    *(
        "을 맡은 사람은?",
        "의 뜻은?",
        "은 어떻게 되는가?",
        "의 원인은?",
        "이 속한 나라는?",
        "은 얼마인가?",
    ),
)
PARTICLES = ("은", "는", "이", "가", "의", "을", "를", "에", "와", "도", "에서")


def made_sources(leads: Sequence[Pair], model: pumice.StaticModel) -> list[Source]:
    """Questions made of a lead's words: about a lead, and about a document of four neighbouring leads.

    The neighbours' other four are the hard negative, so that a question must tell texts of one topic apart.
    """
    rng = random.Random(0)
    spans, documents = [], []
    for lead in leads:
        words = lead.positive.split()
        if len(words) >= 12:
            at = sorted(rng.sample(range(len(words)), rng.randint(4, 9)))
            gone = {index for index in at if rng.random() < 0.5}
            rest = " ".join(word for index, word in enumerate(words) if index not in gone)
            spans.append(Pair(" ".join(words[index] for index in at), rest))
    long = [lead for lead in leads if len(lead.positive) >= 60]
    vectors = model.encode([lead.positive[:300] for lead in long], dim=256)
    seeds = rng.sample(range(len(long)), len(long) // 2)
    for begin in range(0, len(seeds), 512):
        scores = vectors[seeds[begin : begin + 512]] @ vectors.T
        for near in np.argpartition(-scores, 8, axis=1)[:, :8].tolist():
            documents += list(about([long[index] for index in near], rng))
    return [Source("made of leads", pairs=spans), Source("made of neighbours", pairs=documents)]


def about(near: list[Pair], rng: random.Random) -> Iterator[Pair]:
    topic = re.sub(r" *\(.*", "", near[0].anchor) if rng.random() < 0.5 else ""
    rng.shuffle(near)
    halves = (near[:4], near[4:])
    for one, other in (halves, halves[::-1]):
        asked = question(rng.choice(one), topic, rng)
        yield Pair(asked, document(one, topic, rng), (document(other, topic, rng),))


def question(lead: Pair, topic: str, rng: random.Random) -> str:
    """A few words of a lead, perhaps what it is about, and the end of a question."""
    words = re.sub(r"[.,()]", "", lead.positive).split()
    count = min(len(words), rng.randint(2, 7))
    begin = rng.randint(0, len(words) - count)
    chosen = words[begin : begin + count]
    if rng.random() < 0.5:
        chosen = [words[index] for index in sorted(rng.sample(range(len(words)), count))]
    if rng.random() < 0.6:
        chosen.insert(0, (topic or lead.anchor) + rng.choice(PARTICLES))
    asked = " ".join(chosen)
    return asked + rng.choice(("", f" {rng.choice(ASKED)}")) + rng.choice(TAILS)


def document(leads: Sequence[Pair], topic: str, rng: random.Random) -> str:
    """Leads one after the other; one about a topic names it again and again, as articles do."""
    sentences = [one for lead in leads for one in re.split(r"(?<=다\.) ", lead.positive)]
    named = [
        f"{topic}{rng.choice(PARTICLES)} {one}" if topic and rng.random() < 0.5 else one
        for one in sentences
    ]
    return f"{topic} {' '.join(named)}".strip()[:1000]
