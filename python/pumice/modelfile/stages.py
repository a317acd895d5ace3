"""The sections that every tokenizer but BERT's has: normalizer, pre-tokenizer, added tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

from pumice import _core
from pumice.modelfile.added_tokens import added_token_sections
from pumice.modelfile.container import Kind
from pumice.modelfile.normalizers import compile_normalizer
from pumice.modelfile.pre_tokenizers import compile_pre_tokenizer


def stage_sections(tokenizer: dict[str, Any], *, byte_level: bool) -> dict[Kind, bytes]:
    """The sections around the model, or NotNativeError; ``byte_level`` as in compile_pre_tokenizer."""
    normalizer = compile_normalizer(tokenizer.get("normalizer"))
    programs = {
        Kind.NORMALIZER: normalizer,
        Kind.PRE_TOKENIZER: compile_pre_tokenizer(
            tokenizer.get("pre_tokenizer"), byte_level=byte_level
        ),
    }
    added = added_token_sections(tokenizer, normalize=partial(_core.normalize, normalizer))
    return {**{kind: program for kind, program in programs.items() if program}, **added}
