"""The words of a text in many scripts, and BM25's weights by its formula."""

from __future__ import annotations

import threading

import pytest

from pumice.search.bm25 import AVERAGE_LENGTH, K1, B, Words


def words(text: str) -> set[int]:
    return set(Words().query(text).numbers.tolist())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Renewing passports", "renew passport"),
        ("Café", "cafe"),
        ("read_json", "read json"),
        ("readJsonFile", "read json file"),
        ("HTTPServer", "http server"),
        ("the Weather of Rome", "weather rome"),
        ("ＦＵＬＬ", "ＦＵＬＬ"),
    ],
)
def test_the_same_words(one: str, other: str) -> None:
    assert words(one) == words(other) != set()


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("서울특별시에서 여권을 갱신하려면", "여권 갱신"),  # particles stay on the noun
        ("東京都の天気予報", "天気"),
        ("我要更换护照", "护照"),
        ("การต่ออายุหนังสือเดินทาง", "หนังสือ"),
        ("हिन्दी में लिखा", "हिन्दी"),
        ("кошки и собаки", "собаки"),
        ("العربية لغة", "لغة"),
        ("Łódź 東京mix", "東京 mix"),
    ],
)
def test_every_script_is_found_by_its_words(text: str, question: str) -> None:
    assert words(question) <= words(text)
    assert words(question)


def test_devanagari_words_stay_whole() -> None:
    assert len(words("हिन्दी")) == 1


@pytest.mark.parametrize("text", ["", " ", "the of", "!!! …", "\0", "_" * 10, "́"])
def test_texts_without_words(text: str) -> None:
    terms = Words().documents([text])
    assert len(terms.numbers) == len(terms.weights) <= 1


def test_weights_are_those_of_the_formula() -> None:
    terms = Words().documents(["snow snow snow river"])
    by_weight = dict(zip(terms.numbers.tolist(), terms.weights.tolist(), strict=True))
    for word, times in (("snow", 3), ("river", 1)):
        (number,) = words(word)
        saturation = K1 * (1 - B + B * 4 / AVERAGE_LENGTH)
        assert by_weight[number] == pytest.approx(times * (K1 + 1) / (times + saturation))


def test_a_megabyte_of_one_letter() -> None:
    assert len(Words().documents(["a" * 1_000_000]).numbers) == 1
    assert len(Words().documents(["한" * 1_000_000]).numbers) == 1


def test_threads_share_the_words() -> None:
    shared = Words()
    texts = [f"running {at} walkers{at}" for at in range(2000)]
    expected = [words(text) for text in texts[::200]]
    found: list[list[set[int]]] = []

    def read() -> None:
        found.append([set(shared.query(text).numbers.tolist()) for text in texts][::200])

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8
