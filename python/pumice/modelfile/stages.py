"""The sections that every tokenizer but BERT's has: normalizer, pre-tokenizer, added tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

from pumice import _core
from pumice.modelfile.added_tokens import added_token_sections
from pumice.modelfile.container import Kind
from pumice.modelfile.metaspace import scheme
from pumice.modelfile.native_tokenizer import NotNativeError
from pumice.modelfile.normalizers import compile_normalizer
from pumice.modelfile.pre_tokenizers import compile_pre_tokenizer, flattened
from pumice.modelfile.program import checked

KEEP_THE_BEGINNING = ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Prepend")
"""Normalizers that delete nothing at the beginning of a text."""


def stage_sections(tokenizer: dict[str, Any], *, byte_level: bool) -> dict[Kind, bytes]:
    """The sections around the model, or NotNativeError; ``byte_level`` as in compile_pre_tokenizer."""
    check_first(tokenizer)
    normalizer = checked(compile_normalizer(tokenizer.get("normalizer")), "normalizer")
    pre_tokenizer = compile_pre_tokenizer(tokenizer.get("pre_tokenizer"), byte_level=byte_level)
    programs = {
        Kind.NORMALIZER: normalizer,
        Kind.PRE_TOKENIZER: checked(pre_tokenizer, "pre-tokenizer"),
    }
    added = added_token_sections(tokenizer, normalize=partial(_core.normalize, normalizer))
    return {**{kind: program for kind, program in programs.items() if program}, **added}


def check_first(tokenizer: dict[str, Any]) -> None:
    """Raise NotNativeError where Metaspace's "first" may not be the beginning of normalised text.

    The library means the beginning of the text before it was normalised: where a normalizer deletes that,
    no piece is the first. That does not matter where the text then begins with a space or Metaspace's mark.
    """
    steps = flattened(tokenizer.get("pre_tokenizer"))
    firsts = [s for s in steps if s["type"] == "Metaspace" and scheme(s) == "first"]
    if not firsts:
        return
    for step in flattened(tokenizer.get("normalizer"), within="normalizers"):
        keeps = step["type"] in KEEP_THE_BEGINNING
        if step["type"] == "Replace":
            one_character = len(step["pattern"].get("String", "")) == 1
            marked = all(
                step["content"].startswith((" ", first["replacement"])) for first in firsts
            )
            keeps = marked or (one_character and bool(step["content"]))
        if not keeps:
            raise NotNativeError(
                f'Metaspace with prepend_scheme "first" follows the normalizer {step["type"]}'
            )
