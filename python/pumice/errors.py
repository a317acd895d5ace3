"""Every error pumice raises on purpose: one sentence saying what, where and what to do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial


class PumiceError(Exception):
    """The parent of every error pumice raises on purpose."""


class InputError(PumiceError, ValueError):
    """An argument that cannot be used: a wrong type, a dimension the model lacks, a lone surrogate."""


class ModelFileError(PumiceError):
    """A model that cannot be read, written or compiled: truncated, foreign or inconsistent files."""


class HubError(PumiceError):
    """A model that is neither a local path nor to be had from the hub or its cache."""


class SearchIndexError(PumiceError):
    """A search index that cannot be opened, or that another model filled."""


class IndexInUseError(SearchIndexError):
    """A search index that another process, or another Index of this one, has open."""


class OutputError(PumiceError):
    """A place that cannot be written to: the disk is full, the folder not writable, the server gone."""


class MissingExtraError(PumiceError, ImportError):
    """An optional library is not installed; the message names the extra that brings it."""

    def __init__(self, library: str, extra: str, *, wanted: str = "") -> None:
        """`wanted` is what it was needed for, a beginning of the sentence."""
        super().__init__(f'{wanted}{library} is not installed: run pip install "pumice[{extra}]"')
        self._given = (library, extra, wanted)

    def __reduce__(self) -> tuple[Callable[..., MissingExtraError], tuple[str, str]]:
        """So that another process can raise it too."""
        library, extra, wanted = self._given
        return partial(MissingExtraError, wanted=wanted), (library, extra)
