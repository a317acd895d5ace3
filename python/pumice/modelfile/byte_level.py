"""ByteLevel's alphabet: the 256 characters that byte-level vocabularies write bytes with."""

from __future__ import annotations

PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
OTHERS = tuple(byte for byte in range(256) if byte not in PRINTABLE)
BYTE_OF_CHARACTER = {
    **{chr(byte): byte for byte in PRINTABLE},
    **{chr(0x100 + place): byte for place, byte in enumerate(OTHERS)},
}


def bytes_of_token(token: str) -> bytes | None:
    """The bytes that a token of a byte-level vocabulary stands for; None where no text gives it."""
    try:
        return bytes(BYTE_OF_CHARACTER[char] for char in token)
    except KeyError:
        return None
