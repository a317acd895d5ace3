"""BERT's WordPiece: what of it the core runs, and the tries it runs it with."""

from __future__ import annotations

from functools import partial
from typing import Any

from pumice import _core
from pumice.modelfile.added_tokens import added_token_sections
from pumice.modelfile.container import Kind
from pumice.modelfile.native_tokenizer import NO_NODE, WORDPIECE, NativeTokenizer, NotNativeError
from pumice.modelfile.normalizers import compile_normalizer
from pumice.modelfile.trie import double_array, encoded, walk
from pumice.modelfile.vocabulary import model_vocabulary, unknown_id

MAX_WORD_CHARS = 1024


def check_wordpiece(tokenizer: dict[str, Any]) -> None:
    """Raise NotNativeError for a WordPiece tokenizer that is not BERT's."""
    model = tokenizer["model"]
    for part, wanted in (("normalizer", "BertNormalizer"), ("pre_tokenizer", "BertPreTokenizer")):
        found = (tokenizer.get(part) or {}).get("type")
        if found != wanted:
            raise NotNativeError(f"{part}.type is {found} (with WordPiece the core runs {wanted})")
    if unknown_id(tokenizer) is None or model["unk_token"] not in model["vocab"]:
        unknown = model.get("unk_token")
        raise NotNativeError(f'the unknown token "{unknown}" is not in the vocabulary')
    if not 1 <= model.get("max_input_chars_per_word", 100) <= MAX_WORD_CHARS:
        raise NotNativeError(f"max_input_chars_per_word is not between 1 and {MAX_WORD_CHARS}")


def compile_wordpiece(tokenizer: dict[str, Any]) -> NativeTokenizer:
    """Build the run-time structures, or raise NotNativeError."""
    check_wordpiece(tokenizer)
    model, normalizer = tokenizer["model"], tokenizer["normalizer"]
    lowercase = bool(normalizer.get("lowercase", True))
    strip_accents = normalizer.get("strip_accents")
    flags = (
        bool(normalizer.get("clean_text", True)),
        bool(normalizer.get("handle_chinese_chars", True)),
        lowercase if strip_accents is None else bool(strip_accents),
        lowercase,
    )
    normalize = partial(_core.normalize, compile_normalizer(normalizer))
    trie = double_array(model_vocabulary(tokenizer))
    node = walk(trie, encoded(model.get("continuing_subword_prefix", "##")))
    return NativeTokenizer(
        WORDPIECE,
        normalizer_flags=sum(flag << bit for bit, flag in enumerate(flags)),
        max_word_chars=int(model.get("max_input_chars_per_word", 100)),
        continuation_node=NO_NODE if node is None else node,
        sections={Kind.VOCABULARY: trie, **added_token_sections(tokenizer, normalize=normalize)},
    )
