"""Agreement: how many of a text's nearest neighbours a smaller model finds again, where nothing is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.model import StaticModel

NEAREST = 10
_TEXTS = 5_000
_ASKED = 1_000
Quality = Callable[[StaticModel], float]


def agreement(whole: StaticModel, texts: Iterable[str]) -> Quality:
    """A function of a model: the share of the ten nearest texts that it has in common with ``whole``.

    Of ``texts`` the first 5,000 different ones are kept, and neighbours of every fifth of them are looked for
    among the rest. InputError where there are fewer than 20.
    """
    kept = list(islice(dict.fromkeys(texts), _TEXTS))
    if len(kept) < 2 * NEAREST:
        raise InputError(
            f"neighbours among {len(kept)} different texts say nothing: give at least {2 * NEAREST}"
        )
    wanted = _neighbours(whole, kept)

    def measured(model: StaticModel) -> float:
        found = _neighbours(model, kept)
        common = [
            len(set(a) & set(b)) for a, b in zip(wanted.tolist(), found.tolist(), strict=True)
        ]
        return float(np.mean(common)) / NEAREST

    return measured


def _neighbours(model: StaticModel, texts: list[str]) -> NDArray[np.int64]:
    """(queries, 10): places of the nearest texts but the query itself."""
    vectors = model.encode(texts)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.where(lengths > 0, lengths, 1)
    asked = np.linspace(0, len(texts) - 1, min(_ASKED, len(texts)), dtype=np.int64)
    scores = vectors[asked] @ vectors.T
    scores[np.arange(len(asked)), asked] = -np.inf
    nearest: NDArray[np.int64] = np.argsort(-scores, axis=1, kind="stable")[:, :NEAREST]
    return nearest
