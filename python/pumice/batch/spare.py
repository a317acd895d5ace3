"""Memory for a chunk's vectors, used again: pages new to a process cost half as much as an encoding."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from pumice.batch.job import Job

_MOST_SPARE = 3


class SpareArrays:
    """Arrays for the vectors of a chunk each. Any thread may take one, and give it back when it is written."""

    def __init__(self, job: Job) -> None:
        self._shape, self._dtype = (job.limits.chunk_rows, job.width), job.dtype
        self._spare: list[NDArray[np.generic]] = []
        self._lock = threading.Lock()

    def take(self, rows: int) -> NDArray[np.generic]:
        """(rows, width), its content undefined."""
        with self._lock:
            whole = self._spare.pop() if self._spare else None
        if whole is None:
            whole = np.empty(self._shape, self._dtype)
        return whole[:rows]

    def give(self, vectors: NDArray[np.generic]) -> None:
        """What `take` has given, and nothing refers to any more."""
        whole = vectors.base
        with self._lock:
            if whole is not None and len(self._spare) < _MOST_SPARE:
                self._spare.append(whole)
