"""Which tokenizer.json the core runs itself (BERT's WordPiece), and the tries it runs it with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pumice import _core
from pumice.errors import ModelFileError
from pumice.modelfile.vocabulary import model_vocabulary, unknown_id

MAX_WORD_CHARS = 1024
MAX_TOKEN_BYTES = 1024
NO_NODE = 0xFFFFFFFF


@dataclass(frozen=True)
class NativeWordPiece:
    """What the core needs to tokenise: parameters and the bytes of two sections."""

    normalizer_flags: int
    max_word_chars: int
    continuation_node: int
    trie: bytes
    added_tokens: bytes


def why_not_native(tokenizer: dict[str, Any]) -> str | None:
    """Why the core cannot run this tokenizer itself, or None if it can.

    Everything that the core does not run exactly is left to the ``tokenizers`` library.
    """
    model = tokenizer["model"]
    kind = model.get("type")
    if kind != "WordPiece":
        return f"model.type is {kind} (the core runs WordPiece)"
    for part, wanted in (("normalizer", "BertNormalizer"), ("pre_tokenizer", "BertPreTokenizer")):
        found = (tokenizer.get(part) or {}).get("type")
        if found != wanted:
            return f"{part}.type is {found} (the core runs {wanted})"
    truncation = tokenizer.get("truncation") or {}
    if (
        truncation.get("direction", "Right") != "Right"
        or truncation.get("strategy") == "OnlySecond"
    ):
        return "truncation does not keep the beginning of the text"
    for added in tokenizer.get("added_tokens") or []:
        for flag in ("single_word", "lstrip", "rstrip", "normalized"):
            if added.get(flag):
                return f'added token "{added["content"]}" sets {flag}'
        if "\0" in added["content"]:
            return f"added token {added['id']} holds a NUL"
    if unknown_id(tokenizer) is None or model["unk_token"] not in model["vocab"]:
        return f'the unknown token "{model.get("unk_token")}" is not in the vocabulary'
    if not 1 <= model.get("max_input_chars_per_word", 100) <= MAX_WORD_CHARS:
        return f"max_input_chars_per_word is not between 1 and {MAX_WORD_CHARS}"
    longest = max(
        map(
            len,
            map(
                encoded,
                [*model["vocab"], *(a["content"] for a in tokenizer.get("added_tokens") or [])],
            ),
        )
    )
    if longest > MAX_TOKEN_BYTES:
        return f"a token has {longest} bytes (the core finds up to {MAX_TOKEN_BYTES})"
    keeps_nul = not tokenizer["normalizer"].get("clean_text", True)
    if keeps_nul and any("\0" in token for token in model["vocab"]):
        return "a token holds a NUL and the normalizer keeps NUL"
    return None


def compile_wordpiece(tokenizer: dict[str, Any]) -> NativeWordPiece:
    """Build the run-time structures of a tokenizer for which ``why_not_native`` is None."""
    model, normalizer = tokenizer["model"], tokenizer["normalizer"]
    lowercase = bool(normalizer.get("lowercase", True))
    strip_accents = normalizer.get("strip_accents")
    flags = (
        bool(normalizer.get("clean_text", True)),
        bool(normalizer.get("handle_chinese_chars", True)),
        lowercase if strip_accents is None else bool(strip_accents),
        lowercase,
    )
    trie = double_array(model_vocabulary(tokenizer))
    node = walk(trie, encoded(model.get("continuing_subword_prefix", "##")))
    added = {a["content"]: a["id"] for a in tokenizer.get("added_tokens") or [] if a["content"]}
    return NativeWordPiece(
        normalizer_flags=sum(flag << bit for bit, flag in enumerate(flags)),
        max_word_chars=int(model.get("max_input_chars_per_word", 100)),
        continuation_node=NO_NODE if node is None else node,
        trie=trie,
        added_tokens=double_array(added) if added else b"",
    )


def encoded(token: str) -> bytes:
    """A token as UTF-8; ModelFileError for lone surrogates."""
    try:
        return token.encode()
    except UnicodeEncodeError:
        raise ModelFileError(
            f"tokenizer.json: token {token!r} holds a lone surrogate, which UTF-8 cannot carry"
        ) from None


def double_array(tokens: dict[str, int]) -> bytes:
    """The trie of a vocabulary. Empty tokens, and those with a NUL, match no text and are left out."""
    keys = sorted((encoded(t), i) for t, i in tokens.items() if t and "\0" not in t)
    if not keys:
        raise ModelFileError("tokenizer.json: the vocabulary holds no token that text could match")
    return _core.double_array([key for key, _ in keys], [index for _, index in keys])


def walk(trie: bytes, key: bytes) -> int | None:
    """The node of a double array that ``key`` leads to from the root, or None."""
    units = memoryview(trie).cast("I")
    node = 0
    for byte in key:
        child = (units[2 * node] & 0x7FFFFFFF) ^ byte
        if 2 * child + 1 >= len(units) or units[2 * child + 1] != node:
            return None
        node = child
    return node
