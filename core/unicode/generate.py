"""Writes the core's Unicode data, tables.inc and others: what HF `tokenizers` does to every code point.

The reference is the library and not a Unicode version: it mixes Rust's own tables with crates of
other ages, so no published data file equals it. tokenizers 0.22.2 to 0.23.3 give the same tables,
graphemes.inc apart.
`python generate.py` writes, `python generate.py --check` compares.
"""

from __future__ import annotations

import argparse
import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from tokenizers import normalizers, pre_tokenizers

FOLDER = Path(__file__).parent
SCALARS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)

# The bits of unicode.h's Property.
WHITESPACE, REMOVED, NONSPACING_MARK, PUNCTUATION, CHINESE, LOWERCASES, DECOMPOSES, COMBINES = (
    1 << bit for bit in range(8)
)
# Code points below TRIE_END are looked up in the trie, the few long ranges above by search.
TRIE_END = 0x20000
PAST_END = (0x110000, 0)
BLOCK_SIZES = (16, 32, 64, 128, 256)


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


def strip_commutes(nfd: dict[int, str], properties: list[int]) -> None:
    """Stops when stripping a code point is not decomposing it and dropping nonspacing marks."""
    strip = bert(strip_accents=True)
    for point in SCALARS:
        kept = (c for c in nfd.get(point, chr(point)) if not properties[ord(c)] & NONSPACING_MARK)
        if strip(chr(point)) != "".join(kept):
            raise SystemExit(f"strip_accents of U+{point:04X} is not NFD without marks")


def hangul(point: int) -> str:
    """The algorithmic decomposition of a Hangul syllable (Unicode, section 3.12)."""
    lead, rest = divmod(point - 0xAC00, 588)
    vowel, tail = divmod(rest, 28)
    return chr(0x1100 + lead) + chr(0x1161 + vowel) + (chr(0x11A7 + tail) if tail else "")


def runs(values: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The first (code point, value) of each run of equal values, whatever lies between them."""
    found: list[tuple[int, int]] = []
    for point, value in values:
        if not found or found[-1][1] != value:
            found.append((point, value))
    return found


def trie(values: Sequence[int]) -> tuple[int, list[int], list[int]]:
    """(block size, number of each block, the distinct blocks) of the smallest two-stage trie."""
    best: tuple[int, list[int], list[int]] | None = None
    for size in BLOCK_SIZES:
        blocks: dict[tuple[int, ...], int] = {}
        stage = [
            blocks.setdefault(tuple(values[at : at + size]), len(blocks))
            for at in range(0, len(values), size)
        ]
        data = [value for block in blocks for value in block]
        if len(blocks) <= 256 and (
            best is None or len(stage) + len(data) < len(best[1]) + len(best[2])
        ):
            best = size, stage, data
    if best is None:
        raise SystemExit("no block size gives 256 distinct blocks or fewer")
    return best


def pack(nfd: dict[int, str]) -> tuple[list[int], list[int], tuple[int, ...]]:
    """The decomposing code points, for each an address, and the UTF-16 pool that it points into."""
    pool: tuple[int, ...] = ()
    addresses: dict[int, int] = {}
    for point, out in sorted(nfd.items(), key=lambda item: (-len(item[1]), item[0])):
        raw = out.encode("utf-16-le")
        units = tuple(raw[at] | raw[at + 1] << 8 for at in range(0, len(raw), 2))
        at = next((i for i in range(len(pool)) if pool[i : i + len(units)] == units), len(pool))
        if at == len(pool):
            pool += units
        if at >= 1 << 13 or len(units) > 8:
            raise SystemExit("decompositions outgrew their 13 + 3 bit addresses")
        addresses[point] = at | len(units) - 1 << 13
    keys = sorted(addresses)
    low = [point & 0xFFFF for point in keys if point > 0xFFFF]
    if low != sorted(set(low)):
        raise SystemExit("decompositions above plane 0 are no longer told apart by 16 bits")
    return keys, [addresses[point] for point in keys], pool


def array(kind: str, name: str, items: Iterable[str | int]) -> str:
    """A C++ array, its lines filled to 100 columns."""
    lines, line = [], "   "
    for item in items:
        if len(line) + len(text := f" {item},") > 100:
            lines.append(line)
            line = "   "
        line += text
    return f"inline constexpr {kind} {name}[] = {{\n" + "\n".join([*lines, line]) + "\n};\n"


def constant(kind: str, name: str, value: str | int) -> str:
    """A C++ constant."""
    return f"inline constexpr {kind} {name} = {value};\n"


def render() -> str:
    """The text of tables.inc."""
    nfd, lower = (
        probe_mapping(f().normalize_str) for f in (normalizers.NFD, normalizers.Lowercase)
    )
    if lower != probe_mapping(bert(lowercase=True)):
        raise SystemExit("BertNormalizer and Lowercase disagree")
    if any(nfd.pop(point) != hangul(point) for point in HANGUL):
        raise SystemExit("Hangul does not decompose algorithmically")
    everything = nfd | {point: hangul(point) for point in HANGUL}
    classes = probe_classes(everything)
    properties = probe_properties(lower, everything, classes)
    strip_commutes(everything, properties)

    size, stage, data = trie(properties[:TRIE_END])
    above = runs((p, properties[p]) for p in range(TRIE_END, 0x110000))
    class_runs = runs((p, classes[p]) for p in SCALARS if classes[p])
    longer = {point: out for point, out in lower.items() if len(out) > 1}
    if longer != {0x130: "i\u0307"}:
        raise SystemExit(f"unicode.cpp knows only U+0130 to lowercase to two: {longer}")
    shifts = runs((p, ord(out) - p) for p, out in sorted(lower.items()) if len(out) == 1)
    differences = sorted({difference for _, difference in shifts})
    keys, addresses, pool = pack(nfd)
    return "".join(
        [
            "// Generated by core/unicode/generate.py from Hugging Face tokenizers. Do not edit.\n",
            constant("unsigned", "kBlockBits", size.bit_length() - 1),
            constant("char32_t", "kTrieEnd", hex(TRIE_END)),
            array("std::uint8_t", "kBlockOfPoint", stage),
            array("std::uint8_t", "kBlocks", data),
            "// Above the trie: the first code point of each run << 8 | its properties.\n",
            array("std::uint32_t", "kRunsAbove", (hex(p << 8 | v) for p, v in (*above, PAST_END))),
            "// Of those that combine, the first of each run of one class << 8 | that class.\n",
            array("std::uint32_t", "kClassRuns", (hex(p << 8 | value) for p, value in class_runs)),
            "// Of those that lowercase, the first of each run of one difference << 8 | index.\n",
            array("std::int32_t", "kLowerDifferences", differences),
            array(
                "std::uint32_t",
                "kLowerRuns",
                (hex(p << 8 | differences.index(shift)) for p, shift in shifts),
            ),
            "// What decomposes but Hangul: the low 16 bits, plane 0 first and then above;\n",
            "// for each, its UTF-16 units - 1 << 13 | where they start in the pool.\n",
            constant("unsigned", "kDecomposedInPlane0", bisect_right(keys, 0xFFFF)),
            array("std::uint16_t", "kDecomposed", (hex(point & 0xFFFF) for point in keys)),
            array("std::uint16_t", "kDecomposition", map(hex, addresses)),
            array("std::uint16_t", "kPool", map(hex, pool)),
        ]
    )


def main() -> int:
    """Write the tables, or compare with them."""
    import graphemes  # these take probes and array writers from here
    import normal_forms

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a table differs")
    check = parser.parse_args().check
    tables = {"tables.inc": render, "normal_forms.inc": normal_forms.render}
    if graphemes.has_reference():
        tables["graphemes.inc"] = graphemes.render
    else:
        print("graphemes.inc is left alone: it is what tokenizers 0.22 gives", file=sys.stderr)
    for name, rendered in tables.items():
        path, text = FOLDER / name, rendered()
        if not check:
            path.write_text(text, encoding="ascii")
        elif not path.exists() or path.read_text(encoding="ascii") != text:
            sys.exit(f"core/unicode/{name} differs: run python core/unicode/generate.py")
    return 0


if __name__ == "__main__":
    main()
