"""Programs of the normalizer and pre-tokenizer sections: steps, each an operation and its data."""

from __future__ import annotations

import struct


def step(operation: int, data: bytes = b"") -> bytes:
    """One step, padded to a multiple of 4 bytes."""
    return struct.pack("<II", operation, len(data)) + data + b"\0" * (-len(data) % 4)
