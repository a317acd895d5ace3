"""The tokenised pairs of every source: checked, duplicates dropped, a slice of each held out."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.model import StaticModel
from pumice.train.hard_negatives import HardNegatives
from pumice.train.options import RunOptions
from pumice.train.pair import Pair
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
    negatives: HardNegatives
    train: NDArray[np.int64]
    """The pairs to train on."""
    held_out: NDArray[np.int64]
    """The pairs to measure on; their anchors occur in none of ``train``."""
    counts: Mapping[str, int]
    """pairs, triplets (those with a negative), duplicates, without_tokens; the last two were dropped.

    Also mined (hard negatives) and labelled (pairs with scores) where there are any."""

    def take_passages(self, passages: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        """The tokens of hard negatives, numbered as `HardNegatives` does."""
        given = passages >= len(self.positives)
        mined = iter(self.positives.take(passages[~given]))
        others = iter(self.negatives.texts.take(passages[given] - len(self.positives)))
        return [next(others if one else mined) for one in given.tolist()]

    def passage_hashes(self, passages: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The hashes of hard negatives."""
        given = passages >= len(self.positives)
        hashes = np.empty(len(passages), np.uint64)
        hashes[~given] = self.positives.hashes[passages[~given]]
        hashes[given] = self.negatives.texts.hashes[passages[given] - len(self.positives)]
        return hashes


def tokenize_sources(
    sources: Sequence[Source], model: StaticModel, options: RunOptions, memory: TokenMemory
) -> list[TokenizedSource]:
    """Read every source once. Raises InputError for what is no pair, and where too few remain."""
    names = [source.name for source in sources]
    tokenized: list[TokenizedSource] = []
    seen: NDArray[np.uint64] = np.empty(0, np.uint64)
    for source, name in zip(sources, names, strict=True):
        name = source.path if names.count(name) > 1 else name
        columns = _columns(source, model, options, memory)
        anchors, positives, negatives = columns
        fingerprints = _fingerprints(anchors, positives, negatives)
        _, first = np.unique(fingerprints, return_index=True)
        fresh = np.zeros(len(fingerprints), bool)
        fresh[first] = True
        fresh &= ~np.isin(fingerprints, seen)
        known = (anchors.hashes != 0) & (positives.hashes != 0)
        seen = np.concatenate((seen, fingerprints[fresh & known]))
        kept = np.flatnonzero(fresh & known)
        held_out = held_out_of(anchors.hashes[kept], options)
        train = kept[~held_out]
        if len(train) < 2:
            raise InputError(
                f"{source.path}: has {len(train)} usable pairs to train on: in-batch negatives need 2"
            )
        counts = {
            "pairs": len(kept),
            "triplets": int((negatives.counts[kept] > 0).sum()),
            "duplicates": int((known & ~fresh).sum()),
            "without_tokens": int((~known).sum()),
        }
        if labelled := int(negatives.scored[kept].sum()):
            counts["labelled"] = labelled
        tokenized.append(
            TokenizedSource(name, source.weight, *columns, train, kept[held_out], counts)
        )
        if options.progress is not None:
            options.progress(0, 0, _told(name, counts, len(train), options.batch_size))
    return tokenized


def fingerprint(sources: Sequence[TokenizedSource]) -> str:
    """Hex digest of all that is trained and measured on: tokens, weights and split."""
    digest = blake2b(digest_size=16)
    for source in sources:
        digest.update(repr((source.name, source.weight)).encode())
        for part in (
            source.anchors.hashes,
            source.positives.hashes,
            source.negatives.texts.hashes,
            source.negatives.edges,
            source.negatives.passages,
            source.negatives.scores,
            source.negatives.positive_scores,
            source.train,
            source.held_out,
        ):
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def token_counts(sources: Sequence[TokenizedSource], tokens: int) -> NDArray[np.int64]:
    """How often each token id occurs in all texts."""
    counts = np.zeros(tokens, np.int64)
    for source in sources:
        for texts in (source.anchors, source.positives, source.negatives.texts):
            for low in range(0, len(texts.ids), 1 << 24):
                counts += np.bincount(texts.ids[low : low + (1 << 24)], minlength=tokens)
    return counts


def distinct_negatives(pairs: Iterable[Pair]) -> Iterator[tuple[Pair, list[int], list[str]]]:
    """Each pair with the numbers of its negatives, and the texts among them that are new.

    The same text has the same number wherever it stands: numbers count from 0, in order of first occurrence.
    """
    numbers: dict[bytes, int] = {}
    for pair in pairs:
        own, fresh = [], []
        for text in pair.negatives:
            key = blake2b(text.encode(), digest_size=16).digest()
            if key not in numbers:
                numbers[key] = len(numbers)
                fresh.append(text)
            own.append(numbers[key])
        yield pair, own, fresh


def _columns(
    source: Source, model: StaticModel, options: RunOptions, memory: TokenMemory
) -> tuple[Texts, Texts, HardNegatives]:
    counting = model.parts().counting
    writers = [TextsWriter(memory, counting=counting) for _ in range(3)]
    listed, counts = array("q"), array("q")
    scores, positive_scores = array("f"), array("f")
    pairs = distinct_negatives(read_pairs(source, options.columns))
    while batch := list(islice(pairs, _BATCH)):
        columns = (
            [pair.anchor for pair, _, _ in batch],
            [pair.positive for pair, _, _ in batch],
            [text for _, _, fresh in batch for text in fresh],
        )
        for writer, texts in zip(writers, columns, strict=True):
            writer.append(model.tokenize(texts), limit=options.max_tokens)
        for pair, own, _ in batch:
            counts.append(len(own))
            listed.extend(own)
            first, *others = pair.scores or (math.nan,) * (1 + len(own))
            positive_scores.append(first)
            scores.extend(others)
    anchors, positives, distinct = (writer.finish() for writer in writers)
    if not len(anchors):
        raise InputError(f"{source.path}: holds no pair")
    given = np.array(listed, np.int64)
    known = distinct.hashes[given] != 0  # what has no token can be no candidate
    owners = np.repeat(np.arange(len(anchors)), np.array(counts, np.int64))[known]
    edges = np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=len(anchors)))))
    negatives = HardNegatives(
        distinct,
        edges,
        passages=given[known] + len(anchors),
        scores=np.array(scores, np.float32)[known],
        positive_scores=np.array(positive_scores, np.float32),
    )
    return anchors, positives, negatives


def _fingerprints(anchors: Texts, positives: Texts, negatives: HardNegatives) -> NDArray[np.uint64]:
    mixed: NDArray[np.uint64] = (anchors.hashes * _ODD + positives.hashes) * _ODD
    hashes = negatives.texts.hashes[negatives.passages - len(anchors)]
    places = np.arange(len(hashes)) - np.repeat(negatives.edges[:-1], negatives.counts)
    each = hashes * (places.astype(np.uint64) * np.uint64(2) + np.uint64(1))  # in their order
    owners = np.repeat(np.arange(len(anchors)), negatives.counts)
    np.add.at(mixed, owners, each)
    return mixed


def held_out_of(hashes: NDArray[np.uint64], options: RunOptions) -> NDArray[np.bool_]:
    """By the anchor's or text's hash, so that the same are held out however they are ordered."""
    share = min(options.hold_out, _MOST_HELD_OUT / max(1, len(hashes)))
    mixed = (hashes ^ np.uint64(options.seed)) * _ODD
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _ODD
    held: NDArray[np.bool_] = (mixed >> np.uint64(11)) < np.uint64(share * 2**53)
    return held


def _told(name: str, counts: Mapping[str, int], train: int, batch_size: int) -> str:
    told = f"{name}: {counts['pairs']:,} pairs"
    if counts["triplets"]:
        told += f", {counts['triplets']:,} with a negative"
    if "labelled" in counts:
        told += f", {counts['labelled']:,} with scores"
    if counts["duplicates"]:
        told += f"; dropped {counts['duplicates']:,} duplicates"
    if counts["without_tokens"]:
        told += f"; dropped {counts['without_tokens']:,} without a known token"
    if train < batch_size:
        told += f"; fewer than a batch of {batch_size:,}: its batches are of {train:,}"
    return told
