"""Unicode tables as C++ arrays: runs, two-stage tries, constants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Code points below TRIE_END are looked up in the trie, the few long ranges above by search.
TRIE_END = 0x20000
PAST_END = (0x110000, 0)
BLOCK_SIZES = (16, 32, 64, 128, 256)


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
