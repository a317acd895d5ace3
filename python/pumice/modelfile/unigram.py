"""Unigram: what of it the core runs, and the sections it runs it with."""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any

from pumice.modelfile.container import Kind
from pumice.modelfile.native_tokenizer import UNIGRAM, NativeTokenizer, NotNativeError
from pumice.modelfile.stages import stage_sections
from pumice.modelfile.trie import build_trie, encoded

UNKNOWN_PENALTY = 10.0
BYTE_FALLBACK = 1
MAX_TOKEN = 256
"""Bytes of the longest token that the core finds, which bounds its work per byte of text."""
NO_TOKEN = 0xFFFFFFFF


def compile_unigram(tokenizer: dict[str, Any]) -> NativeTokenizer:
    """Build the run-time structures, or raise NotNativeError."""
    model = tokenizer["model"]
    if model.get("unk_id") is None:
        raise NotNativeError("model.unk_id is missing: the library fails at unknown characters")
    if unknown := set(model) - {"type", "unk_id", "vocab", "byte_fallback"}:
        raise NotNativeError(f"model.{min(unknown)} is set")
    vocab = {token: index for index, (token, _) in enumerate(model["vocab"])}
    if any("\0" in token for token in vocab):
        raise NotNativeError("a token holds a NUL")
    longest = max((len(encoded(token)) for token in vocab), default=0)
    if longest > MAX_TOKEN:
        raise NotNativeError(f"a token has {longest} bytes (the core finds up to {MAX_TOKEN})")
    sections = stage_sections(tokenizer, byte_level=False)
    sections[Kind.VOCABULARY] = build_trie(
        {encoded(token): index for token, index in vocab.items() if token}
    )
    sections[Kind.MODEL] = scores_section(model, vocab)
    return NativeTokenizer(UNIGRAM, sections=sections)


def scores_section(model: dict[str, Any], vocab: dict[str, int]) -> bytes:
    """The scores of all tokens and of an unknown character, then the ids of bytes."""
    scores = [as_tokenizers_reads(score) for _, score in model["vocab"]]
    fallback = bool(model.get("byte_fallback"))
    unknown = min(scores) - UNKNOWN_PENALTY
    head = struct.pack("<IId", len(scores), BYTE_FALLBACK * fallback, unknown)
    ids = [vocab.get(f"<0x{byte:02X}>", NO_TOKEN) for byte in range(256)] if fallback else []
    return head + struct.pack(f"<{len(scores)}d{len(ids)}I", *scores, *ids)


def as_tokenizers_reads(score: float) -> float:
    """The double that the library's JSON reader makes of a number's shortest decimal form.

    That reader takes all digits as one integer and divides it by a power of ten: two roundings, and
    one number in ten is not the nearest double. Equal scores decide between tokens, so bits matter.
    """
    sign, digits, exponent = Decimal(repr(float(score))).as_tuple()
    if not isinstance(exponent, int):
        raise NotNativeError(f"a token's score is {score}")
    value = float(int("".join(map(str, digits))))
    while exponent < -308:
        value, exponent = value / 1e308, exponent + 308
    value = value * float(f"1e{exponent}") if exponent >= 0 else value / float(f"1e{-exponent}")
    return -value if sign else value
