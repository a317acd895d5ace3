"""pumice: static text embeddings - distil, encode at memory speed, search, ship one file."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pumice.errors import PumiceError
from pumice.loading import load
from pumice.model import StaticModel

if TYPE_CHECKING:
    from pumice.distill import distill as distill
    from pumice.search import Index as Index

__all__ = ["Index", "PumiceError", "StaticModel", "distill", "load"]

_VERBS = {"Index": "pumice.search", "distill": "pumice.distill"}


def __getattr__(name: str) -> Any:
    """Verbs are imported when they are first asked for, and their optional libraries with them."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pumice")
    if name not in _VERBS:
        raise AttributeError(f"module 'pumice' has no attribute {name!r}")
    value = getattr(import_module(_VERBS[name]), name)
    globals()[name] = (
        value  # also over the sub-package of the same name: pumice.distill is the function
    )
    return value
