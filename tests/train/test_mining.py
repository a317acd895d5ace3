"""Mining: the formula of BM25 and numpy's whole search are the oracles; what is no negative is none."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import Tensor

import pumice
from pumice import _core
from pumice.errors import InputError
from pumice.train import Pair
from pumice.train.bm25 import BM25, K1, QUERY_TOKENS, B
from pumice.train.cells import Cells
from pumice.train.lanes import Lanes
from pumice.train.mining import mine_negatives
from pumice.train.tokens import Texts, TextsWriter, TokenMemory
from tests.train.conftest import make_pairs


def texts_of(ids: Sequence[Sequence[int]]) -> Texts:
    writer = TextsWriter(TokenMemory(1 << 40, Path()))
    writer.append(ids, limit=1 << 30)
    return writer.finish()


def naive(query: Sequence[int], passages: Sequence[Sequence[int]]) -> list[float]:
    mean = sum(map(len, passages)) / len(passages)
    scores = []
    for passage in passages:
        score = 0.0
        for token in query:
            having = sum(token in other for other in passages)
            inverse = math.log(1 + (len(passages) - having + 0.5) / (having + 0.5))
            count = passage.count(token)
            score += inverse * count * (K1 + 1) / (count + K1 * (1 - B + B * len(passage) / mean))
        scores.append(score)
    return scores


def test_bm25_equals_its_formula() -> None:
    rng = np.random.default_rng(1)
    passages = [rng.integers(0, 40, size=rng.integers(1, 30)).tolist() for _ in range(300)]
    queries = [rng.integers(0, 45, size=size).tolist() for size in (1, 3, 9, 20)] + [[41], []]
    index = BM25.of(texts_of([[7], *passages]), np.arange(1, 301), tokens=45)
    for depth in (12, 300):
        best = index.best(texts_of(queries), np.arange(len(queries)), depth=depth)
        for query, row in zip(queries, best.tolist(), strict=True):
            expected = naive(query, passages)
            wanted = sorted(expected, reverse=True)[:depth]
            found = [expected[i] if i >= 0 else 0.0 for i in row]
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
            listed = [i for i in row if i >= 0]
            assert len(listed) == len(set(listed))


def found_tokens(index: BM25, query: Sequence[int], passages: Sequence[Sequence[int]]) -> set[int]:
    """The tokens of a query that count, where each passage has one token."""
    (best,) = index.best(texts_of([query]), np.arange(1), depth=len(passages)).tolist()
    return {passages[number][0] for number in best if number >= 0}


def test_of_a_long_query_the_rarest_tokens_count(monkeypatch: pytest.MonkeyPatch) -> None:
    passages = [[token] * (1 + token % 3) for token in range(60) for _ in range(1 + token % 5)]
    index = BM25.of(texts_of(passages), np.arange(len(passages)), tokens=60)
    counted = found_tokens(index, range(60), passages)
    having = Counter(passage[0] for passage in passages)
    assert len(counted) == QUERY_TOKENS
    left_out = min(having[token] for token in set(range(60)) - counted)
    assert max(having[token] for token in counted) <= left_out
    monkeypatch.setattr("pumice.train.bm25.COMMON_COUNT", 2)
    monkeypatch.setattr("pumice.train.bm25.COMMON_SHARE", 0)
    index = BM25.of(texts_of(passages), np.arange(len(passages)), tokens=60)
    assert not found_tokens(index, [4], passages)  # in 5 passages
    assert found_tokens(index, [0], passages) == {0}


def test_of_frequent_tokens_the_rarest_count(monkeypatch: pytest.MonkeyPatch) -> None:
    passages = [[token] for token in range(10) for _ in range(10 + token)]
    index = BM25.of(texts_of(passages), np.arange(len(passages)), tokens=10)
    query = [9, 3, 3, 1]
    assert found_tokens(index, query, passages) == {1, 3, 9}
    for most, kept in ((1, {1}), (23, {1}), (24, {1, 3}), (42, {1, 3}), (43, {1, 3, 9})):
        monkeypatch.setattr("pumice.train.bm25.POSTINGS", most)
        assert found_tokens(index, query, passages) == kept


def test_what_the_core_is_given_is_checked() -> None:
    ids, offsets = np.array([0, 1, 1, 2], np.int32), np.array([0, 2, 4])
    edges, numbers, times = _core.occurrences(ids, offsets, np.array([1, 0]), 3)
    assert (edges.tolist(), numbers.tolist(), times.tolist()) == (
        [0, 1, 3, 4],
        [1, 0, 1, 0],
        [1] * 4,
    )
    weights = np.ones(4, np.float32)
    good = (edges, numbers, weights, 2)
    _core.PostingLists(*good)
    unit = np.eye(2, dtype=np.float32)
    found, own = np.zeros((2, 1), np.int64), np.arange(2)
    refused = (own, own, np.array([0, 3]))
    assert _core.choose_negatives((found, found), (unit, unit), refused, 1, 0.9).tolist() == [
        [-1],
        [0],
    ]
    best = _core.BestOf(1, 2)
    for wrong in (
        lambda: _core.occurrences(ids, offsets, np.array([2]), 3),
        lambda: _core.occurrences(ids, offsets, np.array([-1]), 3),
        lambda: _core.occurrences(ids, offsets, np.array([0, 1]), 2),
        lambda: _core.occurrences(ids, np.array([0, 9]), np.array([0]), 3),
        lambda: _core.occurrences(ids, np.array([3, 1]), np.array([0]), 3),
        lambda: _core.PostingLists(edges[:3], *good[1:]),
        lambda: _core.PostingLists(edges[::-1].copy(), *good[1:]),
        lambda: _core.PostingLists(np.array([0, 5, 3, 4]), *good[1:]),
        lambda: _core.PostingLists(edges, numbers, weights[:3], 2),
        lambda: _core.PostingLists(edges, numbers, weights, 1),
        lambda: best.offer(np.array([1]), np.zeros(1, np.int32), np.zeros((1, 1), np.float32)),
        lambda: best.offer(np.array([0]), np.zeros(2, np.int32), np.zeros((1, 1), np.float32)),
        lambda: _core.BestOf(1, 0),
        lambda: _core.choose_negatives((found + 2, found), (unit, unit), refused, 1, 0.9),
        lambda: _core.choose_negatives((found, found - 2), (unit, unit), refused, 1, 0.9),
        lambda: _core.choose_negatives((found, found), (unit, unit[:, :1].copy()), refused, 1, 0.9),
        lambda: _core.choose_negatives((found, found), (unit, unit), (own - 1, *refused[1:]), 1, 1),
        lambda: _core.choose_negatives((found[:1], found), (unit, unit), refused, 1, 0.9),
    ):
        with pytest.raises(ValueError, match=r"."):
            wrong()


def clustered(count: int, seed: int) -> Tensor:
    rng = np.random.default_rng(seed)
    around = np.random.default_rng(0).standard_normal((40, 24))[rng.integers(0, 40, count)]
    near = around + 0.5 * rng.standard_normal((count, 24))
    return torch.nn.functional.normalize(torch.from_numpy(near.astype(np.float32)), dim=1)


def test_cells_find_most_and_with_every_probe_all(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, queries = clustered(3000, 1), clustered(200, 2)
    with Lanes(2) as two, Lanes(1) as one:
        cells, same = (Cells.of(vectors, lanes=lanes) for lanes in (two, one))
    assert torch.equal(cells.numbers, same.numbers)
    assert sorted(cells.numbers.tolist()) == list(range(3000))
    wanted = np.argsort(-(queries @ vectors.T).numpy(), axis=1)[:, :10]
    for probes, least in ((2, 0.3), (24, 0.9), (1000, 1.0)):
        monkeypatch.setattr("pumice.train.cells.PROBES", probes)
        found = cells.best(queries, depth=10)
        shared = [len({*a} & {*b}) for a, b in zip(found.tolist(), wanted.tolist(), strict=True)]
        assert np.mean(shared) / 10 >= least
    few = Cells(cells.centres[:1], vectors[:3], torch.arange(3), [0, 3]).best(queries, depth=5)
    assert (np.sort(few, axis=1) == [-1, -1, 0, 1, 2]).all()


def test_mined_through_cells(start: pumice.StaticModel, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = as_pairs(200)
    exact = mine_negatives(pairs, model=start, count=4, threads=2)
    monkeypatch.setattr("pumice.train.mining._EXACT", 10)
    monkeypatch.setattr("pumice.train.mining._BLOCK", 64)
    assert mine_negatives(pairs, model=start, count=4, threads=1) == mine_negatives(
        pairs, model=start, count=4, threads=2
    )
    monkeypatch.setattr("pumice.train.cells.PROBES", 1000)
    found = mine_negatives(pairs, model=start, count=4, threads=2)
    same = [{*a.negatives} == {*b.negatives} for a, b in zip(exact, found, strict=True)]
    assert np.mean(same) > 0.95  # ties aside


@pytest.mark.parametrize("columns", [1, 15, 16, 17, 1000, 12_345])
@pytest.mark.parametrize("depth", [1, 7, 32])
def test_the_best_are_those_of_a_whole_sort(columns: int, depth: int) -> None:
    scores = np.random.default_rng(columns).integers(-200, 200, (5, columns)).astype(np.float32)
    expected = np.full((5, depth), -1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :depth]  # of equal ones, the lower number
    expected[:, : order.shape[1]] = order
    best = _core.BestOf(5, depth)
    for _ in range(2):  # what was finished is forgotten
        for rows in (np.array([3, 0]), np.array([1, 4, 2])):
            for part in reversed(np.array_split(np.arange(columns, dtype=np.int32), 3)):
                best.offer(rows, part, np.ascontiguousarray(scores[rows][:, part]))
        assert (best.finish() == expected).all()


def vectors(start: pumice.StaticModel, texts: Sequence[str]) -> np.ndarray:
    return np.asarray(start.encode(list(texts)), np.float64)


def as_pairs(count: int, *, seed: int = 0) -> list[Pair]:
    return [Pair(p["anchor"], p["positive"]) for p in make_pairs(count, seed=seed)]


@pytest.mark.parametrize("below", [0.95, 0.5])
def test_mined_negatives_equal_a_whole_search(start: pumice.StaticModel, below: float) -> None:
    pairs = as_pairs(300)
    pairs += [Pair(pairs[0].anchor, "the mota"), Pair("kuri fita", "kuri fita")]
    mined = mine_negatives(pairs, model=start, count=4, below=below, threads=2)
    assert mine_negatives(pairs, model=start, count=4, below=below, threads=1) == mined
    queries = vectors(start, [pair.anchor for pair in pairs])
    passages = vectors(start, [pair.positive for pair in pairs])
    cosines = queries @ passages.T
    tokens = [start.tokenize(pair.positive) for pair in pairs]
    words = [naive(start.tokenize(pair.anchor), tokens) for pair in pairs[::40]]
    for number, pair in enumerate(mined):
        own = cosines[number, number]
        assert len(pair.negatives) == len(set(pair.negatives)) <= 4
        positives = {other.positive for other in pairs if other.anchor == pair.anchor}
        assert not positives & {*pair.negatives}
        assert pair.anchor not in pair.negatives
        where = [[p.positive for p in pairs].index(text) for text in pair.negatives]
        assert (cosines[number, where] <= min(own, own * below) + 1e-5).all()
    for number, scores in zip(range(0, len(pairs), 40), words, strict=True):
        near, worded = (
            np.argsort(-np.array(s), kind="stable")[:32] for s in (cosines[number], scores)
        )
        for text in mined[number].negatives:
            where = [p.positive for p in pairs].index(text)
            close = cosines[number, where] >= cosines[number, near[-1]] - 1e-5
            assert close or scores[where] >= scores[worded[-1]] - 1e-5


def test_what_cannot_be_mined(start: pumice.StaticModel) -> None:
    assert mine_negatives([], model=start) == []
    alone = [Pair("bata", "the bata")]
    assert mine_negatives(alone, model=start) == alone
    unknown = [Pair("zzz", "the bata"), Pair("bata", "zzz"), Pair("ruru", "the")]
    assert [p.negatives for p in mine_negatives(unknown, model=start)] == [(), (), ()]
    for given, message in (
        ("pairs", "pairs is str: give a list of Pair"),
        ([("a", "b")], "pairs: pair 0: is tuple, not a Pair"),
        ([Pair("a", "")], 'pairs: pair 0: "positive" is empty'),
        ([Pair("a", "b", ["c"])], "pairs: pair 0: negatives and scores are tuples"),
        ([Pair("a", "b", ("c",), (1.0, 2.0))], "pairs: pair 0 has scores"),
    ):
        with pytest.raises(InputError, match=message):
            mine_negatives(given, model=start)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="mine is -1"):
        mine_negatives(alone, model=start, count=-1)
