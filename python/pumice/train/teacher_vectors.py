"""Teacher vectors on disk: a file for each window of a corpus, named by what it was made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.modelfile.writing import write_whole

MAGIC = b"pumice teacher vectors 1\n"
_DIGEST = 16
_LONGEST = 8192  # texts of a window
_MEAN = 4096


@dataclass(frozen=True)
class Window:
    """Texts that follow each other in a corpus."""

    first: int
    last: int
    """One past the last."""
    name: str
    """The digest of its texts."""


def cut_into_windows(hashes: NDArray[np.uint64]) -> list[Window]:
    """Windows end where a text's hash says so: texts that come or go elsewhere in a corpus move no border."""
    ends = [int(end) + 1 for end in np.flatnonzero(hashes % np.uint64(_MEAN) == 0)]
    windows, first = [], 0
    for end in [*ends, len(hashes)]:
        while first < end:
            last = min(end, first + _LONGEST)
            windows.append(Window(first, last, window_name(hashes[first:last])))
            first = last
    return windows


def window_name(hashes: NDArray[np.uint64]) -> str:
    """Hex digest of a window's texts."""
    return blake2b(hashes.tobytes(), digest_size=16).hexdigest()


class TeacherVectors:
    """The vectors of a teacher in a folder of their own; other teachers' may lie beside it."""

    def __init__(self, folder: Path, *, identity: str, width: int) -> None:
        self._folder, self.width = folder / identity, width
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot hold teacher vectors: {error.strerror}") from None

    def missing(self, windows: Iterable[Window]) -> list[Window]:
        """Those that are still to be made."""
        return [window for window in windows if not self._path(window).exists()]

    def write(self, window: Window, vectors: NDArray[np.float32]) -> None:
        """Keep a window's vectors, whole or not at all. Raises InputError where the disk is full.

        As float16, eleven bits of each component; cosines were seen to change by 1.2e-4 at most.
        """
        data = MAGIC + vectors.astype(np.float16).tobytes()
        try:
            write_whole(self._path(window), data + blake2b(data, digest_size=_DIGEST).digest())
        except InputError as error:
            raise InputError(
                f"{error}: what is there is kept: free some space and start the same command again"
            ) from None

    def read(self, window: Window) -> NDArray[np.float16]:
        """Shape (texts, width). Raises InputError for a file that is damaged."""
        path = self._path(window)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None
        body, digest = data[:-_DIGEST], data[-_DIGEST:]
        size = len(MAGIC) + 2 * self.width * (window.last - window.first)
        sound = len(body) == size and blake2b(body, digest_size=_DIGEST).digest() == digest
        if not sound or not body.startswith(MAGIC):
            raise InputError(f"{path}: is damaged: remove it and start the same command again")
        vectors = np.frombuffer(body, np.float16, offset=len(MAGIC))
        return vectors.reshape(-1, self.width)

    def _path(self, window: Window) -> Path:
        return self._folder / f"{window.name}.f16"
