"""BPE's merges are compiled in time and memory that their number bounds, while other threads run."""

from __future__ import annotations

import struct
import threading
import time

import numpy as np
import pytest

from pumice import _core
from pumice.modelfile.merges import DOUBLINGS, LEFT, RIGHT, merge_table
from pumice.modelfile.native_tokenizer import NO_NODE, NotNativeError


def letters(longest: int) -> bytes:
    """The model section of a, aa, aaa, ...: each is the one before and a letter, the longest merged first."""
    vocab = {"a" * size: size - 1 for size in range(1, longest + 1)}
    merges = [["a" * size, "a"] for size in range(longest - 1, 0, -1)]
    table = merge_table({"vocab": vocab, "merges": merges})
    ids = [vocab["a"] if byte == ord("a") else NO_NODE for byte in range(256)]
    return struct.pack("<260I", 1, NO_NODE, table.slot_bits, table.probes, *ids) + table.slots


def parts_of(section: bytes, sizes: list[int]) -> list[list[int]]:
    keys, ids = [b"a" * size for size in sizes], [size - 1 for size in sizes]
    return (
        np.frombuffer(_core.bpe_token_parts(section, b"", keys, ids), "<u4").reshape(-1, 3).tolist()
    )


@pytest.mark.parametrize("longest", [3, 128, 129, 256, 257, 400])
def test_what_long_tokens_are_merged_of(longest: int) -> None:
    parts = parts_of(letters(longest), [1, 2, longest - 1, longest])
    assert parts[0] == [NO_NODE, NO_NODE, 0]
    assert parts[1] == [0, 0, longest - 1]
    last = [longest - 2, 0, 1] if longest <= 256 else [NO_NODE, NO_NODE, 1]
    assert parts[3] == last


def test_a_token_that_merging_does_not_make() -> None:
    section = letters(8)
    keys = [b"aaaa", b"aab", b"", b"a" * 9]
    found = np.frombuffer(_core.bpe_token_parts(section, b"", keys, [4, 2, 0, 7]), "<u4")
    assert (found.reshape(-1, 3) == [NO_NODE, NO_NODE, 0xFFFFFFFF]).all()


def test_other_threads_run_meanwhile() -> None:
    section = letters(256)
    work = threading.Thread(target=parts_of, args=(section, [256] * 20_000))
    work.start()
    turns = 0
    while work.is_alive():
        time.sleep(0.001)
        turns += 1
    assert turns > 20


def test_merges_made_to_collide_take_no_more_room_than_others() -> None:
    """Pairs whose hash is the same in tables of any size that is tried."""
    ids = np.arange(2_500, dtype=np.uint64)
    mixed = ids[:, None] * np.uint64(LEFT) ^ ids * np.uint64(RIGHT)
    homes = (mixed * np.uint64(LEFT) >> np.uint64(32)) & np.uint64((1 << 9 + DOUBLINGS) - 1)
    pairs = np.argwhere(homes == np.bincount(homes.ravel().astype(np.int64)).argmax())[:300]
    characters = [chr(0x4E00 + index) for index in range(len(ids))]
    merges = [[characters[left], characters[right]] for left, right in pairs]
    vocab = {token: index for index, token in enumerate([*characters, *map("".join, merges)])}
    with pytest.raises(NotNativeError, match="have the same hash in 8192 slots"):
        merge_table({"vocab": vocab, "merges": merges})
