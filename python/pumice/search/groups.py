"""Batches embedded several at a time: a thread that embeds asks for the interpreter less often then."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from pumice.search.incoming import Batch

_MOST = 32  # batches
_MOST_CHARACTERS = 8_000_000
_SOON = 0.1  # seconds: what is given or embedded more slowly than this is not kept waiting


class Groups:
    """Lists of batches, longer and longer while their source and `told` say that they come fast."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        """`batches` are read when a group is asked for; one that fails comes after those before it."""
        self._batches = batches
        self._size = 1

    def told(self, seconds: float) -> None:
        """How long a group took to embed."""
        if seconds < _SOON:
            self._size = min(2 * self._size, _MOST)
        else:
            self._size = max(self._size // 2, 1)

    def __iter__(self) -> Iterator[list[Batch]]:
        """Each batch in its turn."""
        group: list[Batch] = []
        characters = 0
        begun = time.monotonic()
        try:
            for batch in self._batches:
                group.append(batch)
                characters += sum(map(len, batch.texts))
                slow = time.monotonic() - begun > _SOON
                if len(group) >= self._size or slow or characters > _MOST_CHARACTERS:
                    yield group
                    group, characters, begun = [], 0, time.monotonic()
        except Exception:  # whatever a caller's source raises: what came before it is stored first
            if group:
                yield group
            raise
        if group:
            yield group
