"""Renders graphemes.inc: where HF tokenizers' Precompiled normalizer ends a grapheme cluster.

The library shows its clusters in one place only. Precompiled replaces a whole cluster of fewer than
six bytes at once, and anything else by code points: with a charsmap that turns everything into "Y",
the number of Ys tells the two apart. What cannot be told so cannot change a result either.

The reference is tokenizers 0.22, whose clusters are Unicode 16's. 0.23 has Unicode 17's and cuts around
1,417 code points otherwise (Myanmar and Khmer conjuncts, unassigned emoji). With the charsmaps that
SentencePiece makes no text was found where that shows: their keys begin no such cluster.
"""

from __future__ import annotations

import struct

import tokenizers
from arrays import PAST_END, TRIE_END, array, constant, runs, trie
from probing import SCALARS
from tokenizers import normalizers

ACUTE, ZWJ, EMOJI, LATIN_EMOJI = "\u0301", "\u200d", "\u263a", "\u00a9"
LEAD, VOWEL, TAIL = "\u1112", "\u1161", "\u11a8"
CONSONANT, LINKER = "\u0915", "\u094d"

# c among neighbours that tell classes apart.
PROBES = [
    template.format(c="{c}", a=ACUTE, z=ZWJ, e=EMOJI, l=LATIN_EMOJI, k=CONSONANT, v=LINKER)
    for template in (
        "a{c}", "{c}a", "{c}{a}{a}", "\r{c}", "{c}\n",
        "{l}{z}{c}", "{l}{c}{z}{e}{a}", "{l}{c}{e}{a}", "{c}{z}{e}{a}",
        "{c}{v}{k}{a}", "{k}{c}{k}{a}", "{k}{v}{c}{k}{a}", "{k}{v}{c}{a}",
        f"{LEAD}{{c}}{{a}}", f"{VOWEL}{{c}}{{a}}", f"{TAIL}{{c}}{{a}}",
        f"{{c}}{LEAD}{{a}}", f"{{c}}{VOWEL}{{a}}", f"{{c}}{TAIL}{{a}}",
    )
]  # fmt: skip
# An example of each class, in the order of graphemes.inc's Grapheme.
EXAMPLES = {
    "kOther": "a",
    "kReturn": "\r",
    "kNewline": "\n",
    "kControl": "\u0001",
    "kExtend": ACUTE,
    "kLoneExtend": "\u200c",
    "kJoiner": ZWJ,
    "kSpacing": "\u0903",
    "kPrepend": "\u0600",
    "kLead": LEAD,
    "kVowel": VOWEL,
    "kTail": TAIL,
    "kLeadVowel": "\uac00",
    "kLeadVowelTail": "\uac01",
    "kEmoji": EMOJI,
    "kConsonant": CONSONANT,
    "kLinker": LINKER,
}
CONTINUING = ("kExtend", "kLoneExtend", "kJoiner", "kSpacing", "kLinker")
HANGUL_FOLLOWERS = {
    "kLead": ("kLead", "kVowel", "kLeadVowel", "kLeadVowelTail"),
    "kLeadVowel": ("kVowel", "kTail"),
    "kVowel": ("kVowel", "kTail"),
    "kLeadVowelTail": ("kTail",),
    "kTail": ("kTail",),
}


def has_reference() -> bool:
    """Whether the installed library has the clusters that graphemes.inc describes."""
    return str(tokenizers.__version__).startswith("0.22.")


def everything_to_y() -> bytes:
    """A charsmap that turns every code point but NUL into Y: its trie shares nodes between branches."""
    block = 256
    units = [0] * (6 * block)

    def lead_to(position: int, label: int, target: int, *, leaf: bool) -> None:
        units[position] = (position ^ target * block) << 10 | leaf << 8 | label

    lead_to(0, 0, 1, leaf=False)
    for byte in range(1, 0xF5):
        if not 0x80 <= byte < 0xC2:
            tail = 5 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            lead_to(block + byte, byte, tail, leaf=tail == 5)
    for byte in range(0x80, 0xC0):
        for level, tail in ((2, 5), (3, 2), (4, 3)):
            lead_to(level * block + byte, byte, tail, leaf=tail == 5)
    units[5 * block] = 1 << 31
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + b"Y\0"


def joins(classes: list[str]) -> list[bool]:
    """Whether each code point belongs to its predecessor's cluster: Unicode annex 29, as graphemes.h.

    Regional indicators take four bytes each and are left out: no cluster of fewer than six holds two.
    """
    out: list[bool] = []
    previous, emoji, conjunct = "", 0, 0
    for now in classes:
        controls = ("kReturn", "kNewline", "kControl")
        out.append(
            (previous, now) == ("kReturn", "kNewline")
            or (
                previous not in ("", *controls)
                and now not in controls
                and (
                    now in CONTINUING
                    or previous == "kPrepend"
                    or now in HANGUL_FOLLOWERS.get(previous, ())
                    or (conjunct == 2 and now == "kConsonant")
                    or (emoji == 2 and now == "kEmoji")
                )
            )
        )
        if now == "kEmoji":
            emoji = 1
        elif now == "kJoiner":
            emoji = 2 * (emoji == 1)
        elif now not in ("kExtend", "kLoneExtend", "kLinker"):
            emoji = 0
        if now == "kConsonant":
            conjunct = 1
        elif now == "kLinker":
            conjunct = 2 * (conjunct > 0)
        elif now not in ("kExtend", "kJoiner"):
            conjunct = 0
        previous = now
    return out


def expected(text: str, classes: dict[str, str]) -> int:
    """How many Ys the library makes of a text."""
    clusters: list[str] = []
    for char, joined in zip(text, joins([classes[char] for char in text]), strict=True):
        if joined:
            clusters[-1] += char
        else:
            clusters.append(char)
    return sum(1 if len(cluster.encode()) < 6 else len(cluster) for cluster in clusters)


def probe_classes() -> list[int]:
    """The number of each code point's class, found from how the library cuts the probes."""
    normalize = normalizers.Precompiled(everything_to_y()).normalize_str
    neighbours = {example: name for name, example in EXAMPLES.items()}
    neighbours |= {LATIN_EMOJI: "kEmoji"}
    known: dict[tuple[int, ...], int] = {}
    for number, name in enumerate(EXAMPLES):
        for char in "\u0002\u0080\u0800\U00010000":  # one of every length in UTF-8
            ys = (expected(p.format(c=char), {**neighbours, char: name}) for p in PROBES)
            known.setdefault((len(char.encode()), *ys), number)
    classes = [0] * 0x110000
    for point in SCALARS[1:]:
        char = chr(point)
        counts = (len(char.encode()), *(len(normalize(p.format(c=char))) for p in PROBES))
        if counts not in known:
            raise SystemExit(f"U+{point:04X} behaves as no known class: {counts}")
        classes[point] = known[counts]
    classes[0] = list(EXAMPLES).index("kControl")
    return classes


def render() -> str:
    """The text of graphemes.inc."""
    classes = probe_classes()
    size, stage, data = trie(classes[:TRIE_END])
    above = runs((p, classes[p]) for p in range(TRIE_END, 0x110000))
    return "".join(
        [
            "// Generated by core/unicode/generate.py from Hugging Face tokenizers. Do not edit.\n",
            f"enum Grapheme : std::uint8_t {{ {', '.join(EXAMPLES)} }};\n",
            constant("unsigned", "kGraphemeBlockBits", size.bit_length() - 1),
            array("std::uint8_t", "kGraphemeBlockOfPoint", stage),
            array("std::uint8_t", "kGraphemeBlocks", data),
            "// Above the trie: the first code point of each run << 8 | its class.\n",
            array(
                "std::uint32_t", "kGraphemeRuns", (hex(p << 8 | v) for p, v in (*above, PAST_END))
            ),
        ]
    )
