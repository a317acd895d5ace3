"""Two lists made one: by hand, against numpy over the lists themselves, and with what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pumice.search import Fusion, Hit, Index, SearchParams, Storage
from pumice.search.answering import answers
from pumice.search.home import Plan, Query, Terms
from pumice.search.linear_fusion import linear
from pumice.search.spaces import dense_spaces
from pumice.search.steps import Planner

QUERY = "where do I renew my passport in winter"


def by_hand(
    dense: list[Hit], words: list[Hit], *, share: float, candidates: int
) -> dict[Any, float]:
    """The score of every text of the two lists."""
    cosines = {hit.id: hit.score for hit in dense}
    sums = {hit.id: hit.score for hit in words}
    last = min(sums.values()) if len(sums) == candidates else 0.0
    best = max(sums.values())
    return {
        one: cosines.get(one, min(cosines.values())) + share * (sums.get(one, last) - last) / best
        for one in cosines.keys() | sums.keys()
    }


def filled(folder: Path, model: Any, texts: Sequence[str], storage: Storage | None = None) -> Index:
    index = Index(folder, model, storage=storage)
    index.add(
        {"id": f"doc {at}", "text": text, "even": at % 2 == 0} for at, text in enumerate(texts)
    )
    return index


def test_by_hand() -> None:
    vectors = [("a", 0.8), ("b", 0.6), ("c", 0.4)]
    words = [("c", 20.0), ("d", 10.0), ("b", 5.0)]
    full = linear(vectors, words, weights=(1, 0.5), whole=False)
    assert full == [
        ("a", pytest.approx(0.8)),
        ("c", pytest.approx(0.4 + 0.5 * 15 / 20)),
        ("b", pytest.approx(0.6)),
        ("d", pytest.approx(0.4 + 0.5 * 5 / 20)),
    ]
    whole = dict(linear(vectors, words, weights=(1, 0.5), whole=True))
    assert whole["b"] == pytest.approx(0.6 + 0.5 * 5 / 20)
    assert linear(vectors, [], weights=(2, 0.5), whole=True)[0] == ("a", 1.6)
    assert linear([], words, weights=(1, 0.5), whole=True)[0] == ("c", 0.5)
    assert linear([], [], weights=(1, 1), whole=True) == []


def test_a_flat_list_of_words_decides_little() -> None:
    """A hundred texts that have the same one word: the best of them is not held to be far better."""
    vectors = [("near", 0.6), ("less", 0.55)]
    flat = [("less", 10.0), ("other", 9.9)]
    peaked = [("less", 10.0), ("other", 2.0)]
    assert linear(vectors, flat, weights=(1, 0.25), whole=False)[0][0] == "near"
    assert linear(vectors, peaked, weights=(1, 0.25), whole=False)[0][0] == "less"


@pytest.mark.parametrize("kind", ["plain", "uint8", "stages"])
@pytest.mark.parametrize(("k", "candidates"), [(5, 100), (5, 8), (40, 20), (400, 100)])
def test_searches_against_their_lists(
    tmp_path: Path, model: Any, sentences: list[str], kind: str, k: int, candidates: int
) -> None:
    storage = {
        "plain": None,
        "uint8": Storage(datatype="uint8"),
        "stages": Storage(stages=(16,), quantize="int8"),
    }[kind]
    each = max(k, candidates)
    params = SearchParams(fusion=Fusion(weights=(1, 0.4), candidates=candidates), exact=True)
    with filled(tmp_path / "i", model, sentences, storage) as index:
        for wanted in (None, {"even": True}):
            hits = index.search(QUERY, k=k, filter=wanted, params=params)
            lists = [
                index.search(QUERY, k=each, mode=mode, filter=wanted, params=params)
                for mode in ("dense", "sparse")
            ]
            expected = by_hand(*lists, share=0.4, candidates=each)
            assert len(hits) == min(k, len(expected))
            scores = [hit.score for hit in hits]
            assert scores == pytest.approx(sorted(expected.values(), reverse=True)[: len(hits)])
            assert scores == pytest.approx([expected[hit.id] for hit in hits])
            texts = {hit.id: hit for hit in lists[0] + lists[1]}
            for hit in hits:
                assert (hit.text, hit.payload) == (texts[hit.id].text, texts[hit.id].payload)


def test_questions_of_all_kinds_in_one_call(
    tmp_path: Path, model: Any, sentences: list[str]
) -> None:
    """With both lists, with an empty one, with words alone, with nothing: each as if asked by itself."""
    texts = [*sentences, "서울에서 여권을 갱신한다"]
    asked = [QUERY, "zymurgist", "여권 갱신", "\x00", "the of and", QUERY.upper()]
    with filled(tmp_path / "i", model, texts) as index:
        together = index.search(asked, k=4)
        assert together == [index.search(one, k=4) for one in asked]
        assert together[3] == []
        assert together[2] == index.search(asked[2], k=4, mode="sparse")
        cosines = [hit.score for hit in index.search("zymurgist", k=4, mode="dense")]
        assert [hit.score for hit in together[1]] == cosines  # nobody has the word


def test_one_that_is_deleted_between_the_two_requests_is_left_out() -> None:
    """Another process may do that on a server; here the engine does it itself."""

    class Losing:
        def lists(self, asked: Any, *, payloads: bool) -> Any:
            assert not payloads
            found = [SimpleNamespace(id=one, score=1 - one / 10, payload=None) for one in range(3)]
            return [found for _ in asked]

        def payloads(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
            return {one: {"text": str(one)} for one in ids if one != 1}

        def plain_id(self, given: int) -> int:
            return given

    plan = Plan(3, [], SearchParams(), 1.0)
    terms = Terms(np.array([1], np.uint32), np.array([1], np.float32))
    query = Query(np.ones(64, np.float32), terms)
    [found] = answers([query], Planner(plan, spaces=dense_spaces(Storage(), dim=64)), Losing())
    assert [(one.id, one.payload) for one in found] == [(0, {"text": "0"}), (2, {"text": "2"})]


def test_each_kind_has_its_weights() -> None:
    assert Fusion().shares == (1, 0.25)
    assert Fusion("rrf").shares == (1, 1)
    assert Fusion("rrf", weights=(2, 3)).shares == (2, 3)
    assert Fusion("linear", weights=(1, 1)) != Fusion()
    assert (Fusion().listed, Fusion("dbsf").listed, Fusion(candidates=7).listed) == (50, 100, 7)
