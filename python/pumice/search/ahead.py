"""The next batch is embedded while this one is stored: the engine holds the interpreter, the model does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


def one_ahead(items: Iterable[T], work: Callable[[T], U]) -> Iterator[tuple[T, U]]:
    """Each item with what `work` makes of it, in a thread, while the caller has the item before.

    Where an item cannot be had, those before it are given first. One item alone starts no thread,
    nor does any where the interpreter is shutting down: the caller's own does the work then.
    """
    source = iter(items)
    following: Callable[[], U]
    waiting: tuple[T, Callable[[], U]] | None = None
    fault: BaseException | None = None
    threaded = True
    with ThreadPoolExecutor(1, "pumice-embed") as thread:
        while True:
            try:
                item = next(source)
            except StopIteration:
                break
            except BaseException as error:  # an interrupt too
                fault = error
                break
            if waiting is None:
                waiting = item, partial(work, item)
                continue
            following = partial(work, item)
            if threaded:
                try:
                    following = thread.submit(work, item).result
                except RuntimeError:
                    threaded = False
            yield waiting[0], waiting[1]()
            waiting = item, following
        if waiting is not None:
            yield waiting[0], waiting[1]()
    if fault is not None:
        raise fault
