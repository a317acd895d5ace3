"""BPE: what of it the core runs, and the sections it runs it with."""

from __future__ import annotations

import struct
from typing import Any

from pumice import _core
from pumice.modelfile.byte_level import BYTE_OF_CHARACTER, bytes_of_token
from pumice.modelfile.container import Kind
from pumice.modelfile.merges import merge_table
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
    slot_bits, probes, slots = merge_table(model)
    header = struct.pack("<260I", flags, unknown, slot_bits, probes, *ids)
    sections[Kind.MODEL] = header + slots
    sections[Kind.VOCABULARY] = whole_pieces(model, sections[Kind.MODEL], byte_level=byte_level)
    return NativeTokenizer(BPE, sections=sections)


def byte_ids(model: dict[str, Any], *, byte_level: bool) -> list[int]:
    """For each byte its token: ByteLevel's character, or that of byte fallback."""
    if byte_level:
        characters = sorted(BYTE_OF_CHARACTER, key=BYTE_OF_CHARACTER.__getitem__)
        return [model["vocab"].get(character, NONE) for character in characters]
    return [model["vocab"].get(f"<0x{byte:02X}>", NONE) for byte in range(256)]


def whole_pieces(model: dict[str, Any], section: bytes, *, byte_level: bool) -> bytes:
    """The trie of the pieces that are one token: with ignore_merges all, else those that merge to it."""
    spelled = {t: bytes_of_token(t) if byte_level else encoded(t) for t in model["vocab"]}
    keys = {key: model["vocab"][token] for token, key in spelled.items() if key}
    if not model.get("ignore_merges"):
        single = {} if byte_level else {k: i for k, i in keys.items() if len(k.decode()) == 1}
        trie = build_trie(single) if single else b""
        merged = _core.bpe_merges_whole(section, trie, list(keys), list(keys.values()))
        keys = {
            key: index for (key, index), whole in zip(keys.items(), merged, strict=True) if whole
        }
    return build_trie(keys)
