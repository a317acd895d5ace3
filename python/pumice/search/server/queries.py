"""Steps as the requests of qdrant-client."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pumice.search.home import Plan, Terms
from pumice.search.search_params import Fusion
from pumice.search.server.library import client_models
from pumice.search.steps import Fused, Scan, Step


def server_request(steps: Step | Fused, plan: Plan, *, matching: Any, exact: bool = False) -> Any:
    """The request for one query; `exact`: the engine compares with every vector, whatever is asked."""
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
        with_payload=True if plan.keys is None else list(plan.keys),
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
    return models.RrfQuery(rrf=models.Rrf(k=fusion.k, weights=list(fusion.weights)))


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
