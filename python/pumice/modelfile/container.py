"""The container of a .pumice file: header, section table, aligned sections (docs/format.md)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum

from pumice.errors import ModelFileError

MAGIC = b"\x89PUMICE\n"
VERSION = 1
ALIGNMENT = 64
HEADER = struct.Struct("<8sIIQQ32s")
ENTRY = struct.Struct("<IIQQQ")
REQUIRED = 1
"""Section flag: a reader that does not know the kind must refuse the file."""


class Kind(IntEnum):
    """Section kinds, as numbered in pumice.h."""

    METADATA = 1
    PARAMETERS = 2
    TOKENS = 3
    TOKENIZER = 4
    VOCABULARY = 5
    ADDED_TOKENS = 6
    ROWS = 7
    ROW_SCALES = 8
    TOKEN_ROWS = 9
    TOKEN_WEIGHTS = 10
    NORMALIZER = 11
    PRE_TOKENIZER = 12
    MODEL = 13
    NORMALIZED_TOKENS = 14
    TOKEN_MULTIPLIERS = 15
    REPEATS = 16
    POSITIONS = 17
    PACKED_ROWS = 18
    TOKEN_PARTS = 19
    TOKEN_BORDERS = 20


SKIPPABLE = frozenset({Kind.METADATA, Kind.TOKENIZER, Kind.TOKEN_PARTS, Kind.TOKEN_BORDERS})
"""Kinds that a reader may skip: the same comes of the file without them."""


def pack(sections: Mapping[Kind, bytes]) -> bytes:
    """Lay sections out by rising kind, each aligned to 64 bytes, and seal them with their fingerprint."""
    import hashlib  # slow to import, and not needed to open a model

    offset = HEADER.size + len(sections) * ENTRY.size
    table, body = [], []
    for kind in sorted(sections):
        data = sections[kind]
        padding = -offset % ALIGNMENT
        offset += padding
        flags = 0 if kind in SKIPPABLE else REQUIRED
        table.append(ENTRY.pack(kind, flags, offset, len(data), 0))
        body += [b"\0" * padding, data]
        offset += len(data)
    unsealed = HEADER.pack(MAGIC, VERSION, len(sections), offset, 0, b"\0" * 32)
    rest = b"".join(table + body)
    digest = hashlib.sha256(unsealed + rest).digest()
    return HEADER.pack(MAGIC, VERSION, len(sections), offset, 0, digest) + rest


def fingerprint(file: memoryview) -> str:
    """The checksum that the header declares, as hex: the name of exactly these bytes."""
    digest: bytes = HEADER.unpack_from(file)[5]
    return digest.hex()


def verify(file: memoryview, *, source: str) -> None:
    """Compute the checksum and compare it with the declared one; raises ModelFileError if they differ."""
    import hashlib

    magic, version, count, size, reserved, declared = HEADER.unpack_from(file)
    digest = hashlib.sha256(HEADER.pack(magic, version, count, size, reserved, b"\0" * 32))
    digest.update(file[HEADER.size :])
    if digest.digest() != declared:
        raise ModelFileError(
            f"{source}: the content does not match its checksum: fetch or compile the model again"
        )
