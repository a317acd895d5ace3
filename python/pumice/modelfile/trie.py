"""Tries as the core reads them: double arrays over bytes."""

from __future__ import annotations

from pumice import _core
from pumice.errors import ModelFileError
from pumice.modelfile.native_tokenizer import NotNativeError


def encoded(token: str) -> bytes:
    """A token as UTF-8; ModelFileError for lone surrogates."""
    try:
        return token.encode()
    except UnicodeEncodeError:
        raise ModelFileError(
            f"tokenizer.json: token {token!r} holds a lone surrogate, which UTF-8 cannot carry"
        ) from None


def build_trie(keys: dict[bytes, int], *, near_parents: bool = False) -> bytes:
    """The double array of some keys, which are not empty.

    NUL, which the array has no label for, is written as 0xFF, which UTF-8 never holds; keys with an 0xFF of
    their own match no text and are left out. ``near_parents``: nodes lie in the cache lines of their
    parents where there is room.
    """
    pairs = sorted(
        (key.replace(b"\0", b"\xff"), i) for key, i in keys.items() if b"\xff" not in key
    )
    if not pairs:
        raise NotNativeError("no token of the vocabulary is text")
    return _core.double_array(
        [key for key, _ in pairs], [index for _, index in pairs], near_parents
    )


def double_array(tokens: dict[str, int]) -> bytes:
    """The trie of a vocabulary. An empty token matches no text and is left out."""
    keys = {encoded(token): index for token, index in tokens.items() if token}
    if not keys:
        raise ModelFileError("tokenizer.json: the vocabulary holds no token that text could match")
    return build_trie(keys)


def walk(trie: bytes, key: bytes) -> int | None:
    """The node of a double array that ``key`` leads to from the root, or None."""
    units = memoryview(trie).cast("I")
    node = 0
    for byte in key.replace(b"\0", b"\xff"):
        child = (units[2 * node] & 0x7FFFFFFF) ^ byte
        if 2 * child + 1 >= len(units) or units[2 * child + 1] != node:
            return None
        node = child
    return node
