"""Learns WordPiece sub-words from counted words, the same ones on every run.

The trainer is that of the ``tokenizers`` library: merges of the most frequent pair, kept as WordPiece.
By itself it numbers characters in the order of a randomly seeded hash table, and ties between merges fall
to the smaller number; so every character's token is given to it first, in a fixed order.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pumice.errors import InputError, MissingExtraError

PREFIX = "##"
UNKNOWN = "[UNK]"
_FED = 50_000_000  # words at most; beyond it counts are divided
_BATCH = 1000
_LEAST = 2  # occurrences of a merge
_RARE = 5  # a character below this is spelled only if there is room for half of the size


def learn_subwords(words: Counter[str], *, size: int) -> list[str]:
    """``size`` WordPiece tokens in order: [UNK], characters, merges as they were found.

    Raises InputError where the words support fewer, or where their characters alone are more.
    """
    tokens = _trained(words, _characters(words, size=size), size=size)
    if len(tokens) < size:
        # With fewer asked for there is less room for rare characters: what is left then is certain.
        certain = len(_trained(words, _characters(words, size=0), size=size))
        raise InputError(
            f"the corpus supports {certain} characters and sub-words and {size} are asked for: ask for "
            "at most that, or give more texts"
        )
    return tokens


def _characters(words: Counter[str], *, size: int) -> list[str]:
    """Single characters, at the beginning of a word and within, by falling count, then by themselves.

    All that occur 5 times, the others while they fill less than half of ``size``.
    """
    counts: Counter[str] = Counter()
    for word, count in words.items():
        counts[word[0]] += count
        for one in word[1:]:
            counts[PREFIX + one] += count
            counts[one] += 0  # a word of another text may begin with it
    ordered = sorted(counts, key=lambda token: (-counts[token], token))
    common = [token for token in ordered if counts[token] >= _RARE] or ordered
    if len(common) >= size > 0:
        raise InputError(
            f"the characters of the corpus alone are {len(common)} tokens, and {size} are asked for: ask "
            f"for more than {len(common)}"
        )
    return ordered[: max(len(common), size // 2)]


def _trained(words: Counter[str], characters: list[str], *, size: int) -> list[str]:
    """At most ``size`` tokens, learned from the words that the characters spell."""
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    except ImportError as error:
        raise MissingExtraError("tokenizers", "train") from error
    known = set(characters)
    spelled = {
        word: count
        for word, count in sorted(words.items())
        if word[0] in known and all(PREFIX + one in known for one in word[1:])
    }
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    first = [UNKNOWN, *characters]
    # The trainer adds every character's form at the beginning of a word: those without room go again.
    added = {one for word in spelled for one in word}.difference(characters)
    trainer = trainers.WordPieceTrainer(
        vocab_size=size + len(added),
        min_frequency=_LEAST,
        show_progress=False,
        special_tokens=first,
        continuing_subword_prefix=PREFIX,
    )
    tokenizer.train_from_iterator(_fed(spelled), trainer)
    vocabulary: dict[str, Any] = json.loads(tokenizer.to_str())["model"]["vocab"]
    return sorted(vocabulary.keys() - added, key=vocabulary.__getitem__)[:size]


def _fed(words: dict[str, int]) -> Iterator[list[str]]:
    """Lines that hold each word as often as it was counted, or in proportion."""
    unit = -(-sum(words.values()) // _FED)
    held: list[str] = []
    for word, count in words.items():
        times = -(-count // unit)
        while times:
            held.append(f"{word} " * min(times, _BATCH))
            times -= min(times, _BATCH)
        if len(held) >= _BATCH:
            yield held
            held = []
    yield held
