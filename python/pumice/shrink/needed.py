"""Which tokens must stay, or come in, so that every text that a tokenizer can spell stays spelled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pumice.errors import ModelFileError
from pumice.modelfile.vocabulary import model_vocabulary, tokens_by_id, unknown_id

BYTES = frozenset(f"<0x{byte:02X}>" for byte in range(256))
_SPECIAL_IDS = re.compile(r"^(cls|sep)$")


@dataclass(frozen=True)
class Needed:
    """What a vocabulary cannot do without."""

    stay: frozenset[str]
    missing: tuple[str, ...]
    """Pieces of one character that the vocabulary lacks, though its tokens hold the character: without
    them, a word that a dropped token spelled would be unknown."""


def needed_tokens(tokenizer: dict[str, Any]) -> Needed:
    """Single characters, bytes, the unknown token, and the added tokens but phrases.

    A WordLevel vocabulary needs its unknown token alone: a word that goes becomes unknown. Raises
    ModelFileError for a model that is none of WordPiece, Unigram, BPE and WordLevel.
    """
    families: dict[str, Callable[[dict[str, Any]], Needed]] = {
        "WordPiece": _wordpiece,
        "Unigram": _unigram,
        "BPE": _bpe,
        "WordLevel": lambda _: Needed(frozenset(), ()),
    }
    kind = tokenizer["model"].get("type")
    if kind not in families:
        raise ModelFileError(
            f"tokenizer.json: model.type {kind!r} cannot be shrunk ({', '.join(families)} can)"
        )
    found = families[kind](tokenizer)
    always = {added["content"] for added in _added(tokenizer) if not is_phrase(added)}
    always.update(_named_by_post_processor(tokenizer.get("post_processor")))
    unknown = unknown_id(tokenizer)
    if unknown is not None:
        always.add(tokens_by_id(tokenizer)[unknown])
    return Needed(found.stay | always, found.missing)


def is_phrase(added: dict[str, Any]) -> bool:
    """Whether an added token stands for words that are words without it too: between word boundaries.

    Other added tokens cut the text where they stand, so that their neighbours depend on them.
    """
    return bool(added.get("normalized") and added.get("single_word") and not added.get("special"))


def letters_of(tokenizer: dict[str, Any], token: str) -> list[str]:
    """The pieces of one character that spell a token of WordPiece or Unigram where it stands."""
    prefix = ""
    if tokenizer["model"].get("type") == "WordPiece":
        prefix = tokenizer["model"].get("continuing_subword_prefix", "##")
    continues = bool(prefix) and token.startswith(prefix) and len(token) > len(prefix)
    letters = token[len(prefix) :] if continues else token
    return [
        prefix + letter if continues or place else letter for place, letter in enumerate(letters)
    ]


def _wordpiece(tokenizer: dict[str, Any]) -> Needed:
    """Greedy matching never fails on a word whose every character is a piece where it stands."""
    return _told_apart(tokenizer)


def _unigram(tokenizer: dict[str, Any]) -> Needed:
    vocab = model_vocabulary(tokenizer)
    if tokenizer["model"].get("byte_fallback") and vocab.keys() >= BYTES:
        return Needed(BYTES | {token for token in vocab if len(token) == 1}, ())
    found = _told_apart(tokenizer)
    return Needed(found.stay | (BYTES & vocab.keys()), found.missing)


def _bpe(tokenizer: dict[str, Any]) -> Needed:
    """Whatever is merged was a character or a byte before, which its own token stands for."""
    model = tokenizer["model"]
    prefix = model.get("continuing_subword_prefix") or ""
    suffix = model.get("end_of_word_suffix") or ""

    def bare(token: str) -> str:
        return token.removeprefix(prefix).removesuffix(suffix) or token

    stay = {token for token in model["vocab"] if len(bare(token)) == 1}
    letters = {bare(token) for token in stay}
    # Found whole or not at all: its characters have no token that merges could begin with.
    stay |= {token for token in model["vocab"] if not set(bare(token)) <= letters}
    return Needed(frozenset(stay | (BYTES & model["vocab"].keys())), ())


def _told_apart(tokenizer: dict[str, Any]) -> Needed:
    vocab = model_vocabulary(tokenizer)
    # Added tokens are found before the model sees the text: it never matches them itself.
    added = {one["content"] for one in _added(tokenizer)}
    pieces = {p for t in vocab if t not in added for p in letters_of(tokenizer, t)}
    return Needed(frozenset(pieces & vocab.keys()), tuple(sorted(pieces - vocab.keys())))


def _added(tokenizer: dict[str, Any]) -> list[dict[str, Any]]:
    return tokenizer.get("added_tokens") or []


def _named_by_post_processor(post_processor: dict[str, Any] | None) -> Iterator[str]:
    """Tokens that BertProcessing, RobertaProcessing and TemplateProcessing put around a text."""
    if post_processor is None:
        return
    for key, value in post_processor.items():
        if _SPECIAL_IDS.match(key) and isinstance(value, (list, tuple)):
            yield str(value[0])
        elif key == "special_tokens":
            for special in value.values():
                yield from special["tokens"]
        elif key == "processors":
            for one in value:
                yield from _named_by_post_processor(one)
