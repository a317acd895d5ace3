"""pyarrow and fsspec, imported when they are needed; their absence names the extra."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pumice.errors import MissingExtraError


def arrow(module: str = "pyarrow") -> Any:
    """A module of pyarrow."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError("pyarrow", "batch") from error


def filesystems() -> Any:
    """The module fsspec.core."""
    try:
        return import_module("fsspec.core")
    except ImportError as error:
        raise MissingExtraError("fsspec", "batch") from error
