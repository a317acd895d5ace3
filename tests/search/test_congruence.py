"""Every call of an Index on Edge and on the other homes: the same results."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pumice.errors import InputError, SearchIndexError
from pumice.search import Fusion, Hit, Index, SearchParams, Storage, index_paths
from tests.search.conftest import WORDS
from tests.search.homes import OTHERS, location

QUERIES = ["where do I renew my passport", "winter snow on the mountain", "wine", "zzz", "\x00"]
FILTERS = [
    None,
    {"year": 2003},
    {"year": {"gte": 2005, "lt": 2008.5}},
    {"tags": "even"},
    {"tags": ["third", "even"]},
    {"tags": []},
    {"draft": True},
    {"draft": [False, "x"]},
    {"mixed": [1, "x"]},
    {"author": None},
    {"nested.depth": 4},
    {"with space": 1},
    {"a.b": 2},
    {"day": {"gte": "2024-01-05", "lt": "2024-02-01"}},
    {"big": 2**60 + 1},
    {"year": {"gt": 2001}, "draft": False},
    {"unknown": None},
]
STORAGES = {
    "plain": Storage(),
    "stages": Storage(stages=(16, 32)),
    "codes": Storage(quantize="binary", oversampling=100, m=0),
    "uint8": Storage(datatype="uint8"),
    "dense": Storage(sparse=False),
}


def records(count: int = 200) -> list[dict[str, Any]]:
    """Texts of a length each, so that their scores do not tie, and payloads of every kind."""
    dice = random.Random(5)
    made = []
    for at in range(count):
        payload: dict[str, Any] = {
            "year": 2000 + at % 10,
            "tags": ["even"] * (at % 2 == 0) + ["third"] * (at % 3 == 0),
            "draft": at % 4 == 0,
            "mixed": 1 if at % 2 else "x",
            "nested": {"depth": at % 5, "list": [{"x": at}]},
            "with space": at % 3,
            "a.b": at % 3,
            "day": str(date(2024, 1, 1) + timedelta(days=at)),
            "big": 2**60 + at,
        }
        if at % 5:
            payload["author"] = f"author {at}"
        given: Any = at if at % 3 == 0 else f"doc {at}"
        if at % 3 == 1:
            given = uuid.UUID(int=at)
        text = " ".join(dice.choices(WORDS, k=3 + at))
        made.append({"id": given, "text": text, **payload})
    return made


def assert_same(one: list[Hit], other: list[Hit]) -> None:
    assert [hit.score for hit in one] == pytest.approx([hit.score for hit in other], abs=2e-5)
    assert _in_order(one) == _in_order(other)


def _in_order(hits: list[Hit]) -> list[Any]:
    """Without scores. Fused ranks tie (1st and 3rd, 3rd and 1st): those by id, the last ones not at all."""
    last = hits[-1].score if hits else 0.0
    ordered = sorted(hits, key=lambda hit: (-round(hit.score, 5), str(hit.id)))
    return [replace(hit, score=0) for hit in ordered if abs(hit.score - last) > 1e-5]


@pytest.fixture(params=OTHERS)
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Any]]:
    """Where the two indexes go."""
    with ExitStack() as stack:
        yield [stack.enter_context(location(kind, tmp_path)) for kind in ("edge", request.param)]


@pytest.fixture
def two(places: list[Any], model: Any, request: pytest.FixtureRequest) -> Iterator[list[Index]]:
    """The same records in Edge and in another home."""
    storage = STORAGES[getattr(request, "param", "plain")]
    with ExitStack() as stack:
        both = [stack.enter_context(Index(place, model, storage=storage)) for place in places]
        for index in both:
            half = records()[100:]
            assert index.add(records()[:100]).added == 100
            assert index.add_columns({k: [r[k] for r in half] for k in half[0]}).added == 100
            index.optimize()
        yield both


@pytest.mark.parametrize("two", STORAGES, indirect=True)
def test_searches(two: list[Index]) -> None:
    modes = ("dense", "sparse", "hybrid") if two[0].storage.sparse else ("dense",)
    for mode in modes:
        one, other = (index.search(QUERIES, k=12, mode=mode) for index in two)
        for hits, others in zip(one, other, strict=True):
            assert_same(hits, others)
        assert len(one[0]) == 12
        assert one[-1] == []


def test_filters(two: list[Index]) -> None:
    for wanted in FILTERS:
        assert two[0].count(filter=wanted) == two[1].count(filter=wanted), wanted
        for mode in ("dense", "hybrid"):
            one, other = (index.search(QUERIES[0], k=9, filter=wanted, mode=mode) for index in two)
            assert_same(one, other)


def test_params_and_ranks(two: list[Index]) -> None:
    for params in (
        SearchParams(exact=True),
        SearchParams(fusion=Fusion("linear", weights=(1, 2), candidates=7)),
        SearchParams(fusion=Fusion("dbsf")),
        SearchParams(fusion=Fusion("rrf")),
        SearchParams(fusion=Fusion("rrf", k=3, weights=(2, 1), candidates=20)),
    ):
        one, other = (index.search(QUERIES[1], k=5, params=params) for index in two)
        assert_same(one, other)
    one, other = (index.rank(QUERIES, k=7, mode="dense") for index in two)
    assert [ranking.ids for ranking in one] == [ranking.ids for ranking in other]
    vectors = np.asarray(two[0].model.encode(QUERIES))
    brought = [index.rank(QUERIES, k=7, mode="dense", vectors=vectors)[0] for index in two]
    assert brought[0].ids == brought[1].ids == one[0].ids


def test_deletions_and_replacements(two: list[Index]) -> None:
    for index in two:
        assert index.delete([0, "doc 2", uuid.UUID(int=1), 99_999]) == 3
        assert index.delete("doc 2") == 0
        assert index.delete(filter={"year": 2004}) == 20
        assert index.add([{"id": 3, "text": "wine wine wine"}, {"id": 6, "text": ""}]).added == 1
        assert len(index) == 200 - 3 - 20 - 1
        assert index.search("wine", k=1, mode="sparse")[0].id == 3
        assert index.search("wine", k=1, mode="sparse")[0].payload == {}
    # Not by words: Edge weighs them by how rare they were until it is optimized.
    assert_same(*(index.search(QUERIES[0], k=20, mode="dense") for index in two))


def test_refusals_are_the_same(two: list[Index]) -> None:
    for call in (
        lambda index: index.search("a", k=0),
        lambda index: index.search("a", filter={"a": b"bytes"}),
        lambda index: index.search("a", mode="other"),
        lambda index: index.search(" "),
        lambda index: index.search("a", filter={"yaer": 2003}),
        lambda index: index.add([{"id": 1}]),
        lambda index: index.add([{"id": -1, "text": "a"}]),
        lambda index: index.delete(),
        lambda index: index.delete(filter={}),
        lambda index: index.rank(["a"], vectors=np.full((1, index.dim), np.nan)),
    ):
        told = []
        for index in two:
            with pytest.raises(InputError) as refused:
                call(index)
            told.append(str(refused.value))
        assert told[0] == told[1]


def test_reopening(places: list[Any], model: Any, other_model: Any) -> None:
    storage = Storage(quantize="turbo-2", stages=(16,))
    for place in places:
        with Index(place, model, storage=storage) as index:
            index.add([{"id": "a", "text": "bread and wine"}])
        with pytest.raises(SearchIndexError, match="is closed"):
            index.search("bread")
        with pytest.raises(SearchIndexError, match="was filled by model"):
            Index(place, other_model)
        with pytest.raises(SearchIndexError, match="dimensions"):
            Index(place, model, dim=32)
        with pytest.raises(SearchIndexError, match="keeps quantize 'turbo-2'"):
            Index(place, model, storage=Storage())
        with Index(place, model, create=False) as index:
            assert index.storage == storage
            assert [hit.id for hit in index.search("wine")] == ["a"]


def test_files(places: list[Any], model: Any, tmp_path: Path) -> None:
    """Indexing, indexing again, a changed and a vanished file."""
    notes = tmp_path / "notes"
    notes.mkdir()
    for at in range(5):
        (notes / f"{at}.txt").write_text("\n\n".join(f"{word} number {at} " * 40 for word in WORDS))
    reports = []
    for place in places:
        with Index(place, model) as index:
            first = index_paths(index, [notes])
            second = index_paths(index, [notes])
            assert second.files_unchanged == 5
            reports.append((first.files_indexed, first.passages_added, len(index)))
    (notes / "1.txt").write_text("a cat")
    (notes / "2.txt").unlink()
    for place in places:
        with Index(place, model) as index:
            third = index_paths(index, [notes])
            reports.append((third.files_removed, third.passages_removed, len(index)))
    assert reports[0] == reports[1]
    assert reports[2] == reports[3]
    assert reports[0][1] > 20
