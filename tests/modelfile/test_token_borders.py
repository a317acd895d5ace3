"""Tokens that the borders of a BPE vocabulary say stay apart do, and most of those that do are said to."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pumice import _core
from pumice.modelfile.container import Kind
from pumice.modelfile.native import compile_tokenizer
from tests.parity.test_bpe import grown

NOTHING = 0xFFFFFFFF


def merged(text: str, model: dict[str, Any]) -> list[str]:
    """What the symbols of a text merge to, one merge after the other."""
    ranks = {tuple(pair): rank for rank, pair in enumerate(model["merges"])}
    symbols = list(text)
    while len(symbols) > 1:
        pairs = list(pairwise(symbols))
        at = min(range(len(pairs)), key=lambda i: (ranks.get(pairs[i], NOTHING), i))
        if pairs[at] not in ranks:
            break
        symbols[at : at + 2] = ["".join(pairs[at])]
    return symbols


def stay_apart(borders: np.ndarray[Any, np.dtype[np.uint32]]) -> np.ndarray[Any, Any]:
    """For each token and each next one whether their sets say so."""
    joins_right, ends, begins, joins_left = borders.T
    first = joins_right[:, None] & begins[None, :]
    second = ends[:, None] & joins_left[None, :]
    return np.logical_or(first == 0, second == 0)


def sections(seed: int) -> tuple[dict[str, Any], dict[Kind, bytes]]:
    """A random vocabulary that has the section, and its sections."""
    for attempt in range(20):
        tokenizer = grown(random.Random(1000 * seed + attempt), tokens=50, letters="abcdefgh")
        found = compile_tokenizer(tokenizer).sections
        if Kind.TOKEN_BORDERS in found:
            return tokenizer["model"], dict(found)
    raise AssertionError("no vocabulary has the section")


@pytest.mark.parametrize("seed", range(6))
def test_what_stays_apart(seed: int) -> None:
    model, found = sections(seed)
    said = stay_apart(np.frombuffer(found[Kind.TOKEN_BORDERS], "<u4").reshape(-1, 4))
    truly = np.zeros_like(said)
    for left, i in model["vocab"].items():
        for right, j in model["vocab"].items():
            truly[i, j] = merged(left + right, model) == [left, right]
    whole = np.frombuffer(found[Kind.TOKEN_PARTS], "<u4").reshape(-1, 4)[:, 2] != NOTHING
    said = said[whole]  # others never come before a border
    assert not (said & ~truly[whole]).any()
    assert said.sum() > 0.8 * truly.sum() > 0


def test_a_token_that_merging_does_not_make() -> None:
    """With ignore_merges it is in the text all the same where it is a whole piece, and nowhere else."""
    model, found = sections(0)
    parts = np.frombuffer(found[Kind.TOKEN_PARTS], "<u4").reshape(-1, 4).copy()
    token = next(i for i in range(len(parts)) if i not in parts[:, :2])
    parts[token, 2] = NOTHING
    written = _core.bpe_token_borders(found[Kind.MODEL], parts.tobytes())
    said = stay_apart(np.frombuffer(written, "<u4").reshape(-1, 4))
    assert not said[:, token].any()
    assert len(said) == len(model["vocab"])


def test_parts_that_lead_nowhere() -> None:
    _, found = sections(0)
    parts = np.frombuffer(found[Kind.TOKEN_PARTS], "<u4").reshape(-1, 4)
    for column, value in ((0, NOTHING), (1, 49), (2, 1)):
        wrong = parts.copy()
        wrong[-1, column] = value
        with pytest.raises(ValueError, match="not a BPE model"):
            _core.bpe_token_borders(found[Kind.MODEL], wrong.tobytes())
    with pytest.raises(ValueError, match="not a BPE model"):
        _core.bpe_token_borders(b"", parts.tobytes())
