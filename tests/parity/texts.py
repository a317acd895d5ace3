"""Strings that tell tokenizers apart: every code point, 50 scripts at random, hostile ones.

Everything is deterministic. Lone surrogates are kept apart, because no library accepts them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

SCALARS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]

# Ranges of each script's blocks: letters, signs, marks, unassigned code points included.
SCRIPTS: dict[str, Sequence[tuple[int, int]]] = {
    "latin": ((0x41, 0x5A), (0x61, 0x7A)),
    "latin_accents": ((0xC0, 0x24F), (0x1E00, 0x1EFF)),
    "phonetic": ((0x250, 0x2AF), (0x1D00, 0x1DBF)),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "cyrillic": ((0x400, 0x52F), (0x1C80, 0x1C8F)),
    "armenian": ((0x530, 0x58F),),
    "hebrew": ((0x591, 0x5F4),),
    "arabic": ((0x600, 0x6FF), (0x8A0, 0x8FF)),
    "arabic_forms": ((0xFB50, 0xFDFF), (0xFE70, 0xFEFF)),
    "syriac": ((0x700, 0x74F),),
    "thaana": ((0x780, 0x7BF),),
    "nko": ((0x7C0, 0x7FF),),
    "devanagari": ((0x900, 0x97F),),
    "bengali": ((0x980, 0x9FF),),
    "gurmukhi": ((0xA00, 0xA7F),),
    "gujarati": ((0xA80, 0xAFF),),
    "oriya": ((0xB00, 0xB7F),),
    "tamil": ((0xB80, 0xBFF),),
    "telugu": ((0xC00, 0xC7F),),
    "kannada": ((0xC80, 0xCFF),),
    "malayalam": ((0xD00, 0xD7F),),
    "sinhala": ((0xD80, 0xDFF),),
    "thai": ((0xE00, 0xE5B),),
    "lao": ((0xE80, 0xEFF),),
    "tibetan": ((0xF00, 0xFFF),),
    "myanmar": ((0x1000, 0x109F), (0xAA60, 0xAA7F)),
    "georgian": ((0x10A0, 0x10FF), (0x1C90, 0x1CBF)),
    "hangul_jamo": ((0x1100, 0x11FF), (0xA960, 0xA97C), (0xD7B0, 0xD7FB)),
    "hangul": ((0xAC00, 0xD7A3),),
    "ethiopic": ((0x1200, 0x139F),),
    "cherokee": ((0x13A0, 0x13FF), (0xAB70, 0xABBF)),
    "canadian": ((0x1400, 0x167F),),
    "khmer": ((0x1780, 0x17FF),),
    "mongolian": ((0x1800, 0x18AF),),
    "balinese": ((0x1B00, 0x1B7F),),
    "javanese": ((0xA980, 0xA9DF),),
    "hiragana": ((0x3040, 0x309F),),
    "katakana": ((0x30A0, 0x30FF), (0xFF65, 0xFF9F)),
    "han": ((0x4E00, 0x9FFF), (0x3400, 0x4DBF)),
    "han_rare": ((0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2F800, 0x2FA1F), (0x30000, 0x323AF)),
    "deseret": ((0x10400, 0x1044F),),
    "brahmi": ((0x11000, 0x1107F), (0x11100, 0x1114F), (0x11900, 0x1195F)),
    "adlam": ((0x1E900, 0x1E95F),),
    "gothic": ((0x10330, 0x1034A),),
    "mathematical": ((0x1D400, 0x1D7FF),),
    "musical": ((0x1D100, 0x1D1FF),),
    "fullwidth": ((0xFF00, 0xFFEF),),
    "symbols": ((0x2000, 0x2BFF), (0x3000, 0x303F), (0x3200, 0x33FF)),
    "emoji": ((0x1F300, 0x1FAFF), (0x2600, 0x27BF)),
    "ascii": ((0x20, 0x7E),),
    "anything": ((0x0, 0xD7FF), (0xE000, 0x10FFFF)),
}
MARK_RANGES = ((0x300, 0x36F), (0x483, 0x489), (0x591, 0x5C7), (0x8D3, 0x8FF), (0x1AB0, 0x1ACE))
# Every mark with a combining class that BERT's strip_accents leaves in place: their order shows.
LASTING_RANGES = (
    (0x8D4, 0x8E1),
    (0x1B44, 0x1B44),
    (0x1BAA, 0x1BAA),
    (0x1BF2, 0x1BF3),
    (0x1DFB, 0x1DFB),
    (0x302E, 0x302F),
    (0xA953, 0xA953),
    (0xA9C0, 0xA9C0),
    (0x111C0, 0x111C0),
    (0x11235, 0x11235),
    (0x1134D, 0x1134D),
    (0x11442, 0x11442),
    (0x11446, 0x11446),
    (0x116B6, 0x116B6),
    (0x11C3F, 0x11C3F),
    (0x1D165, 0x1D166),
    (0x1D16D, 0x1D172),
    (0x1E000, 0x1E02A),
    (0x1E944, 0x1E94A),
)


def within(ranges: Sequence[tuple[int, int]]) -> str:
    """Every character of some ranges."""
    return "".join(chr(point) for low, high in ranges for point in range(low, high + 1))


LASTING_MARKS = within(LASTING_RANGES)
STARTER_MARKS = "\u034f\u0488\u0941\u0900\u07a6"
SPACES = " \t\n\r\v\f\x1c\x85\xa0\u1680\u2000\u2002\u2028\u2029\u202f\u205f\u3000"
INVISIBLE = "\0\x01\x7f\xad\u061c\u180e\u200b\u200c\u200d\u2060\ufe0f\ufeff\ufffd\ue000\U000e0041"
NONCHARACTERS = "\ufdd0\ufffe\uffff\U0001fffe\U0010ffff"
SEQUENCES = (
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f44d\U0001f3fd",
    "\U0001f1f0\U0001f1f7",
    "1\ufe0f\u20e3",
    "\u0915\u094d\u200d\u0937",
    "\u1112\u1161\u11ab",
    "\u0130stanbul",
    "\u03a3\u0391\u03a3",
    "\u00c5ngstr\u00f6m",
    "e\u0301\u0323",
    "\u1ea4",
    "\u2260=\u0338",
    "\u0344\u0345\u0301",
    "don't",
    "[CLS]",
    "[sep]",
    "[[UNK]]",
    "[MASK]x",
    "[PAD",
    "##ing",
    "##",
    "://",
)


def random_texts(count: int, *, seed: int = 2) -> Iterator[str]:
    """`count` strings of one to four scripts, with marks, spaces and special sequences between."""
    rng = random.Random(seed)
    alphabets = [within(ranges) for ranges in SCRIPTS.values()]
    marks = within(MARK_RANGES) + LASTING_MARKS * 3 + STARTER_MARKS * 4
    odd = INVISIBLE + NONCHARACTERS
    for _ in range(count):
        own = rng.choices(alphabets, k=rng.randint(1, 4))
        parts: list[str] = []
        for _ in range(rng.randint(1, 12)):
            parts += rng.choices(rng.choice(own), k=rng.randint(1, 9))
            kind = rng.random()
            if kind < 0.35:
                parts.append(" ")
            elif kind < 0.45:
                parts.append(rng.choice(SPACES))
            elif kind < 0.60:
                parts += rng.choices(marks, k=rng.randint(1, 5))
            elif kind < 0.70:
                parts.append(rng.choice(odd))
                parts += rng.choices(marks, k=rng.randint(0, 2))
            elif kind < 0.85:
                parts.append(rng.choice(SEQUENCES))
        yield "".join(parts)


def code_point_texts(points: Iterable[int]) -> Iterator[str]:
    """Each code point alone, inside a word, at its start, and inside a run of marks that stay."""
    for char in map(chr, points):
        yield from (char, f"a{char}b", f"{char}a", f"a\u302e{char}\u1b44b")


def mark_pairs() -> Iterator[str]:
    """Every two marks that stay, in both orders."""
    for first in LASTING_MARKS:
        yield from (f"a{first}{second}" for second in LASTING_MARKS)


def telling_points() -> list[int]:
    """Some 40,000 code points: the blocks of small scripts whole, a few of the large ones."""
    large = ((0x3400, 0x9FFF), (0xA000, 0xA48F), (0xAC00, 0xD7AF), (0xE000, 0xF8FF))
    sparse = [p for low, high in large for p in (*range(low, high, 97), low, high)]
    whole = [p for p in range(0xFFFF + 1) if not any(low <= p <= high for low, high in large)]
    above = [*range(0x10000, 0x20000, 3), *range(0x1D000, 0x1D250), *range(0x1E000, 0x1E030)]
    far = [
        *range(0x20000, 0x2F800, 1009),
        *range(0x2F800, 0x2FA20),
        *range(0x2FA20, 0x110000, 2003),
    ]
    kept = {p for p in (*sparse, *whole, *above, *far) if not 0xD800 <= p < 0xE000}
    return sorted(kept | {0xE0001, 0xE0020, 0xE0100, 0xE01EF, 0xF0000, 0x10FFFD, 0x10FFFF})


def hostile_texts() -> dict[str, str]:
    """Texts at limits, by name."""
    marks = random.Random(3)
    unsorted_marks = "".join(marks.choices(within(MARK_RANGES) + LASTING_MARKS * 2, k=10_000))
    texts = {
        "empty": "",
        "space": " ",
        "spaces": SPACES,
        "invisible": INVISIBLE,
        "noncharacters": NONCHARACTERS,
        "nul_inside": "a\0b \0 c",
        "bom": "\ufeffhello",
        "one_mb_of_one_letter": "a" * 1_000_000,
        "one_mb_of_one_accent": "\u0301" * 500_000,
        "one_mb_of_han": "\u4e2d" * 330_000,
        "one_mb_of_punctuation": "." * 300_000,
        "marks_unsorted": unsorted_marks,
        "marks_in_a_word": f"a{unsorted_marks}b",
        "lasting_marks": "a" + LASTING_MARKS[::-1] + LASTING_MARKS + "b",
        "lasting_marks_cut_by_starter": "a\U0001d16d\u034f\u302e\u0941\u1b44",
        "lasting_marks_across_removed": "a\U0001d16d\0\u302e\u200d\u1b44",
        "lasting_marks_across_space": "a\U0001d16d \u302e",
        "lasting_marks_across_han": "\U0001d16d\u4e00\u302e\u1b44",
        "lasting_marks_after_hangul": "\ud55c\u302e\u1b44\u302f\uae00",
        "lasting_marks_in_added": "a\U0001d16d[CLS]\u302e\u1b44",
        "compatibility_han": "\uf900\uf9ff\U0002f800\U0002fa1d",
        "jamo": "\u1112\u1161\u11ab\ud55c\u3134",
        "dotted_i": "\u0130 I\u0307 i\u0307 \u0130\u0307",
        "final_sigma": "\u03a3\u0391\u03a3 \u03a3",
        "prefix": "##ing ## # ###a a##b",
        "open_bracket_run": "[" * 5_000,
        "crlf": "a\r\nb\rc\n",
    }
    for special in ("CLS", "MASK", "UNK", "PAD", "SEP"):
        low, title = special.lower(), special.title()
        texts[f"added_{low}"] = (
            f"[{special}] [{low}] [{title}] x[{special}]y [[{special}]] [{special}[{special}]] "
            f"[{special}][{special}] [ {special} ] [{special}\u0301] [\0{special}] ##[{special}]"
        )
    for length in (99, 100, 101):
        for name, char in (
            ("letter", "a"),
            ("accented", "\u00e9"),
            ("decomposed", "e\u0301"),
            ("vanishing", "z\u0301\u0323\u0316"),
            ("cyrillic", "\u0436"),
            ("hangul", "\ud55c"),
            ("deseret", "\U00010400"),
            ("dotted_i", "\u0130"),
            ("removed", "b\u200d"),
            ("lasting_mark", "\u302e"),
        ):
            texts[f"word_of_{length}_{name}"] = char * length
            texts[f"words_around_{length}_{name}"] = f"x {char * length} y {char * length}."
    return texts


LONE_SURROGATES = ("\ud800", "a\udfffb", "\ud83d", "\ude00\ud83d", "x" * 70 + "\udc80")


def eval_texts(folder: Path, *, each: int | None = None) -> Iterator[str]:
    """Documents and queries of the evaluation sets, the first `each` of a file."""
    for path in sorted(folder.glob("eval/*/*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in islice(lines, each):
                record = json.loads(line)
                yield f"{record.get('title', '')} {record['text']}".strip()
