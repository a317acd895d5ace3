"""Sub-words beside a slow reference of the merges, and phrases beside their measure."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from math import log

import pytest

pytest.importorskip("tokenizers")

from pumice.errors import InputError
from pumice.vocabulary import VocabularyOptions
from pumice.vocabulary.choosing import choose_phrases, choose_words
from pumice.vocabulary.counting import count_texts
from pumice.vocabulary.subwords import learn_subwords


def slow_subwords(words: Counter[str], *, size: int) -> list[str]:
    """Merge the most frequent pair; a tie falls to the tokens that came first."""
    spelled = {w: [w[0], *(f"##{c}" for c in w[1:])] for w in words}
    counts: Counter[str] = Counter()
    for word, parts in spelled.items():
        for part in parts:
            counts[part] += words[word]
    for word in words:
        counts.update(dict.fromkeys(word, 0))
    tokens = ["[UNK]", *sorted(counts, key=lambda token: (-counts[token], token))]
    while len(tokens) < size:
        pairs: Counter[tuple[int, int]] = Counter()
        for word, parts in spelled.items():
            for left, right in pairwise(parts):
                pairs[tokens.index(left), tokens.index(right)] += words[word]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        first, second = (tokens[index] for index in best)
        merged = first + second.removeprefix("##")
        if merged not in tokens:
            tokens.append(merged)
        for parts in spelled.values():
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == (first, second):
                    parts[at : at + 2] = [merged]
                at += 1
    return tokens


@pytest.mark.parametrize("seed", range(6))
def test_merges_are_the_slow_references(seed: int) -> None:
    rng = random.Random(seed)
    words = Counter(
        {"".join(rng.choices("abcde\uac00\u00e9", k=rng.randint(1, 9))): 9 for _ in range(60)}
    )
    words.update({word: rng.choice((1, 1, 5, 30)) for word in list(words)[::2]})
    size = len(slow_subwords(words, size=0)) + 25
    assert learn_subwords(words, size=size) == slow_subwords(words, size=size)


def test_a_word_is_worth_its_pieces_times_its_count() -> None:
    words = Counter({"aaaa": 10, "aa": 15, "a": 99, "aaa": 4, "99": 50, "b9": 14})
    assert choose_words(words, count=2, pieces=lambda given: [len(w) for w in given]) == [
        "aaaa",
        "aa",
    ]
    assert choose_words(words, count=3, pieces=lambda given: [len(w) for w in given])[2] == "b9"
    with pytest.raises(InputError, match="words is 4, and 3 of the corpus occur 5 times"):
        choose_words(words, count=4, pieces=lambda given: [len(w) for w in given])


def test_phrases_and_their_measure() -> None:
    rng = random.Random(1)
    filler = [f"w{n}" for n in range(400)]
    texts = [" ".join(rng.choices(filler, k=20)) for _ in range(2000)]
    texts += [f"{rng.choice(filler)} {name} {rng.choice(filler)}" for name in ["new york"] * 40]
    texts += [f"{rng.choice(filler)} new york times {rng.choice(filler)}" for _ in range(20)]
    texts += [f"{rng.choice(filler)} new {rng.choice(filler)}" for _ in range(30)]
    texts += ["I don't know-how, 北京 大学 北京 大学"] * 30
    texts += ["the house the house the house the house"] * 100
    counts = count_texts(texts, normalizer=VocabularyOptions().normalizer(), runs=True)
    assert choose_phrases(counts, count=2, unchanged=lambda phrase: True) == [
        "new york",
        "new york times",
    ]
    assert choose_phrases(counts, count=1, unchanged=lambda phrase: phrase != "new york") == [
        "new york times"
    ]
    # Stands alone 40 times of 60, after "new" which stands 90 times.
    total = counts.words.total()
    measure = log(60 * total / (90 * 60)) / log(total / 60)
    assert counts.runs["new york"] == 60
    assert 0.5 < measure < 1
    assert not {"i don", "t know", "don t", "know how"} & set(counts.runs)
    assert not any("\u5317" in run for run in counts.runs)


def test_rare_words_are_forgotten_past_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumice.vocabulary.counting._MOST_WORDS", 100)
    texts = [f"often {n}x" for n in range(1024 * 3 + 1)]
    words = count_texts(texts, normalizer=VocabularyOptions().normalizer(), runs=False).words
    assert len(words) <= 101
    assert words["often"] == len(texts)
