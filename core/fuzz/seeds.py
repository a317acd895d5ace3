"""Writes the seeds of the fuzz targets: small whole models, one hostile model per bound, texts under rules.

``model`` holds files for open_model, ``text`` what all other targets read.

``python core/fuzz/seeds.py`` writes core/fuzz/regressions again; inputs that a fuzzer found stay beside them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from stage_seeds import ending_with, hostile_stages, sections_of, whole_stages

from pumice.modelfile.compiler import compile_model
from pumice.modelfile.container import ALIGNMENT, ENTRY, HEADER, MAGIC, VERSION, Kind, pack
from pumice.modelfile.counting import Counting
from pumice.modelfile.parts import ModelParts

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DTYPES = ("int4", "int2", "int1")
"""Of packed rows."""
UNIT = struct.Struct("<II")
LEAF = 0x80000000
PARAMETER = {
    "dimensions": 0,
    "tokens": 4,
    "row_type": 12,
    "unknown_id": 16,
    "word_chars": 28,
    "continuation_node": 36,
}
"""Where they lie in the parameters section (docs/format.md)."""


def parts(**changes: Any) -> ModelParts:
    """A model of eight tokens, with an added one."""
    vocab = {"[UNK]": 0, "a": 1, "##b": 2, "b": 3, "##c": 4, ",": 5, "京": 6, "[CLS]": 7}
    off = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tokenizer = {
        "added_tokens": [{"id": 7, "content": "[CLS]", "special": True, **off}],
        "normalizer": {"type": "BertNormalizer", "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": vocab},
    }
    rows = np.linspace(-1, 1, 40, dtype=np.float32).reshape(8, 5)
    return ModelParts(**{"tokenizer": tokenizer, "embeddings": rows, **changes})


def whole_models() -> dict[str, bytes]:
    """Every storage dtype, every optional section, every tokenizer."""
    plain = parts()
    wordlevel = {
        "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"},
        "pre_tokenizer": {"type": "Whitespace"},
    }
    limits = {"max_tokens": 3, "max_chars": 20, "unknown": "average", "normalize": False}
    library = replace(plain, tokenizer=wordlevel, embeddings=np.eye(2, dtype=np.float32))
    token_rows = np.array([0, 1, 2, 3, 3, 2, 1, 0], np.uint32)
    int8 = compile_model(
        replace(plain, token_rows=token_rows, embeddings=plain.embeddings[:4]), dtype="int8"
    )
    (cls,) = plain.tokenizer["added_tokens"]
    phrase = {**cls, "id": 8, "content": "a b", "single_word": True, "normalized": True}
    phrases = {**plain.tokenizer, "added_tokens": [cls, phrase]}
    return {
        "phrases": compile_model(
            parts(tokenizer=phrases, embeddings=np.resize(plain.embeddings, (9, 5)))
        ),
        "float32": compile_model(plain, dtype="float32"),
        "float16-weights": compile_model(
            replace(plain, token_weights=np.linspace(0, 2, 8, dtype=np.float32)), dtype="float16"
        ),
        "int8-token-rows": int8,
        "int8-rows-last": ending_with(Kind.ROWS, sections_of(int8)),
        **packed_models(plain),
        "limits": compile_model(parts(**limits)),
        "library-tokenizer": compile_model(library),
        "counting": compile_model(replace(plain, counting=Counting((128, 64), (200,)))),
    }


def packed_models(plain: ModelParts) -> dict[str, bytes]:
    """Rows of fewer bits: five dimensions fill no byte of any."""
    rows = np.array([0, 1, 2, 3, 3, 2, 1, 0], np.uint32)
    shared = replace(plain, token_rows=rows, embeddings=plain.embeddings[:4])
    models = {dtype: compile_model(plain, dtype=dtype) for dtype in DTYPES}
    last = ending_with(Kind.PACKED_ROWS, sections_of(compile_model(shared, dtype="int4")))
    return {**models, "packed-rows-last": last}


def hostile_models() -> dict[str, bytes]:
    """One for every bound that the core checks, each damaged in that place alone."""
    data = compile_model(parts())
    sections = sections_of(data)

    def header(at: int, value: int, size: int = 4) -> bytes:
        return data[:at] + value.to_bytes(size, "little") + data[at + size :]

    def parameters(**values: int) -> dict[Kind, bytes]:
        new = bytearray(sections[Kind.PARAMETERS])
        for name, value in values.items():
            struct.pack_into("<I", new, PARAMETER[name], value)
        return {**sections, Kind.PARAMETERS: bytes(new)}

    def parameter(name: str, value: int) -> bytes:
        return pack(parameters(**{name: value}))

    def trie(kind: Kind, *units: tuple[int, int]) -> bytes:
        return pack({**sections, kind: b"".join(UNIT.pack(*unit) for unit in units)})

    entry = HEADER.size
    past_trie = len(sections[Kind.VOCABULARY]) // UNIT.size
    infinite = np.full(40, np.inf, np.float32)
    infinite[::3] = np.nan
    # 'a' leads from the root back to the root, which is a token: every byte of "aaa" is a piece.
    loop = [(ord("a") | LEAF, 0), *[(1, 0)] * 127]
    # Each byte of U+10428 is a piece: four times as many pieces as the word has code points.
    of_bytes = [(0, 9), (1, 9), *[(9, 9)] * 254]
    for byte in "\U00010428".encode():
        of_bytes[byte] = (LEAF | 1, 0)
    wordpiece = b"".join(UNIT.pack(*unit) for unit in of_bytes)
    past_rows = {**sections, Kind.TOKEN_ROWS: np.full(8, 8, np.uint32).tobytes()}
    return {
        "no-sections": header(12, 0),
        "many-sections": header(12, 0xFFFFFFFF),
        "version": header(8, 2),
        "offset-wraps": header(entry + 8, 2**64 - 64, 8),
        "length-wraps": wrapped(data),
        "section-twice": header(entry + ENTRY.size, 1),
        "unknown-required": header(entry + 2 * ENTRY.size, 11),
        "header-alone": data[: HEADER.size],
        "magic-alone": data[:8],
        "dimensions": parameter("dimensions", 0xFFFFFFFF),
        "tokens": parameter("tokens", 1 << 24),
        "unknown-id": parameter("unknown_id", 8),
        "word-chars": parameter("word_chars", 0xFFFFFFFF),
        "continuation-node": ending_with(Kind.VOCABULARY, parameters(continuation_node=past_trie)),
        "trie-one-unit": trie(Kind.VOCABULARY, (0xFFFFFFFF, 0)),
        "trie-loop": trie(Kind.VOCABULARY, *loop),
        "trie-leaf-outside": trie(Kind.VOCABULARY, (0, 9), *[(0xFFFFFFFF, 0)] * 127),
        "trie-id-outside": trie(Kind.VOCABULARY, (0, 9), *[(LEAF | 1, 0)] * 127),
        "added-loop": trie(Kind.ADDED_TOKENS, *loop),
        "added-endless": trie(Kind.ADDED_TOKENS, (ord("a"), 0), *[(0, 9)] * 127),
        "normalized-loop": trie(Kind.NORMALIZED_TOKENS, *loop),
        "normalized-endless": trie(Kind.NORMALIZED_TOKENS, (ord("a"), 0), *[(0, 9)] * 127),
        "normalized-leaf-outside": trie(Kind.NORMALIZED_TOKENS, (0, 9), *[(0xFFFFFFFF, 0)] * 127),
        "trie-of-bytes": pack(
            {**parameters(word_chars=24, continuation_node=0), Kind.VOCABULARY: wordpiece}
        ),
        "token-rows-outside": ending_with(Kind.ROWS, past_rows),
        "repeats-none": pack({**sections, Kind.REPEATS: b""}),
        "repeats-many": pack({**sections, Kind.REPEATS: bytes(256)}),
        "positions-many": pack({**sections, Kind.POSITIONS: bytes(1025)}),
        "positions-last": ending_with(
            Kind.POSITIONS, {**sections, Kind.REPEATS: b"\x80", Kind.POSITIONS: b"\xff\x01"}
        ),
        "packed-rows-short": packed_damaged(lambda rows: rows[:-1]),
        "packed-rows-and-rows": pack({**sections, Kind.PACKED_ROWS: sections[Kind.ROWS]}),
        "packed-rows-missing": packed_damaged(lambda rows: b"", kind=Kind.ROWS),
        "row-type-unknown": parameter("row_type", 6),
        "rows-not-finite": pack({**sections, Kind.ROWS: infinite.tobytes()}),
    }


def packed_damaged(damage: Callable[[bytes], bytes], *, kind: Kind = Kind.PACKED_ROWS) -> bytes:
    """A model of 4 bits a value with other rows, in a section of this kind."""
    sections = sections_of(compile_model(parts(), dtype="int4"))
    rows = sections.pop(Kind.PACKED_ROWS)
    return pack({**sections, kind: damage(rows)})


def wrapped(data: bytes) -> bytes:
    """The first section's length wraps round to before it, and a section to be skipped leads back."""
    _, _, count, size, *rest = HEADER.unpack_from(data)
    entries = [list(ENTRY.unpack_from(data, HEADER.size + i * ENTRY.size)) for i in range(count)]
    begin, length = entries[0][2:4]
    table_end = HEADER.size + (count + 1) * ENTRY.size
    moved = table_end + -table_end % ALIGNMENT - begin
    for entry in entries:
        entry[2] += moved
    entries[0][3] = 2**64 - ALIGNMENT
    entries.insert(1, [99, 0, begin + moved - ALIGNMENT, ALIGNMENT + length, 0])
    table = b"".join(ENTRY.pack(*entry) for entry in entries)
    head = HEADER.pack(MAGIC, VERSION, count + 1, size + moved, *rest) + table
    return head + b"\0" * (begin + moved - len(head)) + data[begin:]


def texts() -> dict[str, bytes]:
    """Four bytes of rules, then a text: golden texts, and what is hostile to one rule."""
    plain = bytes([0b10101111, 0, 0, 19])
    packed = {name: bytes([*plain[:3], stored << 5 | 19]) for stored, name in enumerate(DTYPES, 4)}
    kept = bytes([0b10010000, 0, 0, 0])
    cut = bytes([0b01111111, 2, 3, 7])
    counting = bytes([0b10101111, 0, 0, 3 << 5 | 19])
    with (ROOT / "testdata" / "golden.jsonl").open() as lines:
        golden = [json.loads(line)["text"] for line in lines]
    return {
        **{f"golden-{i:02}": plain + text.encode() for i, text in enumerate(golden[:24])},
        **{f"packed-{name}": rules + b"a b c, don't" for name, rules in packed.items()},
        "kept": kept + "A\0b\u2000c \x0bÅ [CLS]\u200b".encode(),
        "cut": cut + "é[SEP]北京".encode(),
        "cut-invalid": bytes([0b01111111, 2, 0, 7]) + "é[SEP]".encode() + b"\x80c",
        "marks": plain + ("\u302e\u0301\u302a\u08d4" * 300).encode(),
        "marks-kept": kept + ("\U0001d165\u302e" * 60).encode(),
        "word": plain + b"y" * 1025,
        "word-of-astral": bytes([0b11000000, 0, 0, 3]) + "𝅘𝅥𝅮".encode() * 700,
        "words-of-one": bytes([0b00001111, 0, 0, 3]) + b"a bc d",
        "counting": counting + b"a b a ab, a b a",
        "counting-past-the-worker": counting + b"a b c " * 700,
        "counting-invalid": counting + b"a b c " * 200 + b"\xff",
        "added": plain + b"[CLS][[CLS]]x[MASK",
        "added-flags": plain + " <mask>  <mask>aword word, word\u00e9 \u2581the".encode(),
        "phrases": plain + "a b cA B c x12-ABb!  a\tb\u00a0ca b\u0301 c \u00c9 C a b".encode() * 3,
        "expands": plain + "\ufdfa\ufb01 \u2460  1\u0301 e\u0301\r\n".encode() * 9,
        "stages": plain + b"the 12-ab don't abcabc b!b!\x00 a'LL 1234567 \n\n  x",
        "pieces": plain + b" " * 40 + b"a" * 300 + b"-" * 40,
        **{
            f"invalid-{bad.hex()}": plain + b"ab " + bad
            for bad in (
                b"\x80",
                b"\xc1\xbf",
                b"\xc3",
                b"\xe0\x9f\xbf",
                b"\xed\xa0\x80",
                b"\xe2\x82",
                b"\xf0\x8f\xbf\xbf",
                b"\xf4\x90\x80\x80",
                b"\xf0\x9f\x8f",
                b"\xff",
            )
        },
    }


def seeds() -> dict[str, dict[str, bytes]]:
    """Every seed by its folder and name."""
    models = {**whole_models(), **hostile_models(), **whole_stages(), **hostile_stages()}
    return {"model": models, "text": texts()}


def main() -> None:
    """Write every seed under its name."""
    for kind, inputs in seeds().items():
        folder = HERE / "regressions" / kind
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in inputs.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
