"""The only import of qdrant_edge."""

from __future__ import annotations

from typing import Any

from pumice.errors import MissingExtraError


def engine() -> Any:
    """Qdrant Edge; MissingExtraError where it is not installed."""
    try:
        import qdrant_edge
    except ImportError:
        raise MissingExtraError("qdrant-edge-py", "search") from None
    return qdrant_edge
