"""Texts as flat token ids: tokenised once by the core, mapped from files where there are many."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.modelfile.counting import PLAIN, Counting


@dataclass(frozen=True)
class Texts:
    """Token ids of many texts, one after another."""

    ids: NDArray[np.int32]
    """In memory or mapped."""
    offsets: NDArray[np.int64]
    """(texts + 1,): where each text begins in ``ids``, and the end."""
    hashes: NDArray[np.uint64]
    """(texts,): equal for texts of the same tokens; 0 for one without tokens."""
    counting: Counting = PLAIN
    """That of the model that they are pooled by."""

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text."""
        return np.diff(self.offsets)

    def take(self, indices: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        """The ids of some texts."""
        begins, ends = self.offsets[indices].tolist(), self.offsets[indices + 1].tolist()
        return [self.ids[b:e] for b, e in zip(begins, ends, strict=True)]

    def subset(self, indices: NDArray[np.int64]) -> Texts:
        """Some texts on their own, in memory."""
        ids = np.concatenate([np.empty(0, np.int32), *self.take(indices)])
        offsets = np.concatenate(([0], self.lengths[indices].cumsum()))
        return Texts(ids, offsets, self.hashes[indices], self.counting)


class TokenMemory:
    """How many tokens all texts together may hold in memory, and where the others go."""

    def __init__(self, limit: int, folder: Path) -> None:
        self.left = limit
        self._folder = folder
        self._files: list[Path] = []

    def new_file(self) -> Path:
        """A file for one column of texts. Raises OSError where the folder cannot be made."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"tokens-{os.getpid()}-{len(self._files)}.i32"
        self._files.append(path)
        return path

    def close(self) -> None:
        """Remove the files; those that are still mapped live on until they are not."""
        for path in self._files:
            path.unlink(missing_ok=True)
        if self._files:
            with suppress(OSError):  # not empty, or never made
                self._folder.rmdir()


class TextsWriter:
    """Collects the tokens of one column of texts, in memory until that is used up, then in a file."""

    def __init__(self, memory: TokenMemory, *, counting: Counting = PLAIN) -> None:
        self._memory, self._counting = memory, counting
        self._parts: list[NDArray[np.int32]] = []
        self._lengths: list[NDArray[np.int64]] = []
        self._hashes: list[NDArray[np.uint64]] = []
        self._path: Path | None = None
        self._file: IO[bytes] | None = None

    def append(self, tokens: Sequence[Sequence[int]], *, limit: int) -> None:
        """Add texts, each cut to ``limit`` tokens. Raises InputError where the disk is full."""
        cut = [ids if len(ids) <= limit else ids[:limit] for ids in tokens]
        lengths = np.fromiter(map(len, cut), np.int64, count=len(cut))
        flat = np.fromiter(chain.from_iterable(cut), np.int32, count=int(lengths.sum()))
        ends = np.cumsum(lengths)
        begins = ends - lengths
        hashes = (
            blake2b(flat[b:e].data, digest_size=8).digest() if e > b else bytes(8)
            for b, e in zip(begins.tolist(), ends.tolist(), strict=True)
        )
        self._hashes.append(np.frombuffer(b"".join(hashes), np.uint64))
        self._lengths.append(lengths)
        self._parts.append(flat)
        self._memory.left -= len(flat)
        if self._memory.left < 0 or self._file is not None:
            self._spill()

    def finish(self) -> Texts:
        """All texts that were added."""
        offsets = np.concatenate(([0], *self._lengths)).cumsum(dtype=np.int64)
        if self._file is not None and self._path is not None:
            self._spill()
            self._file.close()
            ids: NDArray[np.int32] = np.memmap(self._path, np.int32, mode="r")
        else:
            ids = np.concatenate([np.empty(0, np.int32), *self._parts])
        hashes = np.concatenate([np.empty(0, np.uint64), *self._hashes])
        return Texts(ids, offsets, hashes, self._counting)

    def _spill(self) -> None:
        # Written, not mapped, so that a full disk is an error and not a signal that kills.
        try:
            if self._file is None:
                self._path = self._memory.new_file()
                self._file = self._path.open("wb")
            for part in self._parts:
                self._file.write(part.data)
            self._file.flush()
        except OSError as error:
            raise InputError(
                f"{self._path}: tokens cannot be kept there: {error.strerror}: free some space, "
                "or write the model to another disk"
            ) from None
        self._memory.left += sum(map(len, self._parts))
        self._parts.clear()
