"""Which tokenizer.json the core runs itself, and the sections that it runs them with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pumice.modelfile.container import Kind

LIBRARY, WORDPIECE, UNIGRAM, BPE, WORD_LEVEL = range(5)
"""The numbers of pumice_tokenizer."""
NO_NODE = 0xFFFFFFFF


class NotNativeError(Exception):
    """The core does not run this tokenizer exactly; the message says why, for pumice info."""


@dataclass(frozen=True)
class NativeTokenizer:
    """What the core needs to tokenise: parameters, and the bytes of sections."""

    tokenizer: int
    normalizer_flags: int = 0
    max_word_chars: int = 0
    continuation_node: int = NO_NODE
    sections: dict[Kind, bytes] = field(default_factory=dict)


def compile_tokenizer(tokenizer: dict[str, Any]) -> NativeTokenizer:
    """Build the run-time structures, or raise NotNativeError.

    Everything that the core does not run exactly is left to the ``tokenizers`` library.
    """
    from pumice.modelfile import bpe, unigram, word_level, wordpiece

    families = {
        "WordPiece": wordpiece.compile_wordpiece,
        "Unigram": unigram.compile_unigram,
        "BPE": bpe.compile_bpe,
        "WordLevel": word_level.compile_word_level,
    }
    kind = tokenizer["model"].get("type")
    if kind not in families:
        raise NotNativeError(f"model.type is {kind} (the core runs {', '.join(families)})")
    truncation = tokenizer.get("truncation") or {}
    if (
        truncation.get("direction", "Right") != "Right"
        or truncation.get("strategy") == "OnlySecond"
    ):
        raise NotNativeError("truncation does not keep the beginning of the text")
    return families[kind](tokenizer)
