"""Normalizers: what of them the core runs, and the program it runs them with."""

from __future__ import annotations

from typing import Any

from pumice.modelfile.native import NotNativeError


def compile_normalizer(normalizer: dict[str, Any] | None) -> bytes:
    """The normalizer section, or NotNativeError."""
    if normalizer is None:
        return b""
    raise NotNativeError(f"normalizer.type is {normalizer['type']}")
