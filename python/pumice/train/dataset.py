"""The tokenised pairs of every source: checked, duplicates dropped, a slice of each held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.model import StaticModel
from pumice.train.options import RunOptions, TrainOptions
from pumice.train.pairs import read_pairs
from pumice.train.sources import Source
from pumice.train.tokens import Texts, TextsWriter, TokenMemory

_BATCH = 8192
_MOST_HELD_OUT = 1000
_ODD = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio's bits: spreads what it multiplies


@dataclass(frozen=True)
class TokenizedSource:
    """One source's pairs as tokens."""

    name: str
    weight: float
    anchors: Texts
    positives: Texts
    negatives: Texts
    """As many, without tokens where a pair has none."""
    train: NDArray[np.int64]
    """The pairs to train on."""
    held_out: NDArray[np.int64]
    """The pairs to measure on; their anchors occur in none of ``train``."""
    counts: Mapping[str, int]
    """pairs, triplets (those with a negative), duplicates, without_tokens; the last two were dropped."""


def tokenize_sources(
    sources: Sequence[Source], model: StaticModel, options: TrainOptions, memory: TokenMemory
) -> list[TokenizedSource]:
    """Read every source once. Raises InputError for what is no pair, and where too few remain."""
    names = [source.name for source in sources]
    tokenized: list[TokenizedSource] = []
    seen: NDArray[np.uint64] = np.empty(0, np.uint64)
    for source, name in zip(sources, names, strict=True):
        name = source.path if names.count(name) > 1 else name
        columns = _columns(source, model, options, memory)
        fingerprints = _fingerprints(*columns)
        _, first = np.unique(fingerprints, return_index=True)
        fresh = np.zeros(len(fingerprints), bool)
        fresh[first] = True
        fresh &= ~np.isin(fingerprints, seen)
        known = (columns[0].hashes != 0) & (columns[1].hashes != 0)
        seen = np.concatenate((seen, fingerprints[fresh & known]))
        kept = np.flatnonzero(fresh & known)
        held_out = held_out_of(columns[0].hashes[kept], options)
        train = kept[~held_out]
        if len(train) < 2:
            raise InputError(
                f"{source.path}: has {len(train)} usable pairs to train on: in-batch negatives need 2"
            )
        counts = {
            "pairs": len(kept),
            "triplets": int((columns[2].hashes[kept] != 0).sum()),
            "duplicates": int((known & ~fresh).sum()),
            "without_tokens": int((~known).sum()),
        }
        tokenized.append(
            TokenizedSource(name, source.weight, *columns, train, kept[held_out], counts)
        )
        if options.progress is not None:
            options.progress(0, 0, _told(name, counts))
    return tokenized


def fingerprint(sources: Sequence[TokenizedSource]) -> str:
    """Hex digest of all that is trained and measured on: tokens, weights and split."""
    digest = blake2b(digest_size=16)
    for source in sources:
        digest.update(repr((source.name, source.weight)).encode())
        for array in (
            source.anchors.hashes,
            source.positives.hashes,
            source.negatives.hashes,
            source.train,
            source.held_out,
        ):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def token_counts(sources: Sequence[TokenizedSource], tokens: int) -> NDArray[np.int64]:
    """How often each token id occurs in all texts."""
    counts = np.zeros(tokens, np.int64)
    for source in sources:
        for texts in (source.anchors, source.positives, source.negatives):
            for low in range(0, len(texts.ids), 1 << 24):
                counts += np.bincount(texts.ids[low : low + (1 << 24)], minlength=tokens)
    return counts


def _columns(
    source: Source, model: StaticModel, options: TrainOptions, memory: TokenMemory
) -> tuple[Texts, Texts, Texts]:
    writers = [TextsWriter(memory) for _ in range(3)]
    pairs = read_pairs(source, options.columns)
    while batch := list(islice(pairs, _BATCH)):
        columns = (
            [pair.anchor for pair in batch],
            [pair.positive for pair in batch],
            [pair.negative or "" for pair in batch],
        )
        for writer, texts in zip(writers, columns, strict=True):
            writer.append(model.tokenize(texts), limit=options.max_tokens)
    anchors, positives, negatives = (writer.finish() for writer in writers)
    if not len(anchors):
        raise InputError(f"{source.path}: holds no pair")
    return anchors, positives, negatives


def _fingerprints(anchors: Texts, positives: Texts, negatives: Texts) -> NDArray[np.uint64]:
    mixed: NDArray[np.uint64] = (anchors.hashes * _ODD + positives.hashes) * _ODD + negatives.hashes
    return mixed


def held_out_of(hashes: NDArray[np.uint64], options: RunOptions) -> NDArray[np.bool_]:
    """By the anchor's or text's hash, so that the same are held out however they are ordered."""
    share = min(options.hold_out, _MOST_HELD_OUT / max(1, len(hashes)))
    mixed = (hashes ^ np.uint64(options.seed)) * _ODD
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _ODD
    held: NDArray[np.bool_] = (mixed >> np.uint64(11)) < np.uint64(share * 2**53)
    return held


def _told(name: str, counts: Mapping[str, int]) -> str:
    told = f"{name}: {counts['pairs']:,} pairs"
    if counts["triplets"]:
        told += f", {counts['triplets']:,} with a negative"
    if counts["duplicates"]:
        told += f"; dropped {counts['duplicates']:,} duplicates"
    if counts["without_tokens"]:
        told += f"; dropped {counts['without_tokens']:,} without a known token"
    return told
