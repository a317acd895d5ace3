"""WordLevel: what of it the core runs, and the sections it runs it with."""

from __future__ import annotations

from typing import Any

from pumice.modelfile.native import NativeTokenizer, NotNativeError


def compile_word_level(tokenizer: dict[str, Any]) -> NativeTokenizer:
    """Build the run-time structures, or raise NotNativeError."""
    raise NotNativeError("model.type is WordLevel (the core runs WordPiece)")
