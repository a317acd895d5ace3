"""The tries of added tokens, by where they are looked for, with how each matches (docs/format.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pumice.modelfile.container import Kind
from pumice.modelfile.native_tokenizer import NotNativeError
from pumice.modelfile.trie import build_trie, encoded

MAX_KEY = 1024
"""Bytes of the longest added token that the core finds, which bounds its work per byte of text."""
FLAGS = {"single_word": 1 << 24, "lstrip": 1 << 25, "rstrip": 1 << 26}


def added_token_sections(
    tokenizer: dict[str, Any], *, normalize: Callable[[bytes], bytes]
) -> dict[Kind, bytes]:
    """The sections of added tokens.

    Tokens that are ``normalized`` are looked for in normalised text, and written as ``normalize`` makes them.
    """
    tries: dict[Kind, dict[bytes, int]] = {Kind.ADDED_TOKENS: {}, Kind.NORMALIZED_TOKENS: {}}
    for added in tokenizer.get("added_tokens") or []:
        key, kind = encoded(added["content"]), Kind.ADDED_TOKENS
        if not key:
            continue
        if added.get("normalized"):
            key, kind = normalized(key, normalize), Kind.NORMALIZED_TOKENS
        if not key or key in tries[kind]:
            raise NotNativeError(
                f'added token "{added["content"]}" is normalised to another or nothing'
            )
        if len(key) > MAX_KEY:
            raise NotNativeError(
                f"added token {added['id']} has {len(key)} bytes (the core finds up to {MAX_KEY})"
            )
        flags = sum(bit for flag, bit in FLAGS.items() if added.get(flag))
        tries[kind][key] = int(added["id"]) | flags
    return {kind: build_trie(keys) for kind, keys in tries.items() if keys}


def normalized(key: bytes, normalize: Callable[[bytes], bytes]) -> bytes:
    """A token as the normalizer makes it; NotNativeError where that is absurdly long."""
    try:
        return normalize(key)
    except ValueError as error:
        raise NotNativeError(f"an added token: {error}") from None
