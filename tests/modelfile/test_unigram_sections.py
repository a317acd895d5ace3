"""Sections of a Unigram model: damaged ones are refused, and none makes the core misbehave."""

from __future__ import annotations

import random
import struct
from typing import Any

import numpy as np
import pytest

from pumice.errors import PumiceError
from pumice.model import StaticModel
from pumice.modelfile import ModelFile, ModelParts, compile_model
from pumice.modelfile.container import Kind, pack
from pumice.modelfile.program import step
from tests.parity.charsmaps import build, precompiled

NORMALIZERS = [
    precompiled(build({"a": "b", "e\u0301": "\u00e9"})),
    {"type": "NFKC"},
    {"type": "Lowercase"},
    {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
    {"type": "Replace", "pattern": {"String": "ab"}, "content": "c"},
    {"type": "Prepend", "prepend": "x"},
    {"type": "Strip", "strip_left": True, "strip_right": True},
]
VOCAB = [["<unk>", 0.0], ["\u2581", -1.0], ["b", -2.0], ["\u2581b", -2.5], ["<0x78>", -4.0]]
TEXT = "  Ab \u00e9e\u0301 \ufb01 \uac00\u11a8 x"


def tiny() -> dict[Kind, bytes]:
    """A small Unigram's sections."""
    tokenizer: dict[str, Any] = {
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": NORMALIZERS},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581"},
        "model": {"type": "Unigram", "unk_id": 0, "vocab": VOCAB, "byte_fallback": True},
    }
    rows = np.arange(10, dtype=np.float32).reshape(5, 2)
    file = ModelFile.from_bytes(compile_model(ModelParts(tokenizer=tokenizer, embeddings=rows)))
    return {kind: bytes(data) for kind in Kind if (data := file.section(kind)) is not None}


SECTIONS = tiny()
MODEL = SECTIONS[Kind.MODEL]


def with_section(kind: Kind, data: bytes | None) -> bytes:
    sections = {**SECTIONS, kind: data}
    return pack({kind: data for kind, data in sections.items() if data is not None})


def test_the_tiny_model_runs_in_the_core() -> None:
    model = StaticModel(ModelFile.from_bytes(pack(SECTIONS)))
    assert model.metadata["tokenizer"]["native"]
    assert model.tokenize([TEXT])[0]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Kind.MODEL, None),
        (Kind.MODEL, b""),
        (Kind.MODEL, MODEL[:-1]),
        (Kind.MODEL, MODEL + b"\0\0\0\0"),
        (Kind.MODEL, struct.pack("<I", 0xFFFFFFFF) + MODEL[4:]),
        (Kind.MODEL, struct.pack("<I", 0) + MODEL[4:]),
        (Kind.MODEL, struct.pack("<II", 5, 2) + MODEL[8:]),
        (Kind.MODEL, struct.pack("<II", 5, 0) + MODEL[8:]),
        (Kind.NORMALIZER, b"\0"),
        (Kind.NORMALIZER, step(0)),
        (Kind.NORMALIZER, step(99)),
        (Kind.NORMALIZER, step(7, b"abcd")),
        (Kind.NORMALIZER, struct.pack("<II", 13, 0xFFFFFFFF) + b"abcd"),
        (Kind.NORMALIZER, step(11, struct.pack("<I", 0) + b"abc")),
        (Kind.NORMALIZER, step(11, struct.pack("<I", 4) + b"abc")),
        (Kind.NORMALIZER, step(12, struct.pack("<II", 32, 0) + b"abc")),
        (Kind.NORMALIZER, step(12, b"abcd")),
        (Kind.NORMALIZER, step(13)),
        (Kind.NORMALIZER, step(14, b"\1")),
        (Kind.NORMALIZER, step(15, bytes(16))),
        (Kind.NORMALIZER, step(15, bytes(20))),
        (Kind.NORMALIZER, step(15, bytes(16) + struct.pack("<I", 8) + bytes(4))),
        (Kind.NORMALIZER, step(15, bytes(16) + struct.pack("<I", 3) + bytes(4))),
        (Kind.NORMALIZER, step(15, bytes(16) + struct.pack("<I", 4) + bytes(4) + b"x" * 2000)),
        (Kind.PRE_TOKENIZER, step(99)),
        (Kind.PRE_TOKENIZER, step(101, b"abcd")),
        (Kind.PRE_TOKENIZER, step(100, b"\1\1\0\0")),
        (Kind.PRE_TOKENIZER, step(100, b"\3\1\0\0_")),
        (Kind.PRE_TOKENIZER, step(100, b"\1\1\0\0__")),
        (Kind.PRE_TOKENIZER, step(100, b"\1\1\0\0\xff")),
    ],
)  # fmt: skip
def test_damaged_sections_are_refused(kind: Kind, data: bytes | None) -> None:
    with pytest.raises(PumiceError, match=r"damaged|section"):
        StaticModel(ModelFile.from_bytes(with_section(kind, data)))


@pytest.mark.parametrize("kind", [Kind.MODEL, Kind.NORMALIZER, Kind.PRE_TOKENIZER, Kind.VOCABULARY])
def test_no_changed_byte_makes_the_core_misbehave(kind: Kind) -> None:
    rng = random.Random(kind)
    section = SECTIONS[kind]
    for _ in range(400):
        changed = bytearray(section)
        for _ in range(rng.randint(1, 3)):
            changed[rng.randrange(min(len(changed), rng.choice((64, 1 << 30))))] = rng.randrange(
                256
            )
        try:
            model = StaticModel(ModelFile.from_bytes(with_section(kind, bytes(changed))))
            model.tokenize([TEXT])
            model.encode(TEXT)
        except PumiceError:
            pass
