"""What the caller of an Index asks for, settled with what the index says of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pumice.errors import InputError, SearchIndexError
from pumice.search.home import Home
from pumice.search.manifest import Manifest
from pumice.search.models import check_model, model_for
from pumice.search.storage import Storage


@dataclass(frozen=True)
class Settled:
    """The model, and the manifest that is, or is to be, the index's."""

    model: Any
    manifest: Manifest


@dataclass(frozen=True)
class Opened:
    """An index that is open."""

    home: Home
    model: Any
    manifest: Manifest


@dataclass(frozen=True)
class Wanted:
    """What `Index(...)` was given; None: whatever the index has."""

    model: Any
    dim: int | None
    storage: Storage | None
    create: bool

    def settle(self, where: str, manifest: Manifest | None) -> Settled:
        """Agree with the index at `where`, or describe a new one; SearchIndexError says why not."""
        model, place = model_for(where, self.model, manifest)
        if manifest is None:
            return Settled(model, self._new(model, place))
        check_model(where, manifest, model)
        if self.dim is not None and self.dim != manifest.dim:
            raise SearchIndexError(
                f"index {where} holds vectors of {manifest.dim} dimensions, not {self.dim}: "
                "leave dim out, or index again into a new one"
            )
        if self.storage is not None and self.storage != manifest.storage:
            raise SearchIndexError(
                f"index {where} keeps {manifest.storage.differences(self.storage)}: leave storage "
                "out (--quantize and its like), or index again into a new one"
            )
        return Settled(model, replace(manifest, model_location=place or manifest.model_location))

    def _new(self, model: Any, place: str | None) -> Manifest:
        dim = self.dim if self.dim is not None else model.dimensions
        storage = self.storage or Storage()
        for size in (dim, *storage.stages):
            model.encode([""], dim=size)  # refuses a dim that the model lacks
        if storage.stages and storage.stages[-1] >= dim:
            raise InputError(
                f"storage: stages {storage.stages} must be shorter than the vectors ({dim})"
            )
        return Manifest(model.name, model.fingerprint, dim, storage, place)
