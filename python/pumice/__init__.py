"""pumice: static text embeddings - distil, encode at memory speed, search, ship one file."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pumice.errors import PumiceError

if TYPE_CHECKING:
    from pumice.distill import distill as distill
    from pumice.evaluate import evaluate as evaluate
    from pumice.loading import load as load
    from pumice.model import StaticModel as StaticModel
    from pumice.search import Index as Index
    from pumice.search import SearchParams as SearchParams
    from pumice.search import Storage as Storage
    from pumice.shrink import shrink as shrink
    from pumice.train import train as train

__all__ = [
    "Index",
    "PumiceError",
    "SearchParams",
    "StaticModel",
    "Storage",
    "distill",
    "evaluate",
    "load",
    "shrink",
    "train",
]

# Imported when first asked for, and numpy or optional libraries with them: the command line must
# be up, and able to say that it was interrupted, before anything slow is imported.
_HOMES = {
    "Index": "pumice.search",
    "SearchParams": "pumice.search",
    "StaticModel": "pumice.model",
    "Storage": "pumice.search",
    "distill": "pumice.distill",
    "evaluate": "pumice.evaluate",
    "load": "pumice.loading",
    "shrink": "pumice.shrink",
    "train": "pumice.train",
}


def __getattr__(name: str) -> Any:
    """The public names, from the modules where they live."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pumice")
    if name not in _HOMES:
        raise AttributeError(f"module 'pumice' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = (
        value  # also over the sub-package of the same name: pumice.distill is the function
    )
    return value
