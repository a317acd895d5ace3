"""Three things at once, each on its own thread, in bounded memory: reading, encoding, writing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_WAKE_SECONDS = 0.05


class _StoppedError(Exception):
    """Another thread has failed, and this one's work is no longer wanted."""


@dataclass(frozen=True)
class _Failure:
    error: BaseException


class Budget:
    """Bytes that may be in flight. One item always may, however large."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._changed = threading.Condition()
        self._stopped = False

    def take(self, size: int) -> None:
        """Wait until there is room."""
        with self._changed:
            while self._held and self._held + size > self._limit:
                if self._stopped:
                    raise _StoppedError
                self._changed.wait()
            if self._stopped:
                raise _StoppedError
            self._held += size

    def give(self, size: int) -> None:
        """Something has left."""
        with self._changed:
            self._held -= size
            self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()


class Flow(Generic[T]):
    """Runs ``read`` and ``write`` on threads and ``encode`` on the caller's, which Ctrl-C interrupts.

    Items arrive in their order. What was read before an error is encoded and written still; then the error is
    raised.
    """

    def __init__(self, *, size: Callable[[T], int], limit: int) -> None:
        self._size = size
        self._budget = Budget(limit)
        self._read: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._encoded: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._failure: BaseException | None = None

    def run(
        self, items: Iterable[T], encode: Callable[[T], Any], write: Callable[[T, Any], None]
    ) -> None:
        """Until every item is written; raises what any of the three raised."""
        reader = threading.Thread(target=self._reading, args=(items,), name="pumice-read")
        writer = threading.Thread(target=self._writing, args=(write,), name="pumice-write")
        reader.start()
        writer.start()
        try:
            while (item := self._read.get()) is not None:
                if isinstance(item, _Failure):
                    raise item.error
                if self._failure is not None:
                    break
                self._encoded.put((item, encode(item)))
                del item
        except BaseException as error:
            # An interrupt stops at once; after any other error what is encoded already is written.
            if isinstance(error, KeyboardInterrupt):
                self._failure = error
            raise
        finally:
            self._encoded.put(None)
            self._budget.stop()
            _join(writer)
            _join(reader)
        if self._failure is not None:
            raise self._failure

    def _reading(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                self._budget.take(self._size(item))
                self._read.put(item)
                del item
            self._read.put(None)
        except _StoppedError:
            pass
        except BaseException as error:
            self._read.put(_Failure(error))
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    def _writing(self, write: Callable[[T, Any], None]) -> None:
        try:
            while (done := self._encoded.get()) is not None:
                if self._failure is not None:
                    return
                size = self._size(done[0])
                write(*done)
                del done
                self._budget.give(size)
        except BaseException as error:
            self._failure = error
            self._budget.stop()
            self._read.put(None)  # the caller may be waiting for it


def _join(thread: threading.Thread) -> None:
    """Wait for a thread; a second Ctrl-C is for after it."""
    while thread.is_alive():
        thread.join(_WAKE_SECONDS)
