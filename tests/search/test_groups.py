"""Batches that are embedded together: more of them while they come fast, none kept waiting, none lost."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pumice.search.groups import Groups
from pumice.search.incoming import Batch, batches_of_records


def batches(count: int) -> Iterator[Batch]:
    return batches_of_records(({"id": at, "text": "a stone"} for at in range(count)), size=1)


def sizes_of(groups: Groups, *, seconds: float = 0.0) -> list[int]:
    sizes = []
    for group in groups:
        sizes.append(len(group))
        groups.told(seconds)
    return sizes


def test_groups_grow_while_they_are_embedded_fast() -> None:
    assert sizes_of(Groups(batches(100))) == [1, 2, 4, 8, 16, 32, 32, 5]


def test_slow_embedding_keeps_them_short() -> None:
    groups = Groups(batches(40))
    for _ in range(3):
        groups.told(0.0)
    assert sizes_of(groups, seconds=5.0) == [8, 4, 2, *[1] * 26]


def test_what_comes_slowly_is_not_kept_waiting() -> None:
    def slowly() -> Iterator[Batch]:
        for batch in batches(3):
            time.sleep(0.15)
            yield batch

    groups = Groups(slowly())
    for _ in range(5):
        groups.told(0.0)
    assert [len(group) for group in groups] == [1, 1, 1]


def test_long_texts_fill_a_group() -> None:
    records = [{"id": at, "text": "stone " * 1_000_000} for at in range(4)]
    groups = Groups(batches_of_records(records, size=1))
    for _ in range(5):
        groups.told(0.0)
    assert [len(group) for group in groups] == [2, 2]


def test_a_fault_comes_after_the_batches_before_it() -> None:
    def failing() -> Iterator[Batch]:
        yield from batches(3)
        raise KeyError("no more")

    groups = Groups(failing())
    for _ in range(5):
        groups.told(0.0)
    given = iter(groups)
    assert [batch.first for batch in next(given)] == [0, 1, 2]
    with pytest.raises(KeyError, match="no more"):
        next(given)
