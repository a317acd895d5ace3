"""The terms of many texts at once, against the same words read text by text (`Words.query` reads so)."""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumice import _core
from pumice.errors import InputError
from pumice.search.bm25 import AVERAGE_LENGTH, K1, B, Words
from pumice.search.points import TermRows

ORACLE, SHARED = Words(), Words()
SCRIPTS = [
    "The Weather of Rome: 23 degrees, e.g. readJsonFile(HTTPServer2x) don't CAFÉ naïve_word",
    "서울특별시에서 여권을 갱신하려면 어떻게 합니까? 3월 ABC회사",
    "東京都の天気予報。ＦＵＬＬ，ﾊﾝｶｸ パーティー・ガ が 々 〆 〇 漢字mix Ｘ",
    "我要更换护照，「北京」2024年 𠀀𠀁 丽",
    "การต่ออายุหนังสือเดินทาง น้ำ ກວດ ပြည်ထောင်စု ភាសាខ្មែរ",
    "हिन्दी में लिखा की ज़ করা தமிழ் తెలుగు བོད་",
    "العربية لُغَةٌ فارسی\u200cها שָׁלוֹם עברית",
    "ΟΔΥΣΣΕΥΣ ΣΑΣ.α ΣΟΦΟΣ Οδός · Кошки И СОБАКИ ё й İstanbul ıĞ ẞß ŁÓDŹ ÅÅ ﬁn ª º ² ½ ǅ",
    "👩‍👩‍👧 🇰🇷 x\u0301x e\u0301 \u0301\u0301 \ufeff\x00\x1f\u00ad _a_ __ \u2028\u3000\u00a0«»„“…—",
]
ALPHABET = sorted(set("".join(SCRIPTS)))
TEXTS = st.text(st.sampled_from(ALPHABET) | st.characters(exclude_categories=["Cs"]), max_size=60)


def lists(rows: TermRows) -> list[tuple[list[int], list[float]]]:
    return [(list(numbers), list(weights)) for numbers, weights in rows.views()]


def check(texts: list[str], words: Words = SHARED) -> None:
    rows = words.documents(texts)
    assert len(rows) == len(texts)
    for text, (numbers, weights) in zip(texts, lists(rows), strict=True):
        counts = Counter(ORACLE._terms(text))
        times = np.array(list(counts.values()), np.float32)
        saturation = np.float32(K1 * (1 - B + B * counts.total() / AVERAGE_LENGTH))
        expected = times * np.float32(K1 + 1) / (times + saturation)
        assert numbers == list(counts), text
        assert weights == expected.tolist(), text


def test_texts_in_many_scripts() -> None:
    check([*SCRIPTS, "", " ", "_", *SCRIPTS])
    check([" ".join(SCRIPTS)], Words())


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_random_texts(texts: list[str]) -> None:
    check(texts)


def test_every_character_between_and_beside_others() -> None:
    """Where a text is cut is a table of characters in the core: each one is held against bm25.py."""
    basic = [chr(point) for point in range(1 << 16) if not 0xD800 <= point < 0xE000]
    beyond = [chr(point) for point in range(1 << 16, sys.maxunicode, 101)]  # never cut at
    for form in ("Ab{}Cd", "東{}京 {}"):
        check([form.replace("{}", point) for point in basic + beyond], Words())


def test_pairs_of_the_characters_that_are_read_in_pairs() -> None:
    dice = random.Random(1)
    ranges = [(0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x3041, 0x30FF), (0x3400, 0x4DBF)]
    for _ in range(50):
        check(["".join(chr(dice.randint(*dice.choice(ranges))) for _ in range(100))])


def test_long_runs_and_repeats() -> None:
    check(["a" * 1_000_000, "한" * 100_000, "กขค" * 10_000, "Σ" * 10_000])
    check([f"word{at % 70_000} again" for at in range(140_000)], Words())
    check([" ".join(f"w{at}" for at in range(100_000))], Words())


def test_beside_a_capital_sigma() -> None:
    """It is lower-cased by the letters about it, past some marks: no cut may change what it sees."""
    points = [chr(point) for point in range(1 << 16) if not 0xD800 <= point < 0xE000]
    for form in ("ΑΣ{}Β", "ΑΣ{}ΣΑ x{}Σ", "{}Σ{}"):
        check([form.replace("{}", point) for point in points], Words())


def test_a_text_with_a_capital_sigma_is_not_kept_whole() -> None:
    asked: list[str] = []

    def look_up(runs: list[str]) -> tuple[np.ndarray, np.ndarray]:
        asked.extend(runs)
        return np.arange(len(runs), dtype=np.uint32), np.ones(len(runs), np.int64)

    table = _core.RunTable()
    table.read(["The sum Σx, over (ΟΔΟΣ.α) all、Σ日 東京。"], look_up, K1, B, AVERAGE_LENGTH)
    assert asked == ["The", "sum", "Σx", "over", "ΟΔΟΣ.α", "all", "Σ日"]
    asked.clear()
    table.read(["over all ΟΔΟΣ.α; Σx?"], look_up, K1, B, AVERAGE_LENGTH)
    assert asked == []


@pytest.mark.parametrize("texts", [["\ud800"], ["good", "bad \udfff"]])
def test_a_lone_surrogate_is_refused_and_nothing_is_lost(texts: list[str]) -> None:
    words = Words()
    check(["good weather"], words)
    with pytest.raises(InputError, match="lone surrogate"):
        words.documents(texts)
    check(["good weather"], words)


def test_a_failure_while_reading_leaves_nothing_half_known(monkeypatch: pytest.MonkeyPatch) -> None:
    words = Words()
    check(["good weather"], words)
    with monkeypatch.context() as patched:
        patched.setattr(words, "_read", lambda word: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            words.documents(["good weather and Ländern"])
    check(["good weather and Ländern"], words)


def test_rows_are_taken_with_their_terms() -> None:
    rows = SHARED.documents(["one two", "", "three", "two two four"])
    taken = rows.take(np.array([3, 1, 0]))
    assert lists(taken) == [lists(rows)[at] for at in (3, 1, 0)]
    assert lists(rows.take(np.array([], np.int64))) == []


def test_threads_share_the_words() -> None:
    shared = Words()
    texts = [f"running {at} walkers{at} été" for at in range(3000)]
    expected = lists(Words().documents(texts))
    found: list[bool] = []

    def read() -> None:
        found.append(
            [
                row
                for at in range(0, 3000, 50)
                for row in lists(shared.documents(texts[at : at + 50]))
            ]
            == expected
        )

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8
