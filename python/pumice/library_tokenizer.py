"""Token ids for tokenizers that the core does not run, from the tokenizers library: slower, equal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError, MissingExtraError, ModelFileError

_BATCH = 1024  # texts: some 20 ms of work, and one batch of the library's encodings in memory


class LibraryTokenizer:
    """A Hugging Face tokenizer, without special tokens."""

    def __init__(self, tokenizer: dict[str, Any], *, source: str) -> None:
        try:
            import tokenizers
        except ImportError:
            raise MissingExtraError("tokenizers", "hub") from None
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(json.dumps(tokenizer))
        except BaseException as error:  # Exception itself, and Rust's panics, which are none
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            raise ModelFileError(f"{source}: its tokenizer cannot be loaded: {error}") from None

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, unknown tokens kept. Ctrl-C is heard between batches."""
        ids: list[list[int]] = []
        for first in range(0, len(texts), _BATCH):
            batch = list(texts[first : first + _BATCH])
            try:
                encodings = self._tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            except (TypeError, UnicodeEncodeError) as error:
                raise InputError(f"the tokenizer refuses a text: {error}") from None
            ids += [encoding.ids for encoding in encodings]
        return ids

    def spans(self, text: str) -> NDArray[np.int64]:
        """(n, 3): id, first character, character after the last, of every token, unknown ones kept."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        pairs = zip(encoding.ids, encoding.offsets, strict=True)
        rows = [(index, *offsets) for index, offsets in pairs]
        return np.array(rows, dtype=np.int64).reshape(-1, 3)
