"""BPE: what of it the core runs, and the sections it runs it with."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from pumice import _core
from pumice.modelfile.byte_level import BYTE_OF_CHARACTER, bytes_of_token
from pumice.modelfile.container import Kind
from pumice.modelfile.merges import merge_table, merged_ids
from pumice.modelfile.native_tokenizer import BPE, NO_NODE, NativeTokenizer, NotNativeError
from pumice.modelfile.pre_tokenizers import is_byte_level
from pumice.modelfile.stages import stage_sections
from pumice.modelfile.trie import build_trie, encoded

NONE = NO_NODE
BYTE_LEVEL, BYTE_FALLBACK, FUSE_UNKNOWN = 1, 2, 4


def check_bpe(model: dict[str, Any]) -> None:
    """Raise NotNativeError for what the core does not run."""
    for field in ("dropout", "continuing_subword_prefix", "end_of_word_suffix"):
        if model.get(field):
            raise NotNativeError(f"model.{field} is {model[field]}")
    if model.get("unk_token") is not None and model["unk_token"] not in model["vocab"]:
        raise NotNativeError(f'the unknown token "{model["unk_token"]}" is not in the vocabulary')


def compile_bpe(tokenizer: dict[str, Any]) -> NativeTokenizer:
    """Build the run-time structures, or raise NotNativeError."""
    model = tokenizer["model"]
    check_bpe(model)
    byte_level = is_byte_level(tokenizer.get("pre_tokenizer"))
    sections = stage_sections(tokenizer, byte_level=byte_level)
    ids = byte_ids(model, byte_level=byte_level)
    flags = byte_level * BYTE_LEVEL | bool(model.get("fuse_unk")) * FUSE_UNKNOWN
    if model.get("byte_fallback") and not byte_level:
        flags |= BYTE_FALLBACK
    elif model.get("byte_fallback") and NONE in ids:
        raise NotNativeError("model.byte_fallback is set, and ByteLevel's alphabet is not whole")
    unknown = model["vocab"].get(model.get("unk_token"), NONE)
    table = merge_table(model)
    header = struct.pack("<260I", flags, unknown, table.slot_bits, table.probes, *ids)
    sections[Kind.MODEL] = header + table.slots
    keys = texts_of_tokens(model, byte_level=byte_level)
    tokens = max(model["vocab"].values(), default=-1) + 1
    parts = token_parts(keys, sections[Kind.MODEL], tokens=tokens, byte_level=byte_level)
    if rise(parts):
        earliest = earliest_merges(model, tokens)
        sections[Kind.TOKEN_PARTS] = np.hstack([parts, earliest.view("<u4")]).tobytes()
        sections[Kind.TOKEN_BORDERS] = _core.bpe_token_borders(
            sections[Kind.MODEL], sections[Kind.TOKEN_PARTS]
        )
    if not model.get("ignore_merges"):
        keys = {key: index for key, index in keys.items() if parts[index, 2] != NONE}
    sections[Kind.VOCABULARY] = build_trie(keys, near_parents=True)
    return NativeTokenizer(BPE, sections=sections)


def byte_ids(model: dict[str, Any], *, byte_level: bool) -> list[int]:
    """For each byte its token: ByteLevel's character, or that of byte fallback."""
    if byte_level:
        characters = sorted(BYTE_OF_CHARACTER, key=BYTE_OF_CHARACTER.__getitem__)
        return [model["vocab"].get(character, NONE) for character in characters]
    return [model["vocab"].get(f"<0x{byte:02X}>", NONE) for byte in range(256)]


def texts_of_tokens(model: dict[str, Any], *, byte_level: bool) -> dict[bytes, int]:
    """The bytes that each token stands for, with its id."""
    spelled = {t: bytes_of_token(t) if byte_level else encoded(t) for t in model["vocab"]}
    return {key: model["vocab"][token] for token, key in spelled.items() if key}


def token_parts(
    keys: dict[bytes, int], section: bytes, *, tokens: int, byte_level: bool
) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """What each token is merged of when its own text is: left, right, time (docs/format.md)."""
    single = {} if byte_level else {k: i for k, i in keys.items() if len(k.decode()) == 1}
    trie = build_trie(single) if single else b""
    found = _core.bpe_token_parts(section, trie, list(keys), list(keys.values()))
    parts = np.full((tokens, 3), NONE, "<u4")
    parts[list(keys.values())] = np.frombuffer(found, "<u4").reshape(-1, 3)
    return parts


def rise(parts: np.ndarray[Any, np.dtype[np.uint32]]) -> bool:
    """Whether each token is merged later than what it is merged of, as the core relies on."""
    left, right, time = parts[(parts[:, 2] != NONE) & (parts[:, 2] != 0)].T
    if (left >= len(parts)).any() or (right >= len(parts)).any():
        return False
    return bool(((parts[left, 2] < time) & (parts[right, 2] < time)).all())


def earliest_merges(model: dict[str, Any], tokens: int) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """When each token is first the left and the right of a merge, in steps of 8 (docs/format.md)."""
    merges = merged_ids(model)
    pairs = np.array(list(merges), np.int64).reshape(-1, 2)
    times = np.array([rank + 1 for rank, _ in merges.values()], np.int64)
    earliest = np.full((tokens, 2), 0xFFFF, np.int64)
    for side in range(2):
        np.minimum.at(earliest[:, side], pairs[:, side], times // 8)
    return earliest.astype("<u2")
