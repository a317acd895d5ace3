"""Which tokenizer.json the core runs itself, and the sections that it runs them with."""

from __future__ import annotations

from typing import Any

from pumice.modelfile.bpe import compile_bpe
from pumice.modelfile.native_tokenizer import NativeTokenizer, NotNativeError
from pumice.modelfile.unigram import compile_unigram
from pumice.modelfile.word_level import compile_word_level
from pumice.modelfile.wordpiece import compile_wordpiece

FAMILIES = {
    "WordPiece": compile_wordpiece,
    "Unigram": compile_unigram,
    "BPE": compile_bpe,
    "WordLevel": compile_word_level,
}


def compile_tokenizer(tokenizer: dict[str, Any]) -> NativeTokenizer:
    """Build the run-time structures, or raise NotNativeError.

    Everything that the core does not run exactly is left to the ``tokenizers`` library.
    """
    kind = tokenizer["model"].get("type")
    if kind not in FAMILIES:
        raise NotNativeError(f"model.type is {kind} (the core runs {', '.join(FAMILIES)})")
    truncation = tokenizer.get("truncation") or {}
    if (
        truncation.get("direction", "Right") != "Right"
        or truncation.get("strategy") == "OnlySecond"
    ):
        raise NotNativeError("truncation does not keep the beginning of the text")
    return FAMILIES[kind](tokenizer)
