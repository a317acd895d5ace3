"""What a byte-level post-processor does to offsets: white space at the ends of tokens is taken off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SPACE = "\u0120"
"""What byte-level tokenizers write for a space."""


def trimming_steps(post_processor: dict[str, Any] | None) -> list[bool]:
    """The steps of a tokenizer.json's post_processor that trim, in order; each by its ``add_prefix_space``."""
    if post_processor is None:
        return []
    if post_processor["type"] == "Sequence":
        return [step for inner in post_processor["processors"] for step in trimming_steps(inner)]
    trims = post_processor["type"] in ("ByteLevel", "RobertaProcessing")
    return [post_processor["add_prefix_space"]] if trims and post_processor["trim_offsets"] else []


def trimmed(
    spans: NDArray[np.int64], tokens: Sequence[str], *, add_prefix_space: bool
) -> NDArray[np.int64]:
    """Spans (n, 3) of id, begin, end, as the step leaves them; ``tokens`` by id, as the library's trim_offsets.

    The first token, and one that begins the text, keep a leading space where the step may have added it.
    """
    out = spans.copy()
    for row in range(len(out)):
        index, begin, end = out[row].tolist()
        token = tokens[index]
        leading, trailing = _spaces(token), _spaces(token[::-1])
        if leading and not (add_prefix_space and (row == 0 or begin == 0)):
            begin = min(begin + leading, end)
        if trailing and end >= trailing:
            end = max(end - trailing, begin)
        out[row, 1:] = begin, end
    return out


def _spaces(token: str) -> int:
    count = 0
    while count < len(token) and (token[count] == _SPACE or _is_white_space(token[count])):
        count += 1
    return count


def _is_white_space(character: str) -> bool:
    # Python's isspace also knows the separators U+001C to U+001F, which Unicode's White_Space leaves out.
    return character.isspace() and not "\x1c" <= character <= "\x1f"
