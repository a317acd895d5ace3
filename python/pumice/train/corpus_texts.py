"""A corpus as a training reads it: each text once, cut, tokenised, in windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.model import StaticModel
from pumice.train.corpus import read_documents
from pumice.train.teacher_vectors import Window, cut_into_windows, window_name
from pumice.train.tokens import Texts, TextsWriter, TokenMemory

_BATCH = 8192
_CHARACTERS = 32  # of a text for each token read: no teacher's tokens are longer on average


@dataclass(frozen=True)
class CorpusTexts:
    """Every different text of a corpus in its order; strings are read again where they are needed."""

    texts: Texts
    windows: list[Window]
    digest: str
    """Hex, of all texts."""
    duplicates: int


def longest_of(max_tokens: int) -> int:
    """Characters of a text that can matter where so many tokens are read."""
    return _CHARACTERS * max_tokens


def document_texts(paths: object, *, columns: Mapping[str, str], max_tokens: int) -> Iterator[str]:
    """A corpus's texts. A title is one of its own, where it is not that of the document before."""
    longest, title = longest_of(max_tokens), ""
    for document in read_documents(paths, columns=columns):
        if document.title and document.title != title:
            yield document.title[:longest]
        title = document.title
        yield document.text[:longest]


def text_hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Eight bytes of each."""
    digests = b"".join(blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, "<u8")


def distinct_texts(strings: Iterator[str]) -> Iterator[tuple[list[str], NDArray[np.uint64], int]]:
    """Batches of texts that have not come before, with their hashes and how many had come before."""
    seen = _Seen()
    while batch := list(islice(strings, _BATCH)):
        hashes = text_hashes(batch)
        fresh = seen.add(hashes)
        yield [batch[index] for index in fresh], hashes[fresh], len(batch) - len(fresh)


def tokenize_corpus(
    strings: Iterator[str], model: StaticModel, *, max_tokens: int, memory: TokenMemory
) -> CorpusTexts:
    """Read a corpus once. Raises InputError for what is none."""
    writer = TextsWriter(memory, counting=model.parts().counting)
    hashes, duplicates = [], 0
    for texts, fresh, repeated in distinct_texts(strings):
        writer.append(model.tokenize(texts), limit=max_tokens)
        hashes.append(fresh)
        duplicates += repeated
    every = np.concatenate(hashes)
    digest = blake2b(every.tobytes(), digest_size=16).hexdigest()
    return CorpusTexts(writer.finish(), cut_into_windows(every), digest, duplicates)


def strings_of(strings: Iterator[str], windows: list[Window]) -> Iterator[tuple[Window, list[str]]]:
    """The texts of some windows, ascending. Raises InputError where the corpus is no longer what it was."""
    batches = distinct_texts(strings)
    held: list[str] = []
    hashes: NDArray[np.uint64] = np.empty(0, np.uint64)
    position = 0  # of the first text held
    for window in windows:
        while position + len(held) < window.last:
            batch = next(batches, None)
            if batch is None:
                raise _changed()
            held, hashes = [*held, *batch[0]], np.concatenate((hashes, batch[1]))
            drop = min(max(0, window.first - position), len(held))
            held, hashes, position = held[drop:], hashes[drop:], position + drop
        first, last = window.first - position, window.last - position
        if window_name(hashes[first:last]) != window.name:
            raise _changed()
        yield window, held[first:last]


def _changed() -> InputError:
    return InputError("the corpus changed while it was read: start the same command again")


class _Seen:
    """Hashes that have come before, eight bytes each: sorted arrays, each at least twice the next."""

    def __init__(self) -> None:
        self._arrays: list[NDArray[np.uint64]] = []

    def add(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Positions of those that are new, ascending, the first of equal ones."""
        unique, first = np.unique(hashes, return_index=True)
        for array in self._arrays:
            places = np.minimum(np.searchsorted(array, unique), len(array) - 1)
            new = array[places] != unique
            unique, first = unique[new], first[new]
        if len(unique):
            self._arrays.append(unique)
        while len(self._arrays) > 1 and len(self._arrays[-2]) < 2 * len(self._arrays[-1]):
            last = self._arrays.pop()
            self._arrays[-1] = np.sort(np.concatenate((self._arrays[-1], last)))
        return np.sort(first)
