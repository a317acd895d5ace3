"""What is measured: a model that embeds documents and queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError, ModelFileError
from pumice.model import StaticModel


class Embedder(Protocol):
    """What an Index asks of a model; a StaticModel is one."""

    dimensions: int
    nbytes: int

    @property
    def name(self) -> str:
        """For people."""

    @property
    def fingerprint(self) -> str:
        """Equal fingerprints, equal vectors."""

    @property
    def prefixes(self) -> tuple[int, ...] | None:
        """Dimensions that vectors may be cut to; None where it is not known."""

    def encode(self, texts: Any, *, dim: int | None = None) -> NDArray[np.float32]:
        """Vectors of shape (n, dim); a str gives shape (dim,)."""


class Documents:
    """The documents' side of a static model of queries: what its transformer makes of them."""

    def __init__(self, model: StaticModel) -> None:
        self._model = model
        self.dimensions, self.prefixes = model.dimensions, model.prefixes
        self.name, self.fingerprint = model.name, model.fingerprint
        self.nbytes = model.nbytes

    def encode(self, texts: Any, *, dim: int | None = None) -> NDArray[np.float32]:
        """See Embedder."""
        vectors: NDArray[np.float32] = self._model.encode_documents(texts, dim=dim)
        return vectors


@dataclass(frozen=True)
class Model:
    """A model by the name it was asked for. Documents and queries may be prompted differently."""

    name: str
    documents: Embedder
    queries: Embedder
    static: bool
    """Whether its vectors cost next to nothing; a transformer's are computed beforehand and kept."""

    @property
    def prefixes(self) -> tuple[int, ...]:
        """Shorter dimensions that the model keeps valid, the longest first."""
        valid = self.documents.prefixes or ()
        return tuple(sorted((p for p in valid if p < self.documents.dimensions), reverse=True))

    def prepare(self, documents: Mapping[str, str], queries: Mapping[str, str]) -> None:
        """Compute what would disturb a timing."""
        for side, texts in ((self.documents, documents), (self.queries, queries)):
            prepare = getattr(side, "prepare", None)
            if prepare is not None:
                prepare(list(texts.values()))


def checked_vectors(
    embedder: Embedder, texts: Mapping[Any, str], *, what: str
) -> NDArray[np.float32]:
    """Vectors of length 1 (zeros for a text without tokens); ModelFileError where one is not finite."""
    vectors = np.array(embedder.encode(list(texts.values())), dtype=np.float32)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        identifier = list(texts)[int(np.flatnonzero(~finite)[0])]
        raise ModelFileError(
            f"model {embedder.name} gives a vector with NaN or infinity for {what} {identifier!r}: "
            "its file is damaged; use another model"
        )
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[lengths[:, 0] > 0] /= lengths[lengths[:, 0] > 0]
    return vectors


def listed(texts: str | Iterable[str]) -> Sequence[str]:
    """Texts as a sequence; InputError for what is no text."""
    many = [texts] if isinstance(texts, str) else list(texts)
    for text in many:
        if not isinstance(text, str):
            raise InputError(f"a text is a {type(text).__name__}: give str")
    return many
