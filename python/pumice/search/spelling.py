"""Texts that a model spells letter by letter, because it knows their language not at all.

Such a text has a vector, the mean of its letters, which says nothing. Korean questions to the English
model find 17 % of what their words find (docs/search.md): fused with the words, it would only harm.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_LETTERS = 200  # that are looked at
_UNKNOWN = ("[UNK]", "<unk>")  # stands for a whole word
_MOST = 0.5  # of the letters may stand alone
# A character of these is a word, or nearly.
_IDEOGRAPHS = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def is_spelled(model: Any, text: str) -> bool:
    """Whether most letters of a text are tokens of their own, or of less; never of an ASCII text."""
    if text.isascii() or not hasattr(model, "token_vectors"):
        return False
    text = text[:_LETTERS]
    letters = {at for at, one in enumerate(text) if _is_letter(one)}
    if not letters:
        return False
    together: set[int] = set()
    found = model.token_vectors(text)
    for token, (begin, end) in zip(found.tokens, found.spans.tolist(), strict=True):
        if end - begin > 1 and token not in _UNKNOWN:
            together.update(range(begin, end))
    return len(letters - together) > _MOST * len(letters)


def _is_letter(one: str) -> bool:
    return unicodedata.category(one)[0] == "L" and not _IDEOGRAPHS.match(one)
