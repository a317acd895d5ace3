"""SentencePiece's precompiled charsmap: a Darts-clone trie of replacements, and the strings they are."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any

from pumice.modelfile.native_tokenizer import NotNativeError

LONGEST_STRING = 1024
RETURN = 0x0D


def read_charsmap(encoded: Any) -> bytes:
    """The charsmap's bytes; NotNativeError where the core would refuse them."""
    try:
        charsmap = base64.b64decode(encoded, validate=True)
        size, strings = split(charsmap)
        strings.decode()
    except (TypeError, ValueError, struct.error, binascii.Error):
        raise NotNativeError("the precompiled charsmap is damaged") from None
    if size == 0 or size % 4 or size > len(charsmap) - 4:
        raise NotNativeError("the precompiled charsmap is damaged")
    if max(map(len, strings.split(b"\0"))) > LONGEST_STRING:
        raise NotNativeError("the precompiled charsmap holds a very long string")
    return charsmap


def split(charsmap: bytes) -> tuple[int, bytes]:
    """The size of the trie in bytes, and the strings."""
    (size,) = struct.unpack_from("<I", charsmap)
    return size, charsmap[4 + size :]


def ascii_that_changes(charsmap: bytes) -> bytes:
    """128 bits: ASCII characters that are keys, and the carriage return, which may begin a longer one."""
    size, _ = split(charsmap)
    units = memoryview(charsmap)[4 : 4 + size].cast("I")
    children = offset(units[0])
    bits = 1 << RETURN
    for byte in range(1, 128):
        child = children ^ byte
        if child < len(units) and units[child] & 0x800000FF == byte and units[child] >> 8 & 1:
            bits |= 1 << byte
    return bits.to_bytes(16, "little")


def offset(unit: int) -> int:
    """Where the children of a unit are, relative to it."""
    return (unit >> 10) << ((unit & 0x200) >> 6)
