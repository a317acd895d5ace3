"""Seeds of models that have a normalizer and a pre-tokenizer: whole ones, and one hostile to each bound."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from pumice.modelfile.byte_level import BYTE_OF_CHARACTER
from pumice.modelfile.compiler import compile_model
from pumice.modelfile.container import ALIGNMENT, ENTRY, HEADER, MAGIC, VERSION, Kind, pack
from pumice.modelfile.parts import ModelParts
from pumice.modelfile.pre_tokenizers import PATTERNS, SPLIT_LITERAL, operation
from pumice.modelfile.program import step

Sections = dict[Kind, bytes]

LEAF = 1 << 31
LOOP = struct.pack("<II", ord("a") | LEAF, 0) + struct.pack("<II", 1, 0) * 127
"""A trie where 'a' leads from the root back to the root, which is a token."""
REPLACE, REPLACE_RUN, PREPEND, STRIP, PRECOMPILED, METASPACE = (*range(11, 16), 100)
ADDED = {"single_word": False, "lstrip": True, "rstrip": False, "special": False}


def model(tokenizer: dict[str, Any]) -> bytes:
    """A model of two dimensions; the last two tokens are also looked for in the text."""
    vocab = tokenizer["model"]["vocab"]
    names = list(vocab) if isinstance(vocab, dict) else [token for token, _ in vocab]
    added = [
        {"id": len(names) - 2, "content": names[-2], "normalized": False, **ADDED},
        {"id": len(names) - 1, "content": names[-1], "normalized": True, **ADDED},
    ]
    rows = np.ones((len(names), 2), np.float32)
    return compile_model(ModelParts({"added_tokens": added, **tokenizer}, rows), dtype="int8")


def sections_of(data: bytes) -> dict[Kind, bytes]:
    """The sections of a whole model."""
    count = HEADER.unpack_from(data)[2]
    entries = [ENTRY.unpack_from(data, HEADER.size + i * ENTRY.size) for i in range(count)]
    return {Kind(kind): data[offset : offset + size] for kind, _, offset, size, _ in entries}


def ending_with(last: Kind, sections: dict[Kind, bytes]) -> bytes:
    """A file whose end is the end of one section, so that a sanitizer sees a read past it.

    The checksum is left out: opening does not look at it.
    """
    order = [*(kind for kind in sections if kind != last), last]
    offset = HEADER.size + len(order) * ENTRY.size
    table = body = b""
    for kind in order:
        data = sections[kind]
        padding = b"\0" * (-offset % ALIGNMENT)
        offset += len(padding)
        table += ENTRY.pack(kind, 1, offset, len(data), 0)
        body += padding + data
        offset += len(data)
    return HEADER.pack(MAGIC, VERSION, len(order), offset, 0, b"\0" * 32) + table + body


def unigram() -> bytes:
    """Metaspace, byte fallback, a Replace of runs."""
    tokens = ["<unk>", "a", "b", "ab", "\u2581", "\u2581a", "<0x61>", "<0xC3>", "<m>", "bc"]
    return model(
        {
            "normalizer": {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581"},
            "model": {
                "type": "Unigram",
                "unk_id": 0,
                "byte_fallback": True,
                "vocab": [[token, -float(len(token))] for token in tokens],
            },
        }
    )


def bpe() -> bytes:
    """Bytes, a normal form, a regular expression."""
    merges = ["a b", "ab c", "Ã ©"]
    tokens = [*sorted(BYTE_OF_CHARACTER), *(m.replace(" ", "") for m in merges), "<m>", "bc"]
    pattern = {"Regex": PATTERNS[1]}
    steps = [
        {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True},
    ]
    vocab = {token: index for index, token in enumerate(tokens)}
    return model(
        {
            "normalizer": {"type": "NFKC"},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
            "model": {"type": "BPE", "vocab": vocab, "merges": merges},
        }
    )


def word_level() -> bytes:
    """BERT's normalizer as steps, and pieces that join their neighbours."""
    steps = [
        {"type": "Whitespace"},
        {"type": "Punctuation", "behavior": "MergedWithNext"},
        {"type": "Digits", "individual_digits": False},
    ]
    return model(
        {
            "normalizer": {"type": "BertNormalizer", "lowercase": True},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
            "model": {
                "type": "WordLevel",
                "unk_token": "<unk>",
                "vocab": {"<unk>": 0, "a": 1, "abc": 2, "<m>": 3, "bc": 4},
            },
        }
    )


def whole_stages() -> dict[str, bytes]:
    """One model of each tokenizer with stages."""
    return {"unigram": unigram(), "bpe": bpe(), "word-level": word_level()}


def replace(pattern: bytes, content: bytes) -> bytes:
    """A step that puts one text for another."""
    return step(REPLACE, struct.pack("<I", len(pattern)) + pattern + content)


def charsmap(*units: int, strings: bytes = b"\0") -> bytes:
    """A step over a charsmap that changes every ASCII character it is asked to."""
    return step(
        PRECOMPILED,
        b"\xff" * 16 + struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + strings,
    )


def doubling() -> bytes:
    """Each round gives every piece a mark, then makes the mark a piece."""
    rounds = b""
    for mark in (b"A", b"B"):
        rounds += step(METASPACE, bytes([1, 1, 0, 0]) + mark)
        rounds += operation(SPLIT_LITERAL, 1, 0, data=mark)
    return rounds * 20


def hostile_normalizers() -> dict[str, bytes]:
    """Programs that are refused, or that get a text out of hand."""
    return {
        "steps": step(5) * 257,
        "step-cut": step(5)[:-1],
        "step-long": struct.pack("<II", 5, 0xFFFFFFFF),
        "pattern-long": replace(b"a" * 257, b""),
        "pattern-outside": step(REPLACE, struct.pack("<I", 5) + b"abc"),
        "grows": replace(b"a", b"a" * 40) * 40,
        "breaks-utf8": replace(b"\xc3", b"") + step(STRIP, bytes([1, 1, 0, 0])) + step(7),
        "run-of-nothing": step(REPLACE_RUN, struct.pack("<II", 0xFFFFFFFF, 0)),
        "prepends": step(PREPEND, b"a" * 1000) * 200,
        "charsmap-outside": charsmap(0xFFFFFFFF),
        "charsmap-loops": charsmap(*[ord("a") | 1 << 8] * 128),
        "charsmap-string-outside": charsmap(*[ord("a") | 1 << 8] * 97, 0x7FFFFFFF),
        "charsmap-string-long": charsmap(0, strings=b"a" * 1025),
    }


def hostile_parts(parts: bytes, letter: int) -> dict[str, bytes]:
    """Parts that are not there, that lead out of the table or back to themselves, that nothing may follow."""
    one = struct.Struct("<IIIHH")
    count = len(parts) // one.size
    return {
        "cut": parts[:-1],
        "many": parts + one.pack(letter, letter, 1, 0, 0) * 8,
        "few": parts[: one.size],
        "outside": one.pack(0xFFFFFFFE, 0xFFFFFFFE, 1, 0, 0) * count,
        "of-themselves": one.pack(letter, letter, 1, 0, 0) * count,
        "none-whole": one.pack(0, 0, 0xFFFFFFFF, 0, 0) * count,
    }


def hostile_borders(borders: bytes) -> dict[str, bytes]:
    """Borders that are not there, of too many tokens, that are all certain or none."""
    return {
        "cut": borders[:-1],
        "many": borders + bytes(16 * 8),
        "few": borders[:16],
        "all-stay": bytes(len(borders)),
        "none-certain": b"\xff" * len(borders),
    }


def borders_past_parts(sections: Sections, letter: int) -> Sections:
    """Parts of the tokens up to a letter, and borders that let any later one come before one of them."""
    before = struct.pack("<4I", *[0xFFFFFFFF] * 4) * (letter + 1)
    later = struct.pack("<4I", 0xFFFFFFFF, 0xFFFFFFFF, 0, 0)
    count = len(sections[Kind.TOKEN_PARTS]) // 16
    changed = {
        Kind.TOKEN_PARTS: sections[Kind.TOKEN_PARTS][: len(before)],
        Kind.TOKEN_BORDERS: before + later * (count - letter - 1),
    }
    return {**sections, **changed}


def hostile_stages() -> dict[str, bytes]:
    """One for every bound of the stages, each damaged in that place alone."""
    unigram_sections, bpe_sections = sections_of(unigram()), sections_of(bpe())
    del unigram_sections[Kind.PRE_TOKENIZER]
    scores = unigram_sections[Kind.MODEL]
    merges = bpe_sections[Kind.MODEL]
    parts = bpe_sections[Kind.TOKEN_PARTS]
    borders = bpe_sections[Kind.TOKEN_BORDERS]
    slots = (len(merges) - 1040) // 16
    letter = struct.unpack_from("<256I", merges, 16)[ord("a")]

    def of_unigram(**changes: bytes) -> bytes:
        return pack({**unigram_sections, **{Kind[kind]: data for kind, data in changes.items()}})

    # Borders would spare most looks at what is damaged.
    unproven = {kind: kept for kind, kept in bpe_sections.items() if kind != Kind.TOKEN_BORDERS}

    def of_bpe(at: int, *words: int) -> bytes:
        data = struct.pack(f"<{len(words)}I", *words)
        damaged = merges[:at] + data + merges[at + len(data) :]
        return pack({**unproven, Kind.MODEL: damaged})

    def of_parts(data: bytes) -> bytes:
        return pack({**unproven, Kind.TOKEN_PARTS: data})

    return {
        **{
            f"normalizer-{name}": of_unigram(NORMALIZER=data)
            for name, data in hostile_normalizers().items()
        },
        "pre-tokenizer-doubles": of_unigram(PRE_TOKENIZER=doubling()),
        "pre-tokenizer-unknown": of_unigram(PRE_TOKENIZER=step(9)),
        "metaspace-mark": of_unigram(PRE_TOKENIZER=step(METASPACE, b"\0\0\0\0\xc3")),
        "unigram-loop": of_unigram(VOCABULARY=LOOP),
        "unigram-loop-in-the-text": of_unigram(VOCABULARY=LOOP, NORMALIZER=b""),
        "unigram-scores": of_unigram(MODEL=b"\xff\xff\xff\xff" + scores[4:]),
        "unigram-not-a-number": of_unigram(MODEL=scores[:8] + b"\xff" * (len(scores) - 8)),
        "bpe-slots": of_bpe(8, 31),
        "bpe-probes": of_bpe(12, 257),
        "bpe-byte-outside": of_bpe(16, *[0xFFFFFFFE] * 256),
        "bpe-full": of_bpe(1040, *(1, 2, 3, 4) * slots),
        "bpe-all-merge": of_bpe(1040, *(letter, letter, 1, letter) * slots),
        **{
            f"bpe-parts-{name}": of_parts(data)
            for name, data in hostile_parts(parts, letter).items()
        },
        **{
            f"bpe-borders-{name}": pack({**bpe_sections, Kind.TOKEN_BORDERS: data})
            for name, data in hostile_borders(borders).items()
        },
        "bpe-borders-past-parts": ending_with(
            Kind.TOKEN_PARTS,
            borders_past_parts(
                {kind: kept for kind, kept in bpe_sections.items() if kind != Kind.PRE_TOKENIZER},
                letter,
            ),
        ),
        "bpe-merges-outside": of_bpe(1040, *(letter, letter, 1, 0xFFFFFFFE) * slots),
    }
