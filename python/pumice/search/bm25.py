"""BM25 of a text's words as a sparse vector: the text's half here, the collection's (IDF) in the engine.

Robertson and Zaragoza 2009. The words are the same in every language: lower case, Latin letters
without their accents, names in code taken apart (readJson, read_json), pairs of characters where a
script does not space its words or glues particles to them (Chinese, Japanese, Korean, Thai, Khmer,
Lao, Burmese). ASCII words lose English endings (Snowball), and English stop words are left out.
"""

from __future__ import annotations

import re
import threading
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice import _core
from pumice.errors import MissingExtraError
from pumice.search.home import Terms
from pumice.search.points import TermRows
from pumice.search.stop_words import STOP_WORDS

K1, B = 1.2, 0.75
AVERAGE_LENGTH = 64
"""Words of an average passage: a constant, so that a text's vector does not depend on the others."""
_CACHED = 1 << 20
# Combining marks that are part of a word, where Python's \w ends: Latin, Cyrillic, Hebrew, Arabic,
# the scripts of India, Tibetan.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0900-\u0963\u0966-\u0dff\u0f71-\u0f84"
)
_UNSPACED = (
    "\u0e01-\u0e4e\u0e80-\u0edf\u1000-\u109f\u1780-\u17d3\u1100-\u11ff\u3005-\u3007\u3040-\u30ff"
    "\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_UNSPACED}]+|(?:(?![{_UNSPACED}])(?:[^\W_]|[{_MARKS}]))+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Words:
    """Words to numbers, remembered. Threads may share it."""

    def __init__(self) -> None:
        self._numbers: dict[str, tuple[int, ...]] = {}
        self._stem = stemmer()
        self._stemming = threading.Lock()  # a stemmer is not for two threads at a time
        self._runs = _core.RunTable()
        self._counting = threading.Lock()

    def documents(self, texts: Sequence[str]) -> TermRows:
        """The terms of texts that are stored, weighted by how often and in how long a text they come.

        The core cuts texts into runs of letters, whose words are read here once. InputError for a
        lone surrogate.
        """
        with self._counting:
            return TermRows(*self._runs.read(texts, self._read_runs, K1, B, AVERAGE_LENGTH))

    def query(self, text: str) -> Terms:
        """The terms of a question, each once."""
        numbers = np.fromiter(dict.fromkeys(self._terms(text)), np.uint32)
        return Terms(numbers, np.ones(len(numbers), np.float32))

    def _read_runs(self, runs: list[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        plain = [run for run in runs if _is_plain(run)]
        words = [run.lower() for run in plain]
        with self._stemming:
            stems = self._stem.stemWords(words)
        known = {
            run: [] if word in STOP_WORDS else [_number(stem)]
            for run, word, stem in zip(plain, words, stems, strict=True)
        }
        found = [known[run] if run in known else self._read_run(run) for run in runs]
        counts = np.fromiter(map(len, found), np.int64, count=len(found))
        return np.fromiter(chain.from_iterable(found), np.uint32, count=counts.sum()), counts

    def _read_run(self, run: str) -> list[int]:
        return [_number(term) for word in _words(run) for term in self._read(word)]

    def _terms(self, text: str) -> Iterator[int]:
        numbers = self._numbers
        for word in _words(text):
            known = numbers.get(word)
            if known is None:
                if len(numbers) >= _CACHED:
                    numbers.clear()
                known = numbers[word] = tuple(map(_number, self._read(word)))
            yield from known

    def _read(self, word: str) -> list[str]:
        if word in STOP_WORDS:
            return []
        if _IS_UNSPACED.match(word):
            word = unicodedata.normalize("NFKC", word)
            return [word[at : at + 2] for at in range(len(word) - 1)] or [word]
        if not word.isascii():
            word = unicodedata.normalize("NFKD", word)
            word = "".join(letter for letter in word if not "\u0300" <= letter <= "\u036f")
            word = unicodedata.normalize("NFC", word)
        if not word.isascii():
            return [word]
        with self._stemming:
            return [str(self._stem.stemWord(word))]


def stemmer() -> Any:
    """Snowball's English stemmer; MissingExtraError where it is not installed."""
    try:
        import Stemmer
    except ImportError:
        raise MissingExtraError("PyStemmer", "search") from None
    return Stemmer.Stemmer("english", 0)


def _is_plain(run: str) -> bool:
    """Whether a run of letters is one ASCII word, without capitals but for the first letter."""
    rest = run[1:]
    return run.isascii() and (not rest or rest.islower() or rest.isdigit())


def _words(text: str) -> list[str]:
    words: list[str] = _WORD.findall(_HUMP.sub(" ", text).lower())
    return words


def _number(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "replace"))
