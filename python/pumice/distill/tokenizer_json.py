"""Edits a teacher's tokenizer.json: fewer tokens, new words and phrases, contiguous ids."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pumice.errors import MissingExtraError, ModelFileError
from pumice.vocabulary.learning import phrase_token

MODEL_TYPES = ("BPE", "Unigram", "WordLevel", "WordPiece")


@dataclass(frozen=True)
class NewWord:
    """A word to add to the vocabulary: the token as the pre-tokenizer spells it, and its text."""

    token: str
    text: str


@dataclass(frozen=True)
class Phrase:
    """Several words to match as one added token: the content to look for, and its text."""

    content: str
    text: str


def load_tokenizer(tokenizer: dict[str, Any]) -> Any:
    """Build the reference tokenizer from a parsed tokenizer.json."""
    try:
        import tokenizers
    except ImportError as error:
        raise MissingExtraError("tokenizers", "distill") from error
    return tokenizers.Tokenizer.from_str(json.dumps(tokenizer))


def prepare(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """Copy a teacher's tokenizer.json without what a static model must not do.

    Truncation, padding and special tokens around the text go. Byte-level pre-tokenizers put a
    space before the first word, as model2vec has it, so that a word is one token wherever it is.
    """
    kind = tokenizer["model"].get("type")
    if kind not in MODEL_TYPES:
        raise ModelFileError(
            f"tokenizer.json: model.type {kind!r} is not supported ({', '.join(MODEL_TYPES)} are)"
        )
    prepared = copy.deepcopy(tokenizer)
    prepared.update(truncation=None, padding=None, post_processor=None)
    _add_prefix_space(prepared.get("pre_tokenizer"))
    return prepared


def _add_prefix_space(pre_tokenizer: dict[str, Any] | None) -> None:
    if pre_tokenizer is None:
        return
    if pre_tokenizer["type"] == "ByteLevel":
        pre_tokenizer["add_prefix_space"] = True
    for member in pre_tokenizer.get("pretokenizers", []):
        _add_prefix_space(member)


def token_ids(tokenizer: dict[str, Any]) -> dict[str, int]:
    """Map every token to its id, added tokens included, ordered by id."""
    vocabulary = tokenizer["model"]["vocab"]
    if tokenizer["model"]["type"] == "Unigram":
        ids = {piece: index for index, (piece, _) in enumerate(vocabulary)}
    else:
        ids = dict(vocabulary)
    for added in tokenizer.get("added_tokens", []):
        ids.setdefault(added["content"], added["id"])
    return dict(sorted(ids.items(), key=lambda item: item[1]))


def unknown_token(tokenizer: dict[str, Any]) -> str | None:
    """Name the token that stands for what the vocabulary lacks; None if there is none."""
    model = tokenizer["model"]
    if model["type"] == "Unigram":
        unknown_id = model.get("unk_id")
        return None if unknown_id is None else str(model["vocab"][unknown_id][0])
    unknown: str | None = model.get("unk_token")
    return unknown


def needed_by_model(tokenizer: dict[str, Any], keep: Collection[str]) -> set[str]:
    """Find tokens outside ``keep`` whose removal would change how the kept ones are made.

    A BPE token is reached by merges of smaller ones, so the parts of a kept token must stay.
    With byte fallback the 256 byte tokens must stay too.
    """
    model = tokenizer["model"]
    needed: set[str] = set()
    if model.get("byte_fallback"):
        needed |= {f"<0x{byte:02X}>" for byte in range(256)} & token_ids(tokenizer).keys()
    if model["type"] == "BPE":
        kept = {*keep, *needed}
        # Merges are listed before those that build on them, so one backward pass suffices but
        # for vocabularies that were edited by hand: repeat until nothing is found.
        while (
            parts := {
                part
                for left, right in map(_merge_parts, reversed(model["merges"]))
                if left + right in kept
                for part in (left, right)
            }
            - kept
        ):
            kept |= parts
        needed |= kept - set(keep)
    return needed - set(keep)


def rebuild(
    tokenizer: dict[str, Any],
    *,
    keep: Sequence[str],
    words: Sequence[NewWord] = (),
    phrases: Sequence[Phrase] = (),
) -> dict[str, Any]:
    """Write a tokenizer.json whose ids are ``keep``, then ``words``, then ``phrases``, from 0.

    ``tokenizer`` comes from `prepare`; ``keep`` holds its unknown token and `needed_by_model`.
    """
    rebuilt = {**tokenizer, "model": dict(tokenizer["model"])}
    tokens = [*keep, *(word.token for word in words), *(phrase.content for phrase in phrases)]
    ids = {token: index for index, token in enumerate(tokens)}
    model = rebuilt["model"]
    if model["type"] == "Unigram":
        _rebuild_unigram(tokenizer, model, ids, words)
    else:
        model["vocab"] = ids
    if model["type"] == "BPE":
        model["merges"] = [
            merge
            for merge in model["merges"]
            if all(part in ids for part in (*_merge_parts(merge), "".join(_merge_parts(merge))))
        ]
        # A new word has no merges; a word found whole in the vocabulary then needs none.
        model["ignore_merges"] = bool(words) or model.get("ignore_merges", False)
    rebuilt["added_tokens"] = [
        *({**added, "id": ids[added["content"]]} for added in _added(tokenizer, keep)),
        *(phrase_token(phrase.content, ids[phrase.content]) for phrase in phrases),
    ]
    return rebuilt


def word_level(tokenizer: dict[str, Any], *, unknown: str) -> dict[str, Any]:
    """Keep the way text is normalised and split, but look whole words up: for one's own words."""
    model = {"type": "WordLevel", "vocab": {unknown: 0}, "unk_token": unknown}
    added = [entry for entry in tokenizer.get("added_tokens", []) if entry["content"] == unknown]
    return {**tokenizer, "model": model, "added_tokens": added, "decoder": None}


def _rebuild_unigram(
    tokenizer: dict[str, Any], model: dict[str, Any], ids: dict[str, int], words: Sequence[NewWord]
) -> None:
    scores: dict[str, float] = dict(tokenizer["model"]["vocab"])
    lowest = min(scores.values(), default=0.0)
    if words:
        # A new word must beat its present pieces; an unknown piece costs 10 below the lowest.
        encode = load_tokenizer(
            {**tokenizer, "added_tokens": [], "normalizer": None}
        ).model.tokenize
        for word in words:
            pieces = [piece.value for piece in encode(word.token)]
            scores[word.token] = sum(scores.get(piece, lowest - 10.0) for piece in pieces) + 0.1
    unknown = unknown_token(tokenizer)
    model["vocab"] = [[token, scores.get(token, lowest)] for token in ids]
    model["unk_id"] = None if unknown is None else ids[unknown]


def _merge_parts(merge: str | Sequence[str]) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _added(tokenizer: dict[str, Any], keep: Sequence[str]) -> list[dict[str, Any]]:
    kept = set(keep)
    entries = [entry for entry in tokenizer.get("added_tokens", []) if entry["content"] in kept]
    return sorted(entries, key=lambda entry: keep.index(entry["content"]))
