"""Metaspace and WhitespaceSplit, the pre-tokenizers of SentencePiece models."""

from __future__ import annotations

from typing import Any

from pumice.modelfile.native import NotNativeError
from pumice.modelfile.program import step

METASPACE, WHITESPACE_SPLIT = 100, 101
SCHEMES = ("never", "always", "first")


def compile_metaspace(pre_tokenizer: dict[str, Any] | None) -> bytes:
    """The pre-tokenizer section of Metaspace, WhitespaceSplit or a Sequence of these."""
    steps = flattened(pre_tokenizer)
    for position, part in enumerate(steps):
        if position and part["type"] == "Metaspace" and scheme(part) == "first":
            # The library asks for the piece's place in the text before it was normalised.
            raise NotNativeError('Metaspace with prepend_scheme "first" follows another step')
    return b"".join(map(metaspace_step, steps))


def flattened(pre_tokenizer: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The steps of a Sequence, or the only one."""
    if pre_tokenizer is None:
        return []
    if pre_tokenizer["type"] == "Sequence":
        return [step for part in pre_tokenizer["pretokenizers"] for step in flattened(part)]
    return [pre_tokenizer]


def scheme(metaspace: dict[str, Any]) -> str:
    """When a piece gets the replacement in front; old files say add_prefix_space instead."""
    if metaspace.get("add_prefix_space") is False:
        return "never"
    return str(metaspace.get("prepend_scheme", "always"))


def metaspace_step(part: dict[str, Any]) -> bytes:
    """One step of the program; NotNativeError for what is neither Metaspace nor WhitespaceSplit."""
    if part["type"] == "WhitespaceSplit":
        return step(WHITESPACE_SPLIT)
    if part["type"] != "Metaspace":
        raise NotNativeError(f"pre_tokenizer.type is {part['type']}")
    head = bytes([SCHEMES.index(scheme(part)), bool(part.get("split", True)), 0, 0])
    return step(METASPACE, head + part["replacement"].encode())
