"""A second stage: a cross-encoder reads the question with each hit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pumice.arguments import checked_count
from pumice.errors import InputError
from pumice.search.record import Hit
from pumice.teachers.cross_encoders import load_cross_encoder


def rerank(question: str, hits: Sequence[Hit], *, model: Any, k: int | None = None) -> list[Hit]:
    """The `k` best hits (None: all) by a cross-encoder's scores, which replace the hits' own.

    `model` is a sentence-transformers CrossEncoder, or a folder or hub id of one. Slow: a transformer
    reads every hit. Search for some fifty, and keep ten. Raises InputError, and for a name what
    `pumice.teachers.cross_encoders.load_cross_encoder` raises.
    """
    if k is not None:
        checked_count("k", k)
    if isinstance(model, str):
        model = load_cross_encoder(model).model
    if not hits:
        return []
    scores = np.asarray(
        model.predict([(question, hit.text) for hit in hits], show_progress_bar=False)
    )
    if scores.shape != (len(hits),) or not np.isfinite(scores).all():
        raise InputError(
            f"the cross-encoder gives scores of shape {scores.shape}: one with a single output, and "
            "finite scores, is needed"
        )
    order = np.argsort(-scores, kind="stable")[:k]
    return [replace(hits[at], score=float(scores[at])) for at in order]
