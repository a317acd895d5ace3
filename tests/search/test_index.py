"""Index against an exact numpy search, and its ids, payloads and refusals."""

from __future__ import annotations

import math
import threading
import uuid
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pumice.errors import InputError, SearchIndexError
from pumice.search import Hit, Index, Storage

QUERIES = ["where do I renew my passport", "a cold season", "an animal", "software"]


def cosines(model: Any, query: str, texts: list[str], dim: int | None = None) -> np.ndarray:
    vectors = model.encode([query, *texts], dim=dim).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors[1:] @ vectors[0]


def assert_same_ranking(hits: list[Hit], scores: np.ndarray, k: int) -> None:
    expected = np.sort(scores)[::-1][:k]
    np.testing.assert_allclose([hit.score for hit in hits], expected, atol=1e-5)
    np.testing.assert_allclose([scores[hit.id] for hit in hits], expected, atol=1e-5)


def test_finds_what_an_exact_cosine_search_finds(
    index: Index, model: Any, sentences: list[str]
) -> None:
    report = index.add({"id": at, "text": text} for at, text in enumerate(sentences))
    assert report.added == len(index) == len(sentences)
    assert report.skipped == ()
    for query, hits in zip(QUERIES, index.search(QUERIES, k=7, mode="dense"), strict=True):
        assert_same_ranking(hits, cosines(model, query, sentences), 7)
        assert index.search(query, k=7, mode="dense") == hits
        assert [hit.text for hit in hits] == [sentences[hit.id] for hit in hits]


def test_a_prefix_of_the_dimensions_is_searched_by_its_own_cosine(
    tmp_path: Any, model: Any, sentences: list[str]
) -> None:
    dim = (model.prefixes or (model.dimensions // 2,))[-1]
    with Index(tmp_path / "short", model, dim=dim) as index:
        index.add({"id": at, "text": text} for at, text in enumerate(sentences))
        assert_same_ranking(
            index.search(QUERIES[0], k=5, mode="dense"),
            cosines(model, QUERIES[0], sentences, dim),
            5,
        )
    with Index(tmp_path / "short", model) as index:
        assert index.dim == dim
    with pytest.raises(InputError):
        Index(tmp_path / "long", model, dim=model.dimensions + 1)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        ({"year": 2003}, lambda p: p["year"] == 2003),
        ({"year": 2003.0}, lambda p: p["year"] == 2003),
        ({"year": {"gte": 2005, "lt": 2008}}, lambda p: 2005 <= p["year"] < 2008),
        ({"tags": "even"}, lambda p: "even" in p["tags"]),
        ({"tags": ["third", "even"]}, lambda p: {"third", "even"} & set(p["tags"])),
        ({"tags": []}, lambda p: False),
        ({"draft": True}, lambda p: p["draft"] is True),
        ({"draft": [False]}, lambda p: p["draft"] is False),
        ({"mixed": [1, "x"]}, lambda p: p["mixed"] in (1, "x")),
        ({"author": None}, lambda p: "author" not in p),
        ({"nested.depth": 4}, lambda p: p["nested"]["depth"] == 4),
        ({"with space": 1}, lambda p: p["with space"] == 1),
        ({"day": {"gte": "2024-01-05"}}, lambda p: p["day"] >= "2024-01-05"),
        ({"big": 2**60 + 1}, lambda p: p["big"] == 2**60 + 1),
        ({"year": {"gt": 2001}, "draft": False}, lambda p: p["year"] > 2001 and not p["draft"]),
        (None, lambda p: True),
    ],
)
def test_filters_agree_with_python(
    index: Index, sentences: list[str], wanted: Any, matches: Any
) -> None:
    records = [
        {
            "id": at,
            "text": sentences[at],
            "year": 2000 + at % 10,
            "tags": ["even"] * (at % 2 == 0) + ["third"] * (at % 3 == 0),
            "draft": at % 5 == 0,
            "mixed": [1, "x", True, 1.5][at % 4],
            "nested": {"depth": at % 7},
            "with space": at % 3,
            "day": f"2024-01-{1 + at % 9:02d}",
            "big": 2**60 + at % 3,
            **({"author": "ada"} if at % 4 else {}),
        }
        for at in range(60)
    ]
    index.add(records)
    expected = {
        r["id"]
        for r in records
        if matches(r) and not (wanted == {"mixed": [1, "x"]} and r["mixed"] is True)
    }
    assert {hit.id for hit in index.search("train", k=60, filter=wanted)} == expected
    assert index.count(filter=wanted) == len(expected)
    if wanted:
        assert index.delete(filter=wanted) == len(expected)
        assert len(index) == 60 - len(expected)


@pytest.mark.parametrize(
    "wanted",
    [
        5,
        {"": 1},
        {1: 1},
        {"x": object()},
        {"x": math.nan},
        {"x": 2**70},
        {"x": {}},
        {"x": {"above": 3}},
        {"x": {"gte": "soon"}},
        {"x": {"gte": 1, "lt": "2024-01-01"}},
        {"x": {"gte": True}},
        {'a"b c': 1},
        {"a\\b": 1},
        {"\ud800": 1},
        {"a\udcff.b": {"gte": 1}},
        {"a": "\ud800"},
        {"a": ["b", "\ud800"]},
    ],
)
def test_refuses_a_filter_that_means_nothing(index: Index, wanted: Any) -> None:
    with pytest.raises(InputError, match="filter"):
        index.search("x", filter=wanted)


def test_ids_come_back_as_they_were_given(index: Index) -> None:
    given_uuid = uuid.uuid4()
    ids = [0, 2**64 - 1, np.int64(7), given_uuid, "notes/a.md", str(given_uuid), "", "日本語 🧡"]
    index.add({"id": one, "text": f"train {at}"} for at, one in enumerate(ids))
    assert len(index) == len(ids)
    assert {hit.id for hit in index.search("train", k=20)} == set(ids)
    assert index.delete(["notes/a.md", 0, "not there"]) == 2
    assert index.delete(given_uuid) == 1
    assert index.delete(str(given_uuid)) == 1
    assert len(index) == len(ids) - 4


@pytest.mark.parametrize("bad", [True, 1.0, None, -1, 2**64, b"x", (1,), "\ud800"])
def test_refuses_other_ids(index: Index, bad: Any) -> None:
    with pytest.raises(InputError, match=r"record 1: id"):
        index.add([{"id": 1, "text": "train"}, {"id": bad, "text": "train"}])
    with pytest.raises(InputError, match=r"ids\[0\]"):
        index.delete([bad])


def test_adding_an_id_again_replaces_the_record(index: Index) -> None:
    index.add([{"id": "a", "text": "a cat", "old": 1}, {"id": "b", "text": "bread"}])
    index.add([{"id": "a", "text": "first"}, {"id": "a", "text": "a train", "new": 2}])
    assert len(index) == 2
    [hit] = index.search("train", k=1)
    assert hit == Hit("a", hit.score, "a train", {"new": 2})


def test_text_without_a_vector_is_reported_and_not_stored(index: Index) -> None:
    report = index.add(
        [{"id": 1, "text": ""}, {"id": "s", "text": " \n\t"}, {"id": 3, "text": "bread"}]
    )
    assert report.added == len(index) == 1
    assert [skipped.id for skipped in report.skipped] == [1, "s"]


@pytest.mark.parametrize(
    "record",
    [
        "text",
        {"text": "x"},
        {"id": 1},
        {"id": 1, "text": 5},
        {"id": 1, "text": None},
        {"id": 1, "text": "\ud800"},
        {"id": 1, "text": "x", "v": math.inf},
        {"id": 1, "text": "x", "v": 2**64},
        {"id": 1, "text": "x", "v": b"bytes"},
        {"id": 1, "text": "x", "v": {3: 4}},
        {"id": 1, "text": "x", "v": "\udfff"},
        {"id": 1, "text": "x", "_pumice": 1},
        {"id": 1, "text": "x", 5: 1},
        {"id": 1, "text": "x", 'size"': 1},
        {"id": 1, "text": "x", "v": {"a\\b": 1}},
    ],
)
def test_refuses_a_record_it_cannot_keep_exactly(index: Index, record: Any) -> None:
    with pytest.raises(InputError, match="record 1"):
        index.add([{"id": 0, "text": "bread"}, record])
    assert len(index) == 0


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    # Edge reads 2.3590607307112515e+73 back as ...18e+73: short decimals only are exact.
    | st.integers(-(10**6), 10**6).map(lambda n: n / 64)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"\\'), min_size=1),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=json_values)
def test_payloads_come_back_equal(index: Index, value: Any) -> None:
    index.add([{"id": 1, "text": "bread", "value": value}])
    [hit] = index.search("bread", k=1)
    assert hit.payload == {"value": value}


def test_a_model_that_gives_nan_is_refused(tmp_path: Any) -> None:
    class Broken:
        name, fingerprint, dimensions, prefixes = "broken", "0" * 64, 4, None

        def encode(self, texts: Any, *, dim: int | None = None) -> np.ndarray:
            return np.full((len(texts), 4), np.nan, dtype=np.float32)

    with Index(tmp_path / "nan", Broken()) as index:  # type: ignore[arg-type]
        with pytest.raises(SearchIndexError, match="NaN"):
            index.add([{"id": 1, "text": "x"}])
        with pytest.raises(SearchIndexError, match="NaN"):
            index.search("x")


@pytest.mark.parametrize(
    "given", [np.ones(4), np.ones((2, 4)), np.ones((1, 3)), np.full((1, 4), "one")]
)
def test_a_model_that_gives_another_shape_is_refused(tmp_path: Any, given: np.ndarray) -> None:
    class Broken:
        name, fingerprint, dimensions = "broken", "0" * 64, 4

        def encode(self, texts: Any, *, dim: int | None = None) -> np.ndarray:
            return given

    with Index(tmp_path / "i", Broken()) as index:
        for call in (lambda: index.add([{"id": 1, "text": "x"}]), lambda: index.search("x")):
            with pytest.raises(SearchIndexError, match=r"model broken gives .* of shape \("):
                call()
        assert len(index) == 0


def test_a_model_that_gives_a_flat_nothing_for_no_texts(tmp_path: Any) -> None:
    class Flat:
        name, fingerprint, dimensions = "flat", "0" * 64, 4

        def encode(self, texts: Any, *, dim: int | None = None) -> np.ndarray:
            return np.array([[1.0] * 4 for _ in texts])

    with Index(tmp_path / "i", Flat()) as index:
        assert index.embed([]).dense.shape == (0, 4)
        assert index.search([]) == index.rank([]) == []
        assert index.add([]).added == 0
        assert index.add([{"id": 1, "text": "x"}]).added == len(index.search("x")) == 1


def test_a_model_is_given_lists_of_texts(tmp_path: Any) -> None:
    class Listed:
        name, fingerprint, dimensions = "listed", "0" * 64, 4

        def encode(self, texts: Any, *, dim: int | None = None) -> np.ndarray:
            assert isinstance(texts, list)
            return np.ones((len(texts), dim or 4), np.float32)

    with Index(tmp_path / "i", Listed(), dim=2, storage=Storage(stages=(1,))) as index:
        index.add([{"id": 1, "text": "x"}])
        assert [hit.id for hit in index.search("x")] == [1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_vectors_of_the_callers_that_are_no_numbers_are_refused(index: Index, bad: float) -> None:
    index.add([{"id": 1, "text": "x"}])
    vectors = np.ones((2, index.dim), np.float32)
    vectors[1, 3] = bad
    for call in (
        lambda: index.rank(["x", "y"], vectors=vectors),
        lambda: index.add([{"id": at, "text": "y"} for at in (2, 3)], vectors=vectors),
    ):
        with pytest.raises(InputError, match=r"vectors\[1\] holds NaN or infinity"):
            call()
    with pytest.raises(InputError, match=r"shape \(2, 3\): give floats of shape \(2, "):
        index.rank(["x", "y"], vectors=np.ones((2, 3), np.float32))
    assert len(index) == 1


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_vectors_whose_squares_are_no_numbers_are_kept(index: Index, size: float) -> None:
    vectors = np.zeros((3, index.dim), np.float32)
    vectors[:2] = size
    assert index.embed(["x"] * 3, vectors=vectors).known.tolist() == [True, True, False]


def test_a_closed_index_does_not_ask_the_model(tmp_path: Any) -> None:
    class Asked:
        name, fingerprint, dimensions = "asked", "0" * 64, 4

        def encode(self, texts: Any, *, dim: int | None = None) -> np.ndarray:
            assert texts == [""]  # opening asks for no more, to check `dim`
            return np.zeros((1, 4), np.float32)

    index = Index(tmp_path / "i", Asked())
    index.close()
    for call in (lambda: index.add([{"id": 1, "text": "x"}]), lambda: index.search("x")):
        with pytest.raises(SearchIndexError, match="closed"):
            call()


@pytest.mark.parametrize("k", [0, -1, 1.5, True, None])
def test_refuses_a_k_below_one(index: Index, k: Any) -> None:
    with pytest.raises(InputError, match="k is"):
        index.search("x", k=k)


def test_refuses_other_types(index: Index, tmp_path: Any) -> None:
    for call in (
        lambda: index.search(5),  # type: ignore[call-overload]
        lambda: index.search([5]),  # type: ignore[list-item]
        lambda: index.add({"id": 1, "text": "x"}),  # type: ignore[arg-type]
        lambda: Index(None),  # type: ignore[arg-type]
        lambda: Index(tmp_path / "other", 5),  # type: ignore[arg-type]
    ):
        with pytest.raises(InputError):
            call()


def test_delete_needs_to_be_told_what(index: Index) -> None:
    for wrong in ({}, {"ids": [1], "filter": {"a": 1}}, {"filter": {}}):
        with pytest.raises(InputError, match="delete"):
            index.delete(**wrong)


def test_optimize_keeps_every_record(index: Index, sentences: list[str]) -> None:
    index.add({"id": at, "text": text} for at, text in enumerate(sentences))
    before = index.search(QUERIES, k=5)
    index.optimize()
    assert len(index) == len(sentences)
    assert index.search(QUERIES, k=5) == before


def test_any_k_that_can_be_asked_for_is_answered(index: Index) -> None:
    index.add([{"id": at, "text": "bread"} for at in range(3)])
    assert len(index.search("bread", k=2**31 - 1)) == 3
    for k in (2**31, 2**64):
        with pytest.raises(InputError, match="k is"):
            index.search("bread", k=k)


def test_queries_are_counted_and_may_be_an_array(index: Index) -> None:
    index.add([{"id": 1, "text": "bread"}])
    with pytest.raises(InputError, match=r"queries\[1\] is a NoneType"):
        index.search(["a", None])  # type: ignore[list-item]
    for array in (np.array(["bread", "wine"]), np.array(["bread", "wine"], dtype=object)):
        hits = index.search(array)  # type: ignore[call-overload]
        assert [[hit.id for hit in one] for one in hits] == [[1], [1]]


def test_a_record_replaced_by_nothing_is_gone(index: Index) -> None:
    index.add([{"id": "a", "text": "bread"}, {"id": 2, "text": "wine"}, {"id": 3, "text": "wine"}])
    report = index.add(
        {"id": id_, "text": text}
        for id_, text in [("a", ""), (2, "x"), (2, ""), (3, " "), (3, "cheese")]
    )
    assert [skipped.id for skipped in report.skipped] == ["a", 2, 3]
    assert [(hit.id, hit.text) for hit in index.search("bread")] == [(3, "cheese")]


@pytest.mark.parametrize(
    "name", ["a.b", "a[0]", "a[]", "with space", "a'b", ".", "[x", "a/b:c", " "]
)
def test_every_name_a_payload_may_have_can_be_filtered_by(index: Index, name: str) -> None:
    index.add([{"id": 1, "text": "bread", name: 7}, {"id": 2, "text": "bread"}])
    assert [hit.id for hit in index.search("bread", filter={name: 7})] == [1]
    assert [hit.id for hit in index.search("bread", filter={name: {"gte": 7}})] == [1]
    assert [hit.id for hit in index.search("bread", filter={name: None})] == [2]
    assert index.search("bread", filter={name: 8}) == []


def test_ten_threads_add_delete_and_search(index: Index) -> None:
    failures: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for part in range(5):
                ids = range(1000 * thread + 20 * part, 1000 * thread + 20 * part + 20)
                index.add({"id": one, "text": f"train {one}", "thread": thread} for one in ids)
                index.delete(ids[0])
                for hit in index.search(f"train {ids[5]}", k=5, filter={"thread": thread}):
                    assert hit.payload == {"thread": thread}
                assert index.count(filter={"thread": thread}) == 19 * (part + 1)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(at,)) for at in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(index) == 10 * 5 * 19


@pytest.mark.parametrize("query", ["", " ", "\n", [""], ["a cat", "\t"]])
def test_an_empty_question_is_refused(index: Index, query: Any) -> None:
    index.add([{"id": 1, "text": "a cat"}])
    with pytest.raises(InputError, match=r"^(query|queries\[[01]\]) is empty: ask for something$"):
        index.search(query)
    assert index.search([]) == []
    assert index.rank([""])[0].ids == ()  # a test collection may hold one


@pytest.mark.parametrize("query", ["a\ud800", ["a cat", "\udcff"]])
def test_a_question_that_is_no_unicode_is_named(index: Index, query: Any) -> None:
    with pytest.raises(InputError, match=r"^(query|queries\[1\]) holds a lone surrogate"):
        index.search(query)


def test_a_field_that_no_record_has_is_named(index: Index) -> None:
    assert index.search("a cat", filter={"yaer": 2024}) == []  # nothing is there at all
    rows = [{"id": at, "text": "a cat", "year": 2024, "where": {"town": "Rome"}} for at in range(9)]
    index.add(rows)
    with pytest.raises(InputError, match=r"no record has a field 'yaer': did you mean 'year'\?"):
        index.search("a cat", filter={"yaer": 2024})
    with pytest.raises(InputError, match=r"'price': there are where, where\.town, year"):
        index.search(["a cat", "a dog"], filter={"price": {"lt": 3}})
    assert index.search("a cat", filter={"year": 1999}) == []
    assert index.search("a cat", filter={"where.town": "Oslo"}) == []
    assert len(index.search("a cat", filter={"price": None})) == 9
    assert index.search("a cat", filter={"price": None, "year": 1999}) == []
    assert index.search("zebra", mode="sparse", filter={"price": None}) == []
    index.add({"id": at, "text": "a dog", "late": at} for at in range(1000, 1010))
    assert index.search("a dog", filter={"late": 3}) == []


def test_fields_are_those_of_the_records(index: Index) -> None:
    assert index.fields() == []
    index.add([{"id": "a", "text": "a cat", "year": 2024, "where": {"town": "Rome"}}])
    index.add([{"id": "b", "text": "a dog", "with space": 1, "author": None}])
    assert index.fields() == ["author", "where", "where.town", "with space", "year"]
    assert index.has_field("where.town")
    assert index.has_field("with space")
    assert not index.has_field("author")  # null is nothing
    assert not index.has_field("where.city")
