"""Pre-tokenizers cut as those of Hugging Face tokenizers, seen through a model that spells the pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, product
from typing import Any

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from tokenizers.pre_tokenizers import PreTokenizer

import pumice
from pumice.modelfile.pre_tokenizers import BEHAVIORS, PATTERNS
from tests.parity import small_tokenizers as small
from tests.parity import texts
from tests.parity.test_token_ids import assert_same_ids, parts_of, shortest

NAMES = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
APOSTROPHES = "'\u2019\u02bc\uff07`\u00b4\u0149"
CONTRACTIONS = ("s", "t", "re", "ve", "m", "ll", "d")
LONG_S = "\u017f"


def splits() -> dict[str, PreTokenizer]:
    """Every pre-tokenizer that the core runs, alone, with every parameter."""
    pre = pre_tokenizers
    found = {
        "bert": pre.BertPreTokenizer(),
        "whitespace": pre.Whitespace(),
        "whitespace_split": pre.WhitespaceSplit(),
        "digits": pre.Digits(individual_digits=False),
        "digits_individual": pre.Digits(individual_digits=True),
        "delimiter": pre.CharDelimiterSplit("a"),
        **{f"punctuation_{name}": pre.Punctuation(name) for name in NAMES},
    }
    for name, invert in product(NAMES, (False, True)):
        for pattern in ("a", " ", "ab", "aa", ".*", "\ud55c", "\0"):
            found[f"literal_{pattern!a}_{name}_{invert}"] = pre.Split(pattern, name, invert=invert)
        for number, pattern in enumerate(PATTERNS):
            split = pre.Split(Regex(pattern), name, invert=invert)
            found[f"pattern_{number}_{name}_{invert}"] = split
    found["sequence"] = pre.Sequence(
        [pre.WhitespaceSplit(), pre.Sequence([pre.Punctuation(), pre.Digits(True)])]
    )
    return found


SPLITS = splits()
CHEAP = (
    "bert",
    "whitespace",
    "whitespace_split",
    "digits",
    "punctuation_isolated",
    "digits_individual",
)
PATTERN_SPLITS = [f"pattern_{number}_isolated_False" for number in range(len(PATTERNS))]


class SamePieces:
    """Compares pieces. WordLevel keeps one id a piece, so its vocabulary is the very pieces to expect."""

    def __init__(self, split: PreTokenizer) -> None:
        self.split = split

    def check(self, corpus: Iterable[str]) -> None:
        rest = iter(corpus)
        while batch := list(islice(rest, 20_000)):
            expected = [[piece for piece, _ in self.split.pre_tokenize_str(text)] for text in batch]
            vocab = {"[UNK]": 0}
            for piece in (piece for pieces in expected for piece in pieces):
                vocab.setdefault(piece, len(vocab))
            # Were a piece cut in the wrong place, one of the two ends would be another word.
            found = self.model(vocab).tokenize(batch)
            wanted = [[vocab[piece] for piece in pieces] for pieces in expected]
            if found != wanted:
                self.fail(next(t for t, a, b in zip(batch, found, wanted, strict=True) if a != b))

    def model(self, vocab: dict[str, int]) -> pumice.StaticModel:
        tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = self.split
        model = pumice.StaticModel.from_parts(parts_of(small.as_json(tokenizer)))
        assert model.metadata["tokenizer"]["native"], model.metadata["tokenizer"]["reason"]
        return model

    def fail(self, text: str) -> None:
        def differs(text: str) -> bool:
            pieces = [piece for piece, _ in self.split.pre_tokenize_str(text)]
            vocab = {piece: i for i, piece in enumerate(dict.fromkeys(["[UNK]", *pieces]))}
            return self.model(vocab).tokenize(text) != [vocab[piece] for piece in pieces]

        text = shortest(text, differs)
        pytest.fail(f"{text[:300]!a}: {self.split.pre_tokenize_str(text)[:20]!a}")


def around(points: Iterable[int]) -> Iterator[str]:
    """Each code point alone, and among a letter, a digit, a mark, white space and apostrophes."""
    for char in map(chr, points):
        yield from (
            char,
            f"a{char}1{char}. {char} {char}{char}\n {char}",
            f"'{char}x 'l{char}'{char}e",
        )


def apostrophe_texts() -> Iterator[str]:
    """Contractions in every case, after every apostrophe, and what almost is one."""
    endings = [*CONTRACTIONS, LONG_S, "l", "r", "v", "e", "L" + LONG_S, "R\u00c9", "\u212a", ""]
    for mark, ending, after in product(APOSTROPHES, endings, ("", "x", "1", " ", "'", "\n")):
        for written in {ending, ending.upper(), ending.title(), ending[::-1]}:
            yield f"it{mark}{written}{after} {mark}{written}{after}"
    letters = [chr(ranges[0][0] + 3) for ranges in texts.SCRIPTS.values()]
    for mark, letter in product(APOSTROPHES, letters):
        yield f"{letter}{mark}s {letter}{mark}{letter} {mark}{letter}{mark}"


def space_texts() -> Iterator[str]:
    """White space, letters, digits and marks in all arrangements of length 5."""
    yield from map("".join, product(" \n\r\u00a0a1.'", repeat=4))
    yield from map("".join, product(" \na.", repeat=6))


@pytest.fixture(scope="module")
def sample() -> list[str]:
    hostile = [text for text in texts.hostile_texts().values() if len(text) < 20_000]
    return [*hostile, *texts.random_texts(300, seed=12), *apostrophe_texts()]


@pytest.mark.parametrize("name", SPLITS)
def test_splits(sample: list[str], name: str) -> None:
    SamePieces(SPLITS[name]).check(sample)


@pytest.mark.parametrize("name", [*CHEAP, *PATTERN_SPLITS])
def test_code_points_sampled(name: str) -> None:
    SamePieces(SPLITS[name]).check(around(texts.telling_points()[::5]))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CHEAP, *PATTERN_SPLITS])
def test_code_points_all(name: str) -> None:
    SamePieces(SPLITS[name]).check(around(texts.SCALARS))


@pytest.mark.parametrize("name", PATTERN_SPLITS)
def test_white_space(name: str) -> None:
    SamePieces(SPLITS[name]).check(space_texts())


@pytest.mark.parametrize("name", [*CHEAP, *PATTERN_SPLITS])
def test_long_runs(name: str) -> None:
    runs = ("a", "1", " ", "\n", "\r\n ", "'", ".", "\u4e2d", "'s", " a", "\0")
    SamePieces(SPLITS[name]).check(run * (100_000 // len(run)) for run in runs)


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("regex", [False, True])
@pytest.mark.parametrize("before", [None, "Digits", "WhitespaceSplit", "Whitespace"])
def test_byte_level(sample: list[str], before: str | None, regex: bool, prefix: bool) -> None:
    split: Any = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)
    if before is not None:
        split = pre_tokenizers.Sequence([getattr(pre_tokenizers, before)(), split])
    SamePieces(split).check(sample)


@pytest.mark.parametrize(
    ("split", "reason"),
    [
        (pre_tokenizers.Split(Regex("a+"), "removed"), "a+"),
        (pre_tokenizers.Split("", "removed"), "empty"),
        (pre_tokenizers.UnicodeScripts(), "UnicodeScripts"),
        (
            pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(), pre_tokenizers.Digits()]),
            "ByteLevel is not the last",
        ),
    ],
)
def test_what_the_core_does_not_run(sample: list[str], split: PreTokenizer, reason: str) -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = split
    parts = parts_of(small.as_json(tokenizer))
    assert reason in pumice.StaticModel.from_parts(parts).metadata["tokenizer"]["reason"]
    assert_same_ids(parts, sample[:100], native=False)


def test_every_behavior_is_tried() -> None:
    assert len(BEHAVIORS) == len(NAMES)
