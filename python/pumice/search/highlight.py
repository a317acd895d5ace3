"""The sentence of each hit that answers best, by the model's own vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pumice.model import StaticModel
from pumice.search.documents.splitting import split_sentences
from pumice.search.record import Hit


@dataclass(frozen=True)
class Match:
    """The best sentence: `hit.text[start:end]`."""

    start: int
    end: int


def best_sentences(hits: Sequence[Hit], *, query: str, model: StaticModel) -> list[Match]:
    """A match per hit: the span of about a sentence whose cosine with the query is highest."""
    spans = [split_sentences(hit.text) or [(0, len(hit.text))] for hit in hits]
    sentences = [
        hit.text[start:end]
        for hit, within in zip(hits, spans, strict=True)
        for start, end in within
    ]
    vectors = np.asarray(model.encode([query, *sentences]))
    norms = np.linalg.norm(vectors, axis=1)
    scores = vectors[1:] @ vectors[0] / np.where(norms[1:] > 0, norms[1:], 1)
    matches = []
    at = 0
    for within in spans:
        best = int(np.argmax(scores[at : at + len(within)]))
        matches.append(Match(*within[best]))
        at += len(within)
    return matches
