"""The model of an index: the one that filled it, found again where it lies."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

from numpy import float32
from numpy.typing import NDArray

from pumice.errors import PumiceError, SearchIndexError
from pumice.search.manifest import Manifest


class Embedder(Protocol):
    """What an index needs of a model: StaticModel has it, and so may any other."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def fingerprint(self) -> str:
        """Another one means other vectors."""

    @property
    def dimensions(self) -> int:
        """Of a vector."""

    def encode(self, texts: Sequence[str], *, dim: int | None = None) -> NDArray[float32]:
        """Vectors of shape (n, dim); the zero vector means nothing. InputError for a wrong dim.

        `Index.add` may call it from a thread of its own, one call at a time; an index that threads
        share calls it from each of them.
        """


def model_for(where: str, given: Any, manifest: Manifest | None) -> tuple[Any, str | None]:
    """The model to use, and where `pumice.load` finds it again (None: the shipped one, or unknown).

    A path is kept absolute, so that the index opens from any working directory.
    """
    import pumice

    if given is None and manifest is not None and manifest.model_location is not None:
        try:
            return pumice.load(manifest.model_location), manifest.model_location
        except PumiceError as error:
            raise SearchIndexError(
                f"index {where} needs the model {manifest.model_name} that filled it: {error}; "
                "where it has moved, run pumice index PATH --model NEWPLACE, or open the index "
                "with Index(..., model=NEWPLACE)"
            ) from error
    if given is None:
        return pumice.load(), None
    if hasattr(given, "fingerprint"):
        return given, None
    model = pumice.load(given)
    place = os.fspath(given)
    return model, os.path.abspath(place) if os.path.exists(place) else place


def check_model(where: str, manifest: Manifest, model: Embedder) -> None:
    """SearchIndexError where the index was filled by another model."""
    if manifest.model_fingerprint != model.fingerprint:
        raise SearchIndexError(
            f"index {where} was filled by model {manifest.model_name} "
            f"(fingerprint {manifest.model_fingerprint[:8]}…), not by {model.name} "
            f"({model.fingerprint[:8]}…): open it with that model, or index again into a new folder"
        )
