"""Requests sent again after a dropped connection, a time-out or an overloaded server; then one error.

Every request of an index may be sent twice: points are replaced by their ids, deletions of what is
gone are no error, a collection is created only where there is none.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pumice.errors import SearchIndexError
from pumice.search.server.library import client_errors

T = TypeVar("T")
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 8.0
_LONGEST_ASKED_WAIT = 60.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_PASSING_GRPC = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED"})
_REASON_CHARACTERS = 300


class RefusedError(SearchIndexError):
    """The server's answer was a refusal that no second try changes; `status` is HTTP's, or 0."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Retrying:
    """Sends requests to one server."""

    def __init__(self, where: str, *, tries: int) -> None:
        self._where = where
        self._tries = tries

    def __call__(self, request: Callable[[], T]) -> T:
        """The answer; SearchIndexError once the tries are used up, or at once if they cannot help."""
        started = time.monotonic()
        for attempt in range(1, self._tries + 1):
            try:
                return request()
            except Exception as error:
                failure = _Failure.of(error)
                if failure is None:
                    raise
                if not failure.passing:
                    raise RefusedError(
                        f"index {self._where}: the server refuses this: {failure.reason}",
                        status=failure.status,
                    ) from error
                if attempt == self._tries:
                    seconds = time.monotonic() - started
                    raise SearchIndexError(
                        f"index {self._where}: the server does not answer ({failure.reason}), "
                        f"tried {attempt} times in {seconds:.1f} s; what was added before is "
                        "stored: check the server and run this again"
                    ) from error
                time.sleep(failure.wait if failure.wait is not None else _wait(attempt))
        raise AssertionError("unreachable")


class _Failure:
    """What went wrong, and whether it may pass."""

    def __init__(self, reason: str, *, passing: bool, status: int = 0) -> None:
        self.reason = " ".join(reason.split())[:_REASON_CHARACTERS]
        self.passing = passing
        self.status = status
        self.wait: float | None = None

    @classmethod
    def of(cls, error: Exception) -> _Failure | None:
        """None for an error that is not the server's."""
        errors = client_errors()
        if isinstance(error, errors.overloaded):
            failure = cls("it is overloaded", passing=True, status=429)
            failure.wait = min(float(error.retry_after_s), _LONGEST_ASKED_WAIT)
            return failure
        if isinstance(error, errors.unexpected):
            status = error.status_code or 0
            return cls(_told(error), passing=status in _PASSING, status=status)
        if isinstance(error, errors.failed):
            source = error.source
            transport = type(source).__module__.partition(".")[0] in ("httpx", "httpcore")
            reason = f"{type(source).__name__}: {source}" if str(source) else type(source).__name__
            return cls(reason, passing=transport)
        code: Any = getattr(error, "code", None)
        if type(error).__module__.startswith("grpc") and callable(code):
            name = getattr(code(), "name", "")
            details: Any = getattr(error, "details", None)
            told = details() if callable(details) else ""
            return cls(f"{name}: {told}", passing=name in _PASSING_GRPC, status=_http_status(name))
        return None


def _told(error: Any) -> str:
    """The server's own words."""
    if error.status_code in (401, 403):
        return f"{error.status_code}: it wants another API key"
    try:
        return f"{error.status_code}: {error.structured()['status']['error']}"
    except (ValueError, KeyError, TypeError):
        return f"{error.status_code} {error.reason_phrase}"


def _http_status(grpc_name: str) -> int:
    return {"ALREADY_EXISTS": 409, "NOT_FOUND": 404}.get(grpc_name, 0)


def _wait(attempt: int) -> float:
    """Doubling, and never the same for two clients that failed together."""
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (attempt - 1))
    return float(longest * random.uniform(0.5, 1.0))
