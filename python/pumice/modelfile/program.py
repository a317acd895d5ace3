"""Programs of the normalizer and pre-tokenizer sections: steps, each an operation and its data."""

from __future__ import annotations

import struct

from pumice.modelfile.native_tokenizer import NotNativeError

MAX_STEPS = 256
MAX_PATTERN = 256
"""Bytes of the longest pattern that a step looks for. Both bound the core's work per byte of text."""


def step(operation: int, data: bytes = b"") -> bytes:
    """One step, padded to a multiple of 4 bytes."""
    return struct.pack("<II", operation, len(data)) + data + b"\0" * (-len(data) % 4)


def checked(program: bytes, name: str) -> bytes:
    """The program; NotNativeError where it has more steps than the core runs."""
    steps, at = 0, 0
    while at < len(program):
        (size,) = struct.unpack_from("<I", program, at + 4)
        steps, at = steps + 1, at + 8 + size + -size % 4
    if steps > MAX_STEPS:
        raise NotNativeError(f"the {name} has {steps} steps (the core runs up to {MAX_STEPS})")
    return program


def pattern(text: str) -> bytes:
    """What a step looks for, as UTF-8; NotNativeError where it is longer than the core compares."""
    found = text.encode()
    if len(found) > MAX_PATTERN:
        raise NotNativeError(
            f"a pattern has {len(found)} bytes (the core looks for up to {MAX_PATTERN})"
        )
    return found
