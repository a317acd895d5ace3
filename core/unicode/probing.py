"""What HF `tokenizers` does to code points, found by asking it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import pairwise

from tokenizers import normalizers, pre_tokenizers

SCALARS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)

# The bits of unicode.h's Property.
WHITESPACE, REMOVED, NONSPACING_MARK, PUNCTUATION, CHINESE, LOWERCASES, DECOMPOSES, COMBINES = (
    1 << bit for bit in range(8)
)


def bert(**flags: bool) -> Callable[[str], str]:
    """The BERT normalizer with only `flags` on."""
    off = dict.fromkeys(("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"), False)
    normalize: Callable[[str], str] = normalizers.BertNormalizer(**{**off, **flags}).normalize_str
    return normalize


def probe_properties(lower: dict[int, str], nfd: dict[int, str], classes: list[int]) -> list[int]:
    """Each code point's Property bits, as the library behaves."""
    clean, chinese = bert(clean_text=True), bert(handle_chinese_chars=True)
    strip = bert(strip_accents=True)
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    bits = [0] * 0x110000
    for point in SCALARS:
        char = chr(point)
        words = [word for word, _ in split(f"a{char}b")]
        cleaned = clean(char)
        whitespace, removed = words == ["a", "b"], cleaned == ""
        # unicode.h promises: what is not deleted becomes a space exactly when it is whitespace.
        expected = "" if removed else " " if whitespace else char
        if cleaned != expected:
            raise SystemExit(f"clean_text turns U+{point:04X} into {cleaned!r}")
        bits[point] = (
            WHITESPACE * whitespace
            | REMOVED * removed
            | NONSPACING_MARK * (strip(char) == "")
            | PUNCTUATION * (words == ["a", char, "b"])
            | CHINESE * (chinese(char) == f" {char} ")
            | LOWERCASES * (point in lower)
            | DECOMPOSES * (point in nfd)
            | COMBINES * (classes[point] != 0)
        )
    return bits


def probe_mapping(normalize: Callable[[str], str]) -> dict[int, str]:
    """The code points that `normalize` changes, and into what."""
    return {point: out for point in SCALARS if (out := normalize(chr(point))) != chr(point)}


def probe_classes(nfd: dict[int, str]) -> list[int]:
    """Each code point's canonical combining class, found from how NFD reorders pairs.

    Two adjacent marks change places exactly when 0 < class(second) < class(first). Python's table
    only supplies one mark for each class; where a code point belongs is measured.
    """
    normalize = normalizers.NFD().normalize_str

    def swaps(first: int, second: int) -> bool:
        pair = chr(first) + chr(second)
        return first != second and bool(normalize(pair) == pair[::-1])

    lowest, highest = 0x0334, 0x0345  # classes 1 and 240
    moving = [p for p in SCALARS if p not in nfd and (swaps(highest, p) or swaps(p, lowest))]
    marks: dict[int, int] = {}
    for point in moving:
        if known := unicodedata.combining(chr(point)):
            marks.setdefault(known, point)
    ladder = sorted(marks)
    for low, high in pairwise(ladder):
        if not swaps(marks[high], marks[low]):
            raise SystemExit(f"classes {low} and {high} are not ordered as Python has them")
    classes = [0] * 0x110000
    for point in moving:
        equal = [c for c in ladder if not swaps(marks[c], point) and not swaps(point, marks[c])]
        if len(equal) != 1:
            raise SystemExit(f"U+{point:04X} has a combining class that Python does not know")
        classes[point] = equal[0]
    return classes


def hangul(point: int) -> str:
    """The algorithmic decomposition of a Hangul syllable (Unicode, section 3.12)."""
    lead, rest = divmod(point - 0xAC00, 588)
    vowel, tail = divmod(rest, 28)
    return chr(0x1100 + lead) + chr(0x1161 + vowel) + (chr(0x11A7 + tail) if tail else "")
