"""A tokenizer.json in the teacher's place: each of its tokens spelled in the teacher's ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pumice.distill.options import DistillOptions
from pumice.distill.tokenizer_json import load_tokenizer, token_ids, unknown_token
from pumice.errors import InputError
from pumice.modelfile.vocabulary import damage_named, tokens_by_id


def check_replacement(tokenizer: Mapping[str, Any], *, options: DistillOptions) -> None:
    """Raise InputError or ModelFileError for what cannot take the place of a teacher's tokenizer.json."""
    with damage_named():
        tokens_by_id(dict(tokenizer))
        kind = tokenizer["model"].get("type")
    if kind != "WordPiece":
        raise InputError(
            f"vocabulary is a tokenizer.json of {kind}: give one of WordPiece, as learn_vocabulary makes"
        )
    if options.remove_unseen:
        raise InputError("remove_unseen has no use with a whole vocabulary: leave it out")
    if not options.teacher_vocabulary:
        raise InputError(
            "teacher_vocabulary has no use with a whole vocabulary, which leaves none of the teacher's: "
            "leave it out"
        )


def spelled_tokens(tokenizer: dict[str, Any], *, teacher: dict[str, Any]) -> list[list[int]]:
    """Spell every token of a WordPiece tokenizer.json in the teacher's ids, without special tokens.

    A token that a WordPiece teacher has, or spells within a word by such tokens, stays what it is; any
    other is a text of its own. The unknown token is the teacher's, and one that nothing spells is too.
    """
    ids = token_ids(teacher)
    unknown = ids.get(unknown_token(teacher) or "", 0)
    prefix = tokenizer["model"].get("continuing_subword_prefix", "##")
    inner = teacher["model"].get("continuing_subword_prefix", "##")
    wordpiece = teacher["model"]["type"] == "WordPiece"
    reference = load_tokenizer({**teacher, "truncation": None, "padding": None})
    pieces: list[list[int]] = []
    for token in tokens_by_id(tokenizer):
        if token == unknown_token(tokenizer):
            pieces.append([unknown])
            continue
        within = token.startswith(prefix) and len(token) > len(prefix)
        text = token.removeprefix(prefix) if within else token
        found = _continued(text, ids, prefix=inner) if within and wordpiece else []
        if not found:
            found = reference.encode(text, add_special_tokens=False).ids
        pieces.append(found or [unknown])
    return pieces


def _continued(text: str, ids: dict[str, int], *, prefix: str) -> list[int]:
    """What greedy WordPiece makes of the rest of a word; empty where the vocabulary does not reach."""
    found: list[int] = []
    while text:
        length = next((n for n in range(len(text), 0, -1) if prefix + text[:n] in ids), 0)
        if not length:
            return []
        found.append(ids[prefix + text[:length]])
        text = text[length:]
    return found
