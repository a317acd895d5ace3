"""Metaspace, the pre-tokenizer of SentencePiece models: spaces become a visible character."""

from __future__ import annotations

from typing import Any

from pumice.modelfile.native_tokenizer import NotNativeError
from pumice.modelfile.program import step

METASPACE = 100
SCHEMES = ("never", "always", "first")


def scheme(metaspace: dict[str, Any]) -> str:
    """When a piece gets the replacement in front; old files say add_prefix_space instead."""
    if metaspace.get("add_prefix_space") is False:
        return "never"
    return str(metaspace.get("prepend_scheme", "always"))


def metaspace_step(part: dict[str, Any], *, first: bool) -> bytes:
    """The step; ``first``: no other comes before it. NotNativeError where the core would not be exact."""
    if not first and scheme(part) == "first":
        # The library asks for the piece's place in the text before it was normalised.
        raise NotNativeError('Metaspace with prepend_scheme "first" follows another step')
    head = bytes([SCHEMES.index(scheme(part)), bool(part.get("split", True)), 0, 0])
    return step(METASPACE, head + part["replacement"].encode())
