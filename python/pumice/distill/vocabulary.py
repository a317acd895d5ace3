"""The vocabulary of the new model: which of the teacher's tokens stay, which words come in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumice.distill.options import check_unicode
from pumice.distill.tokenizer_json import (
    NewWord,
    Phrase,
    load_tokenizer,
    needed_by_model,
    token_ids,
    unknown_token,
)
from pumice.errors import InputError


@dataclass(frozen=True)
class OwnVocabulary:
    """The user's entries, told apart into single words and phrases, duplicates left out."""

    words: tuple[NewWord, ...] = ()
    phrases: tuple[Phrase, ...] = ()


@dataclass(frozen=True)
class VocabularyFile:
    """What a vocabulary file says, and how many of its lines said nothing new."""

    entries: tuple[str, ...]
    blank: int
    repeated: int


def read_vocabulary(path: Path) -> VocabularyFile:
    """Read a vocabulary file: UTF-8, one word or phrase on each line.

    Blank lines and those that repeat an earlier one are skipped, and counted.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except OSError as error:
        raise InputError(f"{path}: the vocabulary file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the vocabulary file is not UTF-8 text: convert it") from error
    entries = tuple(dict.fromkeys(filter(None, lines)))
    if not entries:
        raise InputError(f"{path}: the vocabulary is empty: give at least one word")
    blank = lines.count("")
    return VocabularyFile(entries, blank=blank, repeated=len(lines) - blank - len(entries))


def check_entries(entries: Sequence[str]) -> None:
    """Raise InputError for entries that are no strings, empty, or there twice.

    A list that a program gives is not mended in silence; for a file, which a person wrote,
    `read_vocabulary` skips and counts.
    """
    if isinstance(entries, str):
        raise InputError("vocabulary is one string: give a sequence of words and phrases")
    if not isinstance(entries, Sequence):
        kind = type(entries).__name__
        raise InputError(f"vocabulary is of type {kind}: give a list of words and phrases")
    if not entries:
        raise InputError("the vocabulary is empty: give at least one word")
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, str):
            raise InputError(
                f"vocabulary entry {number}: a vocabulary entry must be str: {entry!r} is not"
            )
        check_unicode(entry, what=f"vocabulary entry {number}")
        if not entry.strip():
            raise InputError(f"vocabulary entry {number}: the vocabulary entry is empty: remove it")
        if entry.strip() in seen:
            before = seen[entry.strip()]
            raise InputError(
                f"vocabulary entry {number}: {entry.strip()!r} is there already ({before}): remove one"
            )
        seen[entry.strip()] = number


def own_vocabulary(
    entries: Sequence[str], *, tokenizer: dict[str, Any], taken: Sequence[str]
) -> OwnVocabulary:
    """Tell words from phrases: a word is what the pre-tokenizer leaves in one piece.

    Entries that the tokenizer spells alike ("Paris", "paris" when it lowercases), or that are
    among the ``taken`` tokens already, come in once.
    """
    reference = load_tokenizer(tokenizer)
    model = tokenizer["model"]
    longest_word = model.get("max_input_chars_per_word", 2**31)
    words: dict[str, NewWord] = {}
    phrases: dict[str, Phrase] = {}
    known = set(taken)
    for number, entry in enumerate(entries):
        text = entry.strip()
        normalized = _normalize(reference, text)
        pieces = _pre_tokenize(reference, normalized)
        if not pieces:
            raise InputError(
                f"vocabulary entry {number}: {text!r} is empty once the teacher's tokenizer has "
                "normalised it: remove it"
            )
        # Without a pre-tokenizer BPE sees the whole text as one word, and never just this one.
        splits = reference.pre_tokenizer is not None or model["type"] != "BPE"
        if len(pieces) == 1 and splits and len(pieces[0]) <= longest_word:
            if pieces[0] not in known:
                words.setdefault(pieces[0], NewWord(pieces[0], text))
        else:
            # Added tokens are normalised once more when the tokenizer loads.
            stable = _normalize(reference, normalized.strip()) == normalized.strip()
            content = normalized.strip() if stable else text
            if content not in known:
                phrases.setdefault(content, Phrase(content, text))
    return OwnVocabulary(tuple(words.values()), tuple(phrases.values()))


def _normalize(reference: Any, text: str) -> str:
    return text if reference.normalizer is None else str(reference.normalizer.normalize_str(text))


def _pre_tokenize(reference: Any, text: str) -> list[str]:
    if reference.pre_tokenizer is None:
        return [text] if text.strip() else []
    return [piece for piece, _ in reference.pre_tokenizer.pre_tokenize_str(text) if piece.strip()]


def kept_tokens(
    tokenizer: dict[str, Any], *, padding: str | None, remove_pattern: str | None
) -> list[str]:
    """List the teacher's tokens that stay, by id: all that can occur in a text.

    Of the added tokens only the unknown and the padding token stay, as in model2vec.
    """
    pattern = None if remove_pattern is None else re.compile(remove_pattern)
    stay = {unknown_token(tokenizer), padding}
    added = {entry["content"] for entry in tokenizer.get("added_tokens", [])} - stay
    tokens = token_ids(tokenizer)
    keep = {
        token
        for token in tokens
        if token in stay
        or (token not in added and not (pattern is not None and pattern.match(token)))
    }
    keep |= needed_by_model(tokenizer, keep)
    if not keep - stay:
        raise InputError(
            f"remove_pattern {remove_pattern!r} leaves no token of the teacher's vocabulary: "
            "choose a narrower one"
        )
    return [token for token in tokens if token in keep]


def seen_tokens(
    tokenizer: dict[str, Any], *, keep: Sequence[str], counts: Sequence[int], padding: str | None
) -> list[str]:
    """Drop tokens that a corpus never used, but no single character: rare words need those."""
    prefix = tokenizer["model"].get("continuing_subword_prefix") or "##"
    stay = {unknown_token(tokenizer), padding}
    seen = {
        token
        for token, count in zip(keep, counts, strict=True)
        if count > 0 or token in stay or len(token.removeprefix(prefix)) == 1
    }
    seen |= needed_by_model(tokenizer, seen)
    return [token for token in keep if token in seen]
