"""Codes, data types, stages and words: each searched through the engine, against exact cosines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pumice.errors import InputError, SearchIndexError
from pumice.search import Fusion, Index, SearchParams, Storage
from pumice.search.home import Plan, Query
from pumice.search.manifest import MANIFEST_FILE
from pumice.search.spaces import dense_spaces
from pumice.search.steps import Planner, Step
from pumice.search.storage import QUANTIZATIONS

RARE = ("product-4", "product-8", "product-32", "product-64", "turbo-1.5", "turbo-2", "turbo-8")
QUERY = "where do I renew my passport in winter"


def exact(model: Any, texts: list[str], dim: int | None = None) -> np.ndarray:
    vectors = model.encode([QUERY, *texts], dim=dim).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors[1:] @ vectors[0]


def filled(folder: Path, model: Any, texts: list[str], storage: Storage, **more: Any) -> Index:
    index = Index(folder, model, storage=storage, **more)
    index.add({"id": at, "text": text} for at, text in enumerate(texts))
    return index


@pytest.mark.parametrize(
    "quantize",
    [
        pytest.param(kind, marks=[pytest.mark.slow] if kind in RARE else [])
        for kind in QUANTIZATIONS
    ],
)
def test_every_kind_of_codes_finds_what_floats_find_when_rescored(
    tmp_path: Path, model: Any, sentences: list[str], quantize: str
) -> None:
    cosines = exact(model, sentences)
    best = np.sort(cosines)[::-1][:5]
    storage = Storage(quantize=quantize, m=0)
    with filled(tmp_path / "i", model, sentences, storage) as index:
        if storage.coded_later:
            index.optimize()
        rescored = index.search(QUERY, k=5, mode="dense", params=SearchParams(oversampling=60))
        np.testing.assert_allclose([hit.score for hit in rescored], best, atol=1e-5)
        raw = index.search(QUERY, k=5, mode="dense", params=SearchParams(rescore=False))
        # Codes were used: their scores are not the cosines, and they come close to the best all the
        # same. (256 centroids keep 300 texts nearly as they are.)
        assert quantize.startswith("product") or not np.allclose(
            [hit.score for hit in raw], [cosines[hit.id] for hit in raw], atol=1e-7
        )
        assert np.mean([cosines[hit.id] for hit in raw]) > np.quantile(cosines, 0.8)
        floats = index.search(QUERY, k=5, mode="dense", params=SearchParams(exact=True))
        np.testing.assert_allclose([hit.score for hit in floats], best, atol=1e-5)


def test_a_finer_query_ranks_binary_codes_better(
    tmp_path: Path, model: Any, sentences: list[str]
) -> None:
    ranks = exact(model, sentences).argsort().argsort()
    agreement = {}
    for query in ("binary", "int4", "int8"):
        storage = Storage(quantize="binary", query=query, m=0, sparse=False)
        with filled(tmp_path / query, model, sentences, storage) as index:
            ranking = index.rank([QUERY], k=300, params=SearchParams(rescore=False))[0]
        agreement[query] = np.corrcoef(ranks[list(ranking.ids)], np.arange(300)[::-1])[0, 1]
    assert 0.6 < agreement["binary"] < agreement["int4"] - 0.02
    assert agreement["int4"] == pytest.approx(agreement["int8"], abs=0.02)


@pytest.mark.parametrize(("datatype", "within"), [("float16", 1e-3), ("uint8", 3e-2)])
def test_smaller_numbers_keep_cosines(
    tmp_path: Path, model: Any, sentences: list[str], datatype: str, within: float
) -> None:
    cosines = exact(model, sentences)
    with filled(tmp_path / "i", model, sentences, Storage(datatype=datatype)) as index:
        hits = index.search(QUERY, k=20, mode="dense")
    np.testing.assert_allclose(
        [hit.score for hit in hits], [cosines[hit.id] for hit in hits], atol=within
    )
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_stages_begin_with_a_prefix_and_end_with_the_whole(
    tmp_path: Path, model: Any, sentences: list[str]
) -> None:
    stages = [size for size in model.prefixes if size < model.dimensions]
    short, whole = exact(model, sentences, min(stages)), exact(model, sentences)
    with filled(tmp_path / "i", model, sentences, Storage(stages=tuple(sorted(stages)))) as index:
        one = index.search(QUERY, k=1, mode="dense", params=SearchParams(oversampling=1))[0]
        assert one.id == int(short.argmax())  # the prefix alone decides: it gives one candidate
        assert one.score == pytest.approx(whole[one.id], abs=1e-5)
        for params in (
            SearchParams(prefix=index.dim),
            SearchParams(exact=True),
            SearchParams(oversampling=60),
        ):
            hits = index.search(QUERY, k=5, mode="dense", params=params)
            np.testing.assert_allclose(
                [hit.score for hit in hits], np.sort(whole)[::-1][:5], atol=1e-5
            )
        with pytest.raises(InputError, match="prefix is 7: this index keeps"):
            index.search(QUERY, params=SearchParams(prefix=7))


def test_words_find_what_vectors_miss(tmp_path: Path, model: Any, sentences: list[str]) -> None:
    texts = [*sentences, "the zymurgist of Łódź brewed it"]
    with filled(tmp_path / "i", model, texts, Storage()) as index:
        assert index.search("ZYMURGISTS", k=1, mode="sparse")[0].id == len(sentences)
        assert index.search("lodz", k=1, mode="sparse") == []  # ł is a letter of its own
        assert index.search("the of and", k=3, mode="sparse") == []
        both = index.search("zymurgist passport", k=3)
        assert len(sentences) in [hit.id for hit in both]
        assert index.search("zymurgist passport", k=3, mode="hybrid") == both
        for fusion in (
            Fusion(),
            Fusion("dbsf"),
            Fusion("rrf"),
            Fusion("rrf", k=5, weights=(1, 3)),
            Fusion("rrf", weights=(3, 1)),
        ):
            assert len(index.search("zymurgist passport", params=SearchParams(fusion=fusion))) == 10


def test_filters_hold_in_every_mode_and_stage(
    tmp_path: Path, model: Any, sentences: list[str]
) -> None:
    storage = Storage(stages=(16,), quantize="binary")
    with Index(tmp_path / "i", model, storage=storage) as index:
        index.add(
            {"id": at, "text": text, "even": at % 2 == 0} for at, text in enumerate(sentences)
        )
        for mode in ("dense", "sparse", "hybrid"):
            hits = index.search("winter train", k=100, mode=mode, filter={"even": True})
            assert hits
            assert all(hit.id % 2 == 0 for hit in hits)


def test_a_language_the_model_spells_is_searched_by_its_words(tmp_path: Path, model: Any) -> None:
    texts = ["서울에서 여권을 갱신한다", "기차표는 역에서 산다", "a train ticket"]
    with filled(tmp_path / "i", model, texts, Storage()) as index:
        hits = index.search("여권 갱신", k=3)
        assert [hit.id for hit in hits] == [0]
        assert hits == index.search("여권 갱신", k=3, mode="sparse")
        assert len(index.search("여권 갱신", k=3, mode="dense")) == 3
        assert len(index.search("un café près de la gare", k=3)) == 3  # the model knows some of it


def test_an_index_without_words_says_so(tmp_path: Path, model: Any) -> None:
    with filled(tmp_path / "i", model, ["a cat"], Storage(sparse=False)) as index:
        assert index.search("cat")[0].score == pytest.approx(
            index.search("cat", mode="dense")[0].score
        )
        for mode in ("sparse", "hybrid"):
            with pytest.raises(InputError, match="keeps no words"):
                index.search("cat", mode=mode)
        with pytest.raises(InputError, match="dense, sparse, hybrid"):
            index.search("cat", mode="fuzzy")


def test_callers_may_bring_vectors(tmp_path: Path, model: Any, sentences: list[str]) -> None:
    records = [{"id": f"r{at}", "text": text} for at, text in enumerate(sentences)]
    vectors = model.encode(sentences)
    with Index(tmp_path / "i", model) as index:
        assert index.add(iter(records), vectors=vectors).added == len(sentences)
        queries = [QUERY, "a cat"]
        brought = index.rank(queries, k=5, vectors=model.encode(queries))
        assert brought == index.rank(queries, k=5)
        hits = index.search(queries, k=5)
        assert [list(one.ids) for one in brought] == [[hit.id for hit in one] for one in hits]
        assert [list(one.scores) for one in brought] == [[hit.score for hit in one] for one in hits]
        for bad in (vectors[:3], vectors[:, :8], vectors.astype(int)):
            with pytest.raises(InputError, match="give floats of shape"):
                index.add(records, vectors=bad)
        vectors[2, 3] = np.nan
        with pytest.raises(InputError, match=r"vectors\[2\] holds NaN"):
            index.add(records, vectors=vectors)
        with pytest.raises(InputError, match="NaN"):
            index.rank(["a"], vectors=np.full((1, index.dim), np.inf))


def test_the_storage_is_kept_and_another_is_refused(tmp_path: Path, model: Any) -> None:
    storage = Storage(quantize="binary", stages=(16, 32), oversampling=3)
    filled(tmp_path / "i", model, ["a cat"], storage).close()
    for asked in (None, storage):
        with Index(tmp_path / "i", model, storage=asked) as index:
            assert index.storage == storage
    with pytest.raises(SearchIndexError, match=r"quantize 'binary' \('int8' was asked for\)"):
        Index(
            tmp_path / "i", model, storage=Storage(quantize="int8", stages=(16, 32), oversampling=3)
        )
    manifest = json.loads((tmp_path / "i" / MANIFEST_FILE).read_text())
    assert Storage.from_json(manifest["storage"]) == storage
    for broken in ({"quantize": "ternary"}, {"colour": 1}, {"stages": [64]}, 7):
        (tmp_path / "i" / MANIFEST_FILE).write_text(json.dumps({**manifest, "storage": broken}))
        with pytest.raises(SearchIndexError, match="is damaged"):
            Index(tmp_path / "i", model)
    (tmp_path / "i" / MANIFEST_FILE).write_text(json.dumps({**manifest, "words": 99}))
    with pytest.raises(SearchIndexError, match="rules 99"):
        Index(tmp_path / "i", model)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantize": "int7"},
        {"datatype": "float8"},
        {"query": "int8"},
        {"quantize": "binary", "query": "float"},
        {"stages": (32, 16)},
        {"stages": (0,)},
        {"stages": (True,)},
        {"m": -1},
        {"ef_construct": 0},
        {"oversampling": 0.5},
        {"oversampling": float("nan")},
        {"sparse": 1},
        {"originals": "cloud"},
    ],
)
def test_storage_that_means_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="storage"):
        Storage(**wrong)


@pytest.mark.parametrize("wrong", [(99,), (64,)])
def test_stages_the_model_lacks(tmp_path: Path, model: Any, wrong: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        Index(tmp_path / "i", model, storage=Storage(stages=wrong))
    assert not (tmp_path / "i").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SearchParams(oversampling=0),
        lambda: SearchParams(breadth=0),
        lambda: SearchParams(prefix=1.5),  # type: ignore[arg-type]
        lambda: SearchParams(exact="yes"),  # type: ignore[arg-type]
        lambda: Fusion("borda"),
        lambda: Fusion(k=0),
        lambda: Fusion(weights=(1, 0)),
        lambda: Fusion(weights=(1,)),  # type: ignore[arg-type]
        lambda: Fusion(weights="ab"),  # type: ignore[arg-type]
        lambda: Fusion(weights=5),  # type: ignore[arg-type]
        lambda: Fusion("dbsf", weights=(1, 1)),
    ],
)
def test_params_that_mean_nothing(wrong: Any) -> None:
    with pytest.raises(InputError):
        wrong()


@pytest.mark.parametrize(("m", "breadth"), [(32, 512), (48, 512), (16, 1024)])
def test_a_graph_of_fewer_edges_is_searched_more_broadly(m: int, breadth: int) -> None:
    plan = Plan(10, (), SearchParams(), 4.0)
    spaces = dense_spaces(Storage(m=m, quantize="turbo-2"), dim=64)
    step = Planner(plan, spaces=spaces).steps(Query(np.ones(64, np.float32), None))
    assert isinstance(step, Step)
    assert step.scan is not None
    assert step.scan.breadth == breadth
