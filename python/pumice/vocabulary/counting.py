"""Counts the words and runs of words of texts, split as BERT's pre-tokenizer splits them."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from pumice import _core
from pumice.errors import InputError
from pumice.modelfile.normalizers import bert_steps

LONGEST_WORD = 100
"""Characters; WordPiece makes an unknown token of a longer one."""
_MOST_WORDS, _MOST_RUNS = 4_000_000, 16_000_000
_LONGEST_RUN = 3
_CHINESE = (
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b73f"
    "\U0002b740-\U0002b81f\U0002b820-\U0002ceaf\U0002f800-\U0002fa1f"
)
"""What the normalizer puts spaces around: each is a word alone, and a run of them is no phrase."""

_TIES = ("'", "\u2019", "-")


@dataclass
class Counts:
    """How often words, and runs of two and three of them, occur."""

    words: Counter[str] = field(default_factory=Counter)
    """Punctuation too, one character a word; none longer than WordPiece takes."""
    runs: Counter[str] = field(default_factory=Counter)
    """Words with one space between."""
    texts: int = 0

    @property
    def total(self) -> int:
        """Words in all."""
        return self.words.total()


def count_texts(texts: Iterable[str], *, normalizer: Mapping[str, Any], runs: bool) -> Counts:
    """Read texts once, in bounded memory; InputError for what is no text.

    ``normalizer`` is the BertNormalizer of a tokenizer.json. Past some millions of different words or runs
    the rarest are forgotten, as word2vec does it.
    """
    normalize = partial(_core.normalize, bert_steps(dict(normalizer)))
    word, run = _patterns()
    counts = Counts()
    for number, text in enumerate(_checked(texts)):
        normalized = normalize(text.encode()).decode()
        counts.words.update(w for w in word.findall(normalized) if len(w) <= LONGEST_WORD)
        if runs:
            for found in run.finditer(normalized):
                counts.runs.update(_runs(_whole(found, normalized)))
        counts.texts += 1
        if number % 1024 == 0:
            _forget(counts.words, most=_MOST_WORDS)
            _forget(counts.runs, most=_MOST_RUNS)
    if not counts.words:
        raise InputError("the corpus holds no words to learn a vocabulary from: give texts")
    return counts


def _checked(texts: Iterable[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"corpus text {number} is of type {type(text).__name__}: give str")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"corpus text {number} holds a lone surrogate at character {error.start}, which UTF-8 "
                "cannot carry: remove it"
            ) from None
        yield text


def _whole(found: re.Match[str], text: str) -> list[str]:
    """Its words but those that an apostrophe or a hyphen ties to what is beside them: "i don" of "I don't"."""
    words = found[0].split(" ")
    begin = int(found.start() > 0 and text[found.start() - 1] in _TIES)
    end = len(words) - int(text[found.end() : found.end() + 1] in _TIES)
    return words[begin:end]


def _runs(words: list[str]) -> Iterator[str]:
    for length in range(2, _LONGEST_RUN + 1):
        for begin in range(len(words) - length + 1):
            part = words[begin : begin + length]
            if all(len(one) <= LONGEST_WORD for one in part):
                yield " ".join(part)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A word, and a run of words with one space between and nothing else."""
    marks = "".join(
        re.escape(chr(point))
        for point in range(sys.maxunicode + 1)
        if (chr(point).isascii() and chr(point).isprintable() and not chr(point).isalnum())
        or unicodedata.category(chr(point)).startswith("P")
    ).replace("\\ ", "")
    letter = rf"[^\s{marks}]"
    plain = rf"[^\s{marks}{_CHINESE}]"
    return (
        re.compile(rf"{letter}+|[{marks}]"),
        re.compile(rf"(?<![^\s{marks}{_CHINESE}]){plain}+(?: {plain}+)+"),
    )


def _forget(counter: Counter[str], *, most: int) -> None:
    floor = 1
    while len(counter) > most:
        rare = [key for key, count in counter.items() if count <= floor]
        for key in rare:
            del counter[key]
        floor += 1
