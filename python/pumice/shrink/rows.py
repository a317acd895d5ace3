"""The rows of fewer tokens, and those of pieces that come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pumice.modelfile.parts import ModelParts
from pumice.modelfile.rows import convert_rows, widen_rows
from pumice.modelfile.vocabulary import tokens_by_id
from pumice.shrink.needed import letters_of
from pumice.shrink.tokenizer_json import order_after, with_tokens


def new_rows(parts: ModelParts, pieces: Sequence[str]) -> NDArray[np.float32]:
    """What each single character adds on average to the tokens that hold it: their rows, by their lengths.

    Shape (pieces, dim).
    """
    rows = np.zeros((len(pieces), parts.embeddings.shape[1]), np.float32)
    held = np.zeros(len(pieces))
    place = {piece: number for number, piece in enumerate(pieces)}
    for token, text in enumerate(tokens_by_id(parts.tokenizer) if pieces else ()):
        letters = letters_of(parts.tokenizer, text)
        for number in {place[letter] for letter in letters if letter in place}:
            rows[number] += token_row(parts, token) / len(letters)
            held[number] += 1
    rows /= np.maximum(held, 1)[:, None]
    return rows


def token_row(parts: ModelParts, token: int) -> NDArray[np.float32]:
    """A token's row as it enters the sum: scale and weight multiplied in."""
    row = token if parts.token_rows is None else int(parts.token_rows[token])
    scales = None if parts.row_scales is None else parts.row_scales[row : row + 1]
    wide: NDArray[np.float32] = widen_rows(parts.embeddings[row : row + 1], scales)[0]
    if parts.token_weights is not None:
        wide *= np.float32(parts.token_weights[token])
    return wide


def with_rows(
    parts: ModelParts, kept: Sequence[int], *, pieces: Sequence[str], rows: NDArray[np.float32]
) -> ModelParts:
    """The parts of the tokens of these ids and of new pieces, which have ``rows`` and count 1."""
    order = order_after(parts.tokenizer, kept, new=len(pieces))
    fresh = np.array([index is None for index in order])
    old = np.array([index for index in order if index is not None])
    shared = parts.token_rows is not None
    of_old = old if parts.token_rows is None else parts.token_rows[old].astype(np.int64)
    # A row that tokens share is kept once; where they share none, rows stay in the order of tokens.
    distinct, place = np.unique(of_old, return_inverse=True) if shared else (of_old, None)
    embeddings = parts.embeddings[distinct]
    scales = None if parts.row_scales is None else parts.row_scales[distinct]
    own, own_scales = convert_rows(rows, None, dtype=embeddings.dtype.name)
    if own_scales is not None and scales is None:  # another library's integers have no scale
        own, own_scales = np.clip(np.rint(rows), -127, 127).astype(np.int8), None
    embeddings = np.concatenate([embeddings, own])
    if scales is not None:
        scales = np.concatenate([scales, own_scales])
    token_rows = np.empty(len(order), np.int64)
    token_rows[~fresh] = np.arange(len(old)) if place is None else place
    token_rows[fresh] = len(distinct) + np.arange(len(pieces))
    weights = parts.token_weights
    if weights is not None:
        old_weights, weights = weights[old], np.ones(len(order), np.float32)
        weights[~fresh] = old_weights
    if not shared:
        embeddings = embeddings[token_rows]
        scales = None if scales is None else scales[token_rows]
    return replace(
        parts,
        tokenizer=with_tokens(parts.tokenizer, kept, new=pieces),
        embeddings=embeddings,
        row_scales=scales,
        token_weights=weights,
        token_rows=token_rows if shared else None,
    )
