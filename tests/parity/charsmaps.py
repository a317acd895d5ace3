"""Precompiled normalizers: SentencePiece's own charsmaps, and small ones that say more."""

from __future__ import annotations

import base64
import functools
import io
import random
import struct
from typing import Any

import pytest

RULES = ("nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf")


def precompiled(charsmap: bytes) -> dict[str, Any]:
    return {
        "type": "Precompiled",
        "precompiled_charsmap": base64.b64encode(charsmap).decode("ascii"),
    }


@functools.cache
def of_sentencepiece(rule: str) -> bytes:
    """The charsmap that SentencePiece puts into a model trained with a normalization rule."""
    sentencepiece = pytest.importorskip("sentencepiece", reason="sentencepiece is absent")
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghij", k=rng.randint(2, 6))) for _ in range(900)]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(" ".join(words[at : at + 8]) for at in range(0, 900, 8)),
        model_writer=model,
        vocab_size=60,
        normalization_rule_name=rule,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return charsmap_in(model.getvalue())


def charsmap_in(model: bytes) -> bytes:
    """ModelProto.normalizer_spec.precompiled_charsmap: fields 3 and 2 of two protocol buffers."""
    return bytes(field(field(model, 3), 2))


def field(message: bytes, number: int) -> bytes:
    """The first length-delimited field of a number; the messages hold no groups before it."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        kind = key & 7
        if kind == 2:
            size, at = varint(message, at)
            if key >> 3 == number:
                return message[at : at + size]
            at += size
        elif kind == 0:
            _, at = varint(message, at)
        else:
            at += 8 if kind == 1 else 4
    raise ValueError(f"field {number} is absent")


def varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def build(mapping: dict[str, str]) -> bytes:
    """A charsmap of a few keys; every node of its trie has a block of 256 units of its own."""
    strings, places = b"", {}
    for replacement in dict.fromkeys(mapping.values()):
        places[replacement] = len(strings)
        strings += replacement.encode() + b"\0"
    keys = {key.encode(): places[replacement] for key, replacement in mapping.items()}
    nodes = {prefix: None for key in keys for prefix in (key[:n] for n in range(len(key) + 1))}
    block = {prefix: 256 * (1 + index) for index, prefix in enumerate(nodes)}
    units = [0] * (256 * (len(nodes) + 1))
    for prefix in nodes:
        at = 0 if not prefix else block[prefix[:-1]] + prefix[-1]
        leaf = prefix in keys
        units[at] = (at ^ block[prefix]) << 10 | leaf << 8 | (prefix[-1] if prefix else 0)
        if leaf:
            units[block[prefix]] = 1 << 31 | keys[prefix]
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + strings
