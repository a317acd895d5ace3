"""Lanes: threads that each run torch on one processor over their own part of a batch.

torch's own threads meet after every operation. A training step is a few hundred small operations, and
where another program takes one processor for a moment, all wait for it each time: measured at half the
speed of this. Here threads meet a few times a step.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import TracebackType

import torch

from pumice import _core
from pumice.train.options import RunOptions

Work = Callable[[int, int, int], None]
"""Called with (lane, first, one past the last)."""


class Lanes:
    """A fixed number of threads; what is split over them depends on that number alone."""

    def __init__(self, count: int, *, kernels: str | None = None) -> None:
        """``kernels`` are those of the native module that the lanes run, of `native_kernels`; None: torch's."""
        self.count, self.kernels = count, kernels
        self._pool = ThreadPoolExecutor(
            count, thread_name_prefix="pumice-lane", initializer=_prepare_thread
        )

    def __enter__(self) -> Lanes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown()

    def split(self, total: int) -> list[tuple[int, int]]:
        """Contiguous parts of range(total), one for each lane, some perhaps empty."""
        edges = [total * lane // self.count for lane in range(self.count + 1)]
        return list(pairwise(edges))

    def split_by_weight(self, edges: list[int], *, each: int = 0) -> list[tuple[int, int]]:
        """Contiguous parts of about equal weight: item i weighs edges[i + 1] - edges[i] + each."""
        items = len(edges) - 1
        total = edges[-1] + each * items
        cuts, item = [0], 0
        for lane in range(1, self.count):
            wanted = total * lane // self.count
            item = bisect_left(range(items), wanted, lo=item, key=lambda i: edges[i] + each * i)
            cuts.append(item)
        cuts.append(items)
        return list(pairwise(cuts))

    def run(self, work: Work, spans: list[tuple[int, int]]) -> None:
        """Do every lane's part; return when all are done, raise what the first failing one raised."""
        futures = [
            self._pool.submit(work, lane, first, last)
            for lane, (first, last) in enumerate(spans)
            if first < last
        ]
        for future in futures:
            future.exception()  # none may still write when this returns
        for future in futures:
            future.result()


def lanes_for(options: RunOptions, threads: int) -> Lanes:
    """Those of a run: one where a GPU does the work."""
    if options.device != "cpu":
        return Lanes(1)
    return Lanes(threads, kernels=native_kernels(options.kernels))


def native_kernels(choice: str) -> str | None:
    """The native module's kernels for "auto": the best that this processor has, if any. None for "torch"."""
    known = _core.training_kernels() if choice == "auto" else []
    return known[0] if known else None


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _prepare_thread() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # a moment that fades out would cost a hundred times its share
