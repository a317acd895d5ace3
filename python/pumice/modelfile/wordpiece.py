"""BERT's WordPiece: what of it the core runs, and the tries it runs it with."""

from __future__ import annotations

from typing import Any

from pumice import _core
from pumice.errors import ModelFileError
from pumice.modelfile.container import Kind
from pumice.modelfile.native import NO_NODE, WORDPIECE, NativeTokenizer, NotNativeError
from pumice.modelfile.vocabulary import model_vocabulary, unknown_id

MAX_WORD_CHARS = 1024


def check_wordpiece(tokenizer: dict[str, Any]) -> None:
    """Raise NotNativeError for a WordPiece tokenizer that is not BERT's."""
    model = tokenizer["model"]
    for part, wanted in (("normalizer", "BertNormalizer"), ("pre_tokenizer", "BertPreTokenizer")):
        found = (tokenizer.get(part) or {}).get("type")
        if found != wanted:
            raise NotNativeError(f"{part}.type is {found} (with WordPiece the core runs {wanted})")
    if unknown_id(tokenizer) is None or model["unk_token"] not in model["vocab"]:
        unknown = model.get("unk_token")
        raise NotNativeError(f'the unknown token "{unknown}" is not in the vocabulary')
    if not 1 <= model.get("max_input_chars_per_word", 100) <= MAX_WORD_CHARS:
        raise NotNativeError(f"max_input_chars_per_word is not between 1 and {MAX_WORD_CHARS}")
    keeps_nul = not tokenizer["normalizer"].get("clean_text", True)
    if keeps_nul and any("\0" in token for token in model["vocab"]):
        raise NotNativeError("a token holds a NUL and the normalizer keeps NUL")


def compile_wordpiece(tokenizer: dict[str, Any]) -> NativeTokenizer:
    """Build the run-time structures, or raise NotNativeError."""
    check_wordpiece(tokenizer)
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
    return NativeTokenizer(
        WORDPIECE,
        normalizer_flags=sum(flag << bit for bit, flag in enumerate(flags)),
        max_word_chars=int(model.get("max_input_chars_per_word", 100)),
        continuation_node=NO_NODE if node is None else node,
        sections={Kind.VOCABULARY: trie, **added_token_sections(tokenizer)},
    )


def added_token_sections(tokenizer: dict[str, Any]) -> dict[Kind, bytes]:
    """The trie of added tokens; NotNativeError for those whose flags the core does not follow."""
    for added in tokenizer.get("added_tokens") or []:
        for flag in ("single_word", "lstrip", "rstrip", "normalized"):
            if added.get(flag):
                raise NotNativeError(f'added token "{added["content"]}" sets {flag}')
        if "\0" in added["content"]:
            raise NotNativeError(f"added token {added['id']} holds a NUL")
    added = {a["content"]: a["id"] for a in tokenizer.get("added_tokens") or [] if a["content"]}
    return {Kind.ADDED_TOKENS: double_array(added)} if added else {}


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
