"""The only imports of qdrant_client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pumice.errors import MissingExtraError


def client_library() -> Any:
    """qdrant_client; MissingExtraError where it is not installed."""
    try:
        import qdrant_client
    except ImportError:
        raise MissingExtraError("qdrant-client", "server") from None
    return qdrant_client


def client_models() -> Any:
    """The types of its requests."""
    return client_library().models


def is_local(client: Any) -> bool:
    """Whether it is qdrant-client's own engine in this process, which has neither graph nor codes."""
    return type(getattr(client, "_client", None)).__name__ == "QdrantLocal"


@dataclass(frozen=True)
class ClientErrors:
    """The types of what it raises."""

    unexpected: Any  # an answer that is no success
    failed: Any  # no answer that could be read
    overloaded: Any  # told when to come again


def client_errors() -> ClientErrors:
    """What it raises."""
    from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    return ClientErrors(UnexpectedResponse, ResponseHandlingException, ResourceExhaustedResponse)
