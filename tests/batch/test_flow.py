"""Reading, encoding and writing side by side: order, bounds, errors from each of them, Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from pumice.batch.flow import Flow


def flow(limit: int = 10) -> Flow[int]:
    return Flow(size=lambda item: item % 7, limit=limit)


def test_everything_arrives_in_order() -> None:
    written: list[tuple[int, int]] = []
    flow().run(range(1000), lambda n: n * n, lambda n, square: written.append((n, square)))
    assert written == [(n, n * n) for n in range(1000)]
    assert threading.active_count() < 10


def test_no_more_is_in_flight_than_the_limit() -> None:
    flying: list[int] = []
    most = 0

    def items() -> Iterator[int]:
        nonlocal most
        for _ in range(200):
            yield 3
            flying.append(3)
            most = max(most, sum(flying))

    def write(item: int, _: object) -> None:
        time.sleep(0.0005)
        flying.pop()

    Flow[int](size=lambda n: n, limit=10).run(items(), lambda n: n, write)
    assert most <= 12  # the one whose turn has come is counted before its room is given back
    large: list[int] = []
    Flow[int](size=lambda n: 100, limit=10).run(range(5), lambda n: n, lambda n, _: large.append(n))
    assert large == [0, 1, 2, 3, 4]


def test_what_was_read_before_an_error_is_written() -> None:
    def items() -> Iterator[int]:
        yield from range(50)
        raise ValueError("unreadable")

    written: list[int] = []
    with pytest.raises(ValueError, match="unreadable"):
        flow().run(items(), lambda n: n, lambda n, _: written.append(n))
    assert written == list(range(50))


@pytest.mark.parametrize("where", ["encode", "write"])
def test_an_error_of_encoding_or_writing_ends_reading(where: str) -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    count = 0

    def work(*_: object) -> None:
        nonlocal count
        count += 1
        if count == 30:
            raise ValueError(where)

    nothing = lambda *_: None  # noqa: E731
    encode, write = (work, nothing) if where == "encode" else (nothing, work)
    with pytest.raises(ValueError, match=where):
        flow().run(items(), encode, write)
    assert closed.wait(5)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A worker of pytest-xdist ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_it_soon() -> None:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    written: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            yield 1

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        flow().run(endless(), lambda n: time.sleep(0.01), lambda n, _: written.append(n))
    assert time.monotonic() - started < 3
    assert len(written) > 5
