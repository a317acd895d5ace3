"""Batches worked on one ahead: order, faults, and what was given before them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pumice.search.ahead import one_ahead


def collect(pairs: Iterator[tuple[int, object]], items: list[int]) -> None:
    for item, _ in pairs:
        items.append(item)


def counted(stop: int) -> Iterator[int]:
    yield from range(stop)
    raise KeyError("no more")


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_items_come_in_order_with_their_results(count: int) -> None:
    assert list(one_ahead(range(count), str)) == [(at, str(at)) for at in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_fault_of_the_source_comes_after_what_was_there_before(count: int) -> None:
    given: list[int] = []
    with pytest.raises(KeyError, match="no more"):
        collect(one_ahead(counted(count), str), given)
    assert given == list(range(count))


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_fault_of_the_work_comes_in_its_turn(bad: int) -> None:
    given: list[int] = []
    with pytest.raises(ZeroDivisionError):
        collect(one_ahead(range(4), lambda item: 1 // (item - bad)), given)
    assert given == list(range(bad))


def test_the_next_item_is_worked_on_meanwhile() -> None:
    begun = [threading.Event() for _ in range(4)]

    def work(item: int) -> None:
        begun[item].set()

    for item, _ in one_ahead(range(4), work):
        assert item == 3 or begun[item + 1].wait(10)


def test_one_item_starts_no_thread() -> None:
    names = [name for _, name in one_ahead([1], lambda _: threading.current_thread().name)]
    assert names == [threading.current_thread().name]


def test_where_no_thread_starts_the_caller_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def refuse(self: threading.Thread) -> None:
        tried.append(1)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert list(one_ahead(range(5), str)) == [(at, str(at)) for at in range(5)]
    assert len(tried) == 1


def test_a_fault_that_is_a_runtime_error_is_the_works_own() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise RuntimeError("mine")
        return item

    given: list[int] = []
    with pytest.raises(RuntimeError, match="mine"):
        collect(one_ahead(range(4), work), given)
    assert given == [0, 1]


def test_a_caller_that_stops_early_leaves_no_thread() -> None:
    before = threading.active_count()
    for item, _ in one_ahead(range(100), str):
        if item == 3:
            break
    del item
    import gc

    gc.collect()
    assert threading.active_count() == before
