"""Writes decompositions.h's tables: what code points decompose to, entries counted, not listed."""

from __future__ import annotations

from collections.abc import Sequence

from arrays import TRIE_END, array

COUNTED_BITS = 6  # of the blocks that are counted in, which those of the trie must be


def utf16(text: str) -> tuple[int, ...]:
    """The UTF-16 units of a text."""
    raw = text.encode("utf-16-le")
    return tuple(raw[at] | raw[at + 1] << 8 for at in range(0, len(raw), 2))


def decompositions(
    name: str, mapping: dict[int, str], *, bits: Sequence[int], bit: int, block_size: int
) -> str:
    """The arrays of `mapping`, whose code points are those with `bit` below the trie's end."""
    if block_size != 1 << COUNTED_BITS:
        raise SystemExit(f"{name}: decompositions.h counts in blocks of another size")
    blocks: list[int] = []
    firsts: list[int] = []
    places: list[int] = []
    units: list[int] = []
    pool: list[int] = []
    for point, out in sorted(mapping.items()):
        if not blocks or blocks[-1] != point >> COUNTED_BITS:
            blocks.append(point >> COUNTED_BITS)
            firsts.append(len(units))
            places.append(len(pool))
        begin = point >> COUNTED_BITS << COUNTED_BITS
        before = sum((bits[p] & bit) != 0 for p in range(begin, point))
        if len(units) - firsts[-1] != before:
            raise SystemExit(f"{name}: U+{point:04X} is not where its block's bits count to")
        if point >= TRIE_END and before != point - begin:
            raise SystemExit(f"{name}: above the trie, U+{point:04X} comes after a gap")
        parts = utf16(out)
        units.append(len(parts))
        pool += parts
    if max(units) > 18 or len(pool) >= 1 << 16:
        raise SystemExit(f"{name}: decompositions outgrew their places")
    return "".join(
        [
            array("std::uint16_t", f"k{name}Blocks", blocks),
            array("std::uint16_t", f"k{name}Entries", firsts),
            array("std::uint16_t", f"k{name}Places", places),
            array("std::uint8_t", f"k{name}Units", [*units, *[0] * 8]),
            array("std::uint8_t", f"k{name}Low", (unit & 0xFF for unit in pool)),
            array("std::uint8_t", f"k{name}High", (unit >> 8 for unit in pool)),
        ]
    )
