"""Steps as the requests of qdrant-client, asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from pumice.search.home import Plan, Terms
from pumice.search.points import Payload, PointId
from pumice.search.search_params import Fusion
from pumice.search.server.filters import server_filter
from pumice.search.server.library import client_models
from pumice.search.steps import Found, Fused, Scan, Step

_IDS = 4096  # of points, a request


class ServerLists:
    """What a collection finds for one call."""

    def __init__(self, send: Callable[..., Any], plan: Plan, *, exact: bool) -> None:
        """`exact`: the engine compares with every vector, whatever is asked."""
        self._send, self._exact = send, exact
        self._matching = server_filter(plan.conditions)
        self._keys: bool | list[str] = True if plan.keys is None else list(plan.keys)

    def lists(self, asked: Sequence[Step | Fused], *, payloads: bool) -> Sequence[Sequence[Found]]:
        """See Engine."""
        how = {"matching": self._matching, "payload": self._keys if payloads else False}
        requests = [_request(one, exact=self._exact, **how) for one in asked]
        answers = self._send("query_batch_points", requests=requests)
        return [answer.points for answer in answers]

    def payloads(self, ids: Sequence[Any]) -> dict[Any, Payload]:
        """See Engine; a second request."""
        found: dict[Any, Payload] = {}
        for at in range(0, len(ids), _IDS):
            part = list(ids[at : at + _IDS])
            records = self._send("retrieve", ids=part, with_payload=self._keys, with_vectors=False)
            found.update((record.id, record.payload or {}) for record in records)
        return found

    def plain_id(self, given: Any) -> PointId:
        """See Engine."""
        return plain_id(given)


def plain_id(given: Any) -> PointId:
    """An int or a UUID of what a protocol gives."""
    return given if isinstance(given, int) else UUID(str(given))


def _request(
    steps: Step | Fused, *, matching: Any, payload: bool | list[str], exact: bool = False
) -> Any:
    """The request for one list; `exact`: the engine compares with every vector, whatever is asked."""
    models = client_models()
    if exact:
        steps = _without_scans(steps)
    alone = steps if isinstance(steps, Step) else None
    return models.QueryRequest(
        limit=steps.limit,
        query=_fusion(steps.fusion) if isinstance(steps, Fused) else _nearest(steps),
        using=alone.using if alone else None,
        prefetch=_before(steps, matching),
        filter=matching if alone else None,
        params=_params(alone.scan) if alone else None,
        with_payload=payload,
        with_vector=False,
    )


def _without_scans(steps: Any) -> Any:
    if isinstance(steps, Fused):
        return replace(steps, steps=tuple(_without_scans(step) for step in steps.steps))
    return steps and replace(steps, scan=None, before=_without_scans(steps.before))


def _before(steps: Step | Fused, matching: Any) -> list[Any] | None:
    if isinstance(steps, Fused):
        return [_prefetch(step, matching) for step in steps.steps]
    return None if steps.before is None else [_prefetch(steps.before, matching)]


def _prefetch(step: Step, matching: Any) -> Any:
    models = client_models()
    return models.Prefetch(
        limit=step.limit,
        query=_nearest(step),
        using=step.using,
        prefetch=_before(step, matching),
        params=_params(step.scan),
        filter=matching,
    )


def _nearest(step: Step) -> Any:
    models = client_models()
    if not isinstance(step.vector, Terms):
        return step.vector
    return models.SparseVector(
        indices=step.vector.numbers.tolist(), values=step.vector.weights.tolist()
    )


def _fusion(fusion: Fusion) -> Any:
    models = client_models()
    if fusion.kind == "dbsf":
        return models.FusionQuery(fusion=models.Fusion.DBSF)
    return models.RrfQuery(rrf=models.Rrf(k=fusion.k, weights=list(fusion.shares)))


def _params(scan: Scan | None) -> Any:
    models = client_models()
    if scan is None:
        return None
    codes = None
    if scan.rescore is not None:
        codes = models.QuantizationSearchParams(
            rescore=scan.rescore, oversampling=scan.oversampling
        )
    return models.SearchParams(hnsw_ef=scan.breadth, exact=scan.exact, quantization=codes)
