"""BPE's merges as the hash table that the core reads in place (docs/format.md)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from pumice.modelfile.native_tokenizer import NO_NODE, NotNativeError

MAX_PROBES = 256
MAX_SLOT_BITS = 26
DOUBLINGS = 4
"""How often a table may become twice as large for shorter searches: pairs made to collide are not followed."""
LEFT, RIGHT = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
EMPTY = (NO_NODE, NO_NODE, NO_NODE, NO_NODE)


@dataclass(frozen=True)
class MergeTable:
    """The slots, log2 of how many, and how many of them a search looks at."""

    slot_bits: int
    probes: int
    slots: bytes


def merge_table(model: dict[str, Any]) -> MergeTable:
    """That of model.merges; NotNativeError where it would be too large or searches too long."""
    merges = merged_ids(model)
    fewest = max(1, (len(merges) * 3 // 2).bit_length())
    for slot_bits in range(fewest, min(fewest + DOUBLINGS, MAX_SLOT_BITS) + 1):
        slots = [EMPTY] * (1 << slot_bits)
        longest = 1
        for (left, right), (rank, index) in merges.items():
            slot = home(left, right, slot_bits)
            probes = 1
            while slots[slot] is not EMPTY:
                slot = (slot + 1) % len(slots)
                probes += 1
            slots[slot] = (left, right, rank, index)
            longest = max(longest, probes)
        # One more: the empty slot that ends the search for a pair that does not merge.
        if longest < MAX_PROBES:
            data = struct.pack(f"<{4 * len(slots)}I", *(word for slot in slots for word in slot))
            return MergeTable(slot_bits, MAX_PROBES, data)
    if fewest > MAX_SLOT_BITS:
        raise NotNativeError(f"model.merges are more than {1 << MAX_SLOT_BITS} slots hold")
    raise NotNativeError(f"too many of model.merges have the same hash in {1 << slot_bits} slots")


def merged_ids(model: dict[str, Any]) -> dict[tuple[int, int], tuple[int, int]]:
    """For each pair of tokens its rank and what it becomes; of a pair given twice the last holds."""
    vocab, found = model["vocab"], {}
    for rank, merge in enumerate(model["merges"]):
        pair = merge.split(" ") if isinstance(merge, str) else merge
        try:
            left, right = pair
            found[vocab[left], vocab[right]] = rank, vocab[left + right]
        except (KeyError, ValueError):
            raise NotNativeError(f"model.merges[{rank}] is not of the vocabulary") from None
    return found


def home(left: int, right: int, slot_bits: int) -> int:
    """The slot that the search for a pair begins at."""
    mixed = (left * LEFT) ^ (right * RIGHT)
    return (mixed * LEFT & 0xFFFFFFFFFFFFFFFF) >> 32 & (1 << slot_bits) - 1
