"""WordLevel: what of it the core runs, and the sections it runs it with."""

from __future__ import annotations

from typing import Any

from pumice.modelfile.byte_level import bytes_of_token
from pumice.modelfile.container import Kind
from pumice.modelfile.native_tokenizer import WORD_LEVEL, NativeTokenizer, NotNativeError
from pumice.modelfile.pre_tokenizers import is_byte_level
from pumice.modelfile.stages import stage_sections
from pumice.modelfile.trie import build_trie, encoded


def compile_word_level(tokenizer: dict[str, Any]) -> NativeTokenizer:
    """Build the run-time structures, or raise NotNativeError."""
    model = tokenizer["model"]
    if model.get("unk_token", "<unk>") not in model["vocab"]:
        raise NotNativeError(
            f'the unknown token "{model.get("unk_token")}" is not in the vocabulary'
        )
    byte_level = is_byte_level(tokenizer.get("pre_tokenizer"))
    sections = stage_sections(tokenizer, byte_level=byte_level)
    spelled = {t: bytes_of_token(t) if byte_level else encoded(t) for t in model["vocab"]}
    keys = {spelled[token]: index for token, index in model["vocab"].items() if spelled[token]}
    sections[Kind.VOCABULARY] = build_trie({key: i for key, i in keys.items() if key is not None})
    return NativeTokenizer(WORD_LEVEL, sections=sections)
