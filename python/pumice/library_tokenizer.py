"""Token ids for tokenizers that the core does not run, from the tokenizers library: slower, equal."""

from __future__ import annotations

import json
from typing import Any

from pumice.errors import InputError, MissingExtraError, ModelFileError


class LibraryTokenizer:
    """A Hugging Face tokenizer, without special tokens."""

    def __init__(self, tokenizer: dict[str, Any], *, source: str) -> None:
        try:
            import tokenizers
        except ImportError:
            raise MissingExtraError("tokenizers", "hub") from None
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(json.dumps(tokenizer))
        except Exception as error:  # the library raises nothing narrower
            raise ModelFileError(f"{source}: its tokenizer cannot be loaded: {error}") from None

    def ids(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text, unknown tokens kept."""
        try:
            encodings = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        except (TypeError, UnicodeEncodeError) as error:
            raise InputError(f"the tokenizer refuses a text: {error}") from None
        return [encoding.ids for encoding in encodings]
