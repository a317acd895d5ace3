"""The container: sealed bytes, and every way a file can be damaged or foreign."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pumice
from pumice.errors import ModelFileError
from pumice.modelfile import ModelFile, ModelParts, compile_model
from pumice.modelfile.container import ALIGNMENT, ENTRY, HEADER, Kind, pack

TEXT = "a bc abc d!"


@pytest.fixture(scope="module")
def tiny() -> bytes:
    """A whole model of some two kilobytes."""
    return compile_model(tiny_parts())


def tiny_parts(**changes: Any) -> ModelParts:
    vocab = {"[UNK]": 0, "a": 1, "##b": 2, "b": 3, "##c": 4, "!": 5}
    added = {"id": 0, "content": "[UNK]", "special": True, "normalized": False}
    tokenizer = {
        "added_tokens": [{**added, "single_word": False, "lstrip": False, "rstrip": False}],
        "normalizer": {"type": "BertNormalizer", "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": vocab},
    }
    rows = np.arange(24, dtype=np.float32).reshape(6, 4)
    return ModelParts(**{"tokenizer": tokenizer, "embeddings": rows, **changes})


def entries(data: bytes) -> list[tuple[int, ...]]:
    count = HEADER.unpack_from(data)[2]
    return [ENTRY.unpack_from(data, HEADER.size + i * ENTRY.size) for i in range(count)]


def test_sections_are_aligned_and_cover_the_file(tiny: bytes) -> None:
    end = HEADER.size + len(entries(tiny)) * ENTRY.size
    for _kind, _flags, offset, length, reserved in entries(tiny):
        assert offset == end + -end % ALIGNMENT
        assert reserved == 0
        end = offset + length
    assert end == len(tiny)


def test_the_same_parts_give_the_same_bytes(tiny: bytes) -> None:
    assert compile_model(tiny_parts()) == tiny
    assert compile_model(tiny_parts(normalize=False)) != tiny


def test_the_fingerprint_is_the_checksum_of_the_content(tiny: bytes) -> None:
    file = ModelFile.from_bytes(tiny)
    file.verify()
    flipped = bytearray(tiny)
    flipped[-1] ^= 1
    damaged = ModelFile.from_bytes(bytes(flipped))
    with pytest.raises(ModelFileError, match="does not match its checksum"):
        damaged.verify()


def test_a_file_cut_anywhere_is_refused(tiny: bytes) -> None:
    for size in range(len(tiny)):
        with pytest.raises(ModelFileError):
            ModelFile.from_bytes(tiny[:size])
    with pytest.raises(ModelFileError, match="truncated or extended"):
        ModelFile.from_bytes(tiny + b"\0")


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, b"\x88", "not a .pumice file"),
        (7, b"\r", "not a .pumice file"),
        (8, struct.pack("<I", 2), "format version"),
        (12, struct.pack("<I", 65), "section table"),
        (12, struct.pack("<I", 5), "section table"),
        (16, struct.pack("<Q", 2**63), "truncated or extended"),
        (HEADER.size, struct.pack("<I", 2), "section table"),
        (HEADER.size + 8, struct.pack("<Q", 2**64 - 64), "section table"),
        (HEADER.size + 16, struct.pack("<Q", 2**64 - 1), "section table"),
    ],
)
def test_hostile_headers_are_refused(tiny: bytes, at: int, value: bytes, message: str) -> None:
    data = bytearray(tiny)
    data[at : at + len(value)] = value
    with pytest.raises(ModelFileError, match=message):
        ModelFile.from_bytes(bytes(data))


def test_an_unknown_section_is_skipped_unless_it_is_required(tiny: bytes) -> None:
    file = ModelFile.from_bytes(tiny)
    sections = {kind: bytes(s) for kind in Kind if (s := file.section(kind)) is not None}
    data = bytearray(pack({**sections, 99: b"a later format's n-grams"}))  # type: ignore[dict-item]
    at = HEADER.size + len(sections) * ENTRY.size
    with pytest.raises(ModelFileError, match="newer pumice"):
        ModelFile.from_bytes(bytes(data))
    struct.pack_into("<I", data, at + 4, 0)
    wanted = pumice.StaticModel(file).encode(TEXT)
    found = pumice.StaticModel(ModelFile.from_bytes(bytes(data))).encode(TEXT)
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        (Kind.PARAMETERS, lambda b: b[:-1], "contradicts"),
        (Kind.PARAMETERS, lambda b: struct.pack("<I", 0) + b[4:], "outside its range"),
        (Kind.PARAMETERS, lambda b: struct.pack("<I", 2**31) + b[4:], "outside its range"),
        (Kind.PARAMETERS, lambda b: b[:-1] + b"\1", "outside its range"),
        (Kind.ROWS, lambda b: b[:-4], "contradicts"),
        (Kind.VOCABULARY, lambda b: b[:-1], "contradicts"),
        (Kind.VOCABULARY, lambda b: b"", "contradicts"),
        (Kind.TOKENS, lambda b: b + b"x", "contradicts"),
        (Kind.TOKENS, lambda b: b[:8], "contradicts"),
    ],
)
def test_sections_that_contradict_the_parameters_are_refused(
    tiny: bytes, kind: Kind, change: Any, message: str
) -> None:
    file = ModelFile.from_bytes(tiny)
    sections = {kind: bytes(s) for kind in Kind if (s := file.section(kind)) is not None}
    with pytest.raises(ModelFileError, match=message):
        ModelFile.from_bytes(pack({**sections, kind: change(sections[kind])}))
    del sections[kind]
    with pytest.raises(ModelFileError, match="missing"):
        ModelFile.from_bytes(pack(sections))


def test_no_flipped_byte_makes_the_core_misbehave(tiny: bytes) -> None:
    """Refused or harmless; test_c_interface does the same under sanitizers."""
    opened = 0
    for at in range(len(tiny)):
        data = bytearray(tiny)
        data[at] ^= 0xFF
        try:
            model = pumice.StaticModel(ModelFile.from_bytes(bytes(data)))
            assert model.encode([TEXT] * 3).shape[0] == 3
            opened += 1
        except ModelFileError:
            continue
    assert opened > len(tiny) // 2


def test_a_file_is_mapped_and_not_copied(tmp_path: Path, parts: ModelParts) -> None:
    path = tmp_path / "model.pumice"
    path.write_bytes(compile_model(parts))
    file = ModelFile.open(path)
    mapped = np.frombuffer(file.section(Kind.ROWS), np.float32)
    assert not mapped.flags.owndata
    maps = Path("/proc/self/maps")
    if maps.exists():
        assert str(path) in maps.read_text()


def test_empty_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pumice"
    empty.touch()
    foreign = tmp_path / "foreign.pumice"
    foreign.write_bytes(b"PK\x03\x04" * 100)
    with pytest.raises(ModelFileError, match=r"empty\.pumice: the file is empty"):
        pumice.load(empty)
    with pytest.raises(ModelFileError, match=r"foreign\.pumice: not a \.pumice file"):
        pumice.load(foreign)
    with pytest.raises(ModelFileError, match="cannot be read"):
        ModelFile.open(tmp_path / "missing.pumice")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (Kind.TOKENIZER, b"{}"),
        (Kind.TOKENIZER, b'{"tokenizer":3,"added_only":[]}'),
        (Kind.TOKENIZER, b"[" * 100_000),
        (Kind.METADATA, b'{"prefixes":5}'),
        (Kind.METADATA, b'{"prefixes":["x"]}'),
        (Kind.METADATA, b'{"name":3}'),
        (Kind.METADATA, b'{"languages":5}'),
        (Kind.METADATA, b'{"provenance":3}'),
        (Kind.METADATA, b'{"tokenizer":3}'),
        (Kind.METADATA, b"\xff"),
        (Kind.METADATA, b"[]"),
    ],
)
def test_hostile_json_is_one_sentence(tiny: bytes, kind: Kind, content: bytes) -> None:
    file = ModelFile.from_bytes(tiny)
    sections = {kind: bytes(s) for kind in Kind if (s := file.section(kind)) is not None}
    model = pumice.StaticModel(ModelFile.from_bytes(pack({**sections, kind: content})))
    with pytest.raises(ModelFileError, match=r"damaged|not a"):
        model.encode(TEXT, dim=2) if kind is Kind.METADATA else model._file.tokenizer
