"""Steps as Edge's requests."""

from __future__ import annotations

from typing import Any

from pumice.search.edge.config import sparse_vector
from pumice.search.edge.engine import engine
from pumice.search.home import Plan, Terms
from pumice.search.search_params import Fusion
from pumice.search.steps import Fused, Scan, Step


def edge_request(steps: Step | Fused, plan: Plan, *, matching: Any) -> Any:
    """The request for one query."""
    last = isinstance(steps, Step)
    return engine().QueryRequest(
        limit=steps.limit,
        query=_nearest(steps) if isinstance(steps, Step) else _fusion(steps.fusion),
        prefetches=_before(steps, matching),
        filter=matching if last else None,
        params=_params(steps.scan) if isinstance(steps, Step) else None,
        with_payload=True if plan.keys is None else list(plan.keys),
    )


def _before(steps: Step | Fused, matching: Any) -> list[Any] | None:
    if isinstance(steps, Fused):
        return [_prefetch(step, matching) for step in steps.steps]
    return None if steps.before is None else [_prefetch(steps.before, matching)]


def _prefetch(step: Step, matching: Any) -> Any:
    return engine().Prefetch(
        limit=step.limit,
        query=_nearest(step),
        prefetches=_before(step, matching),
        params=_params(step.scan),
        filter=matching,
    )


def _nearest(step: Step) -> Any:
    vector = sparse_vector(step.vector) if isinstance(step.vector, Terms) else step.vector
    return engine().Query.Nearest(vector, using=step.using)


def _fusion(fusion: Fusion) -> Any:
    qe = engine()
    if fusion.kind == "dbsf":
        return qe.Fusion.Dbsf()
    return qe.Fusion.Rrf(k=fusion.k, weights=list(fusion.weights))


def _params(scan: Scan | None) -> Any:
    if scan is None:
        return None
    qe = engine()
    codes = None
    if scan.rescore is not None:
        codes = qe.QuantizationSearchParams(rescore=scan.rescore, oversampling=scan.oversampling)
    return qe.SearchParams(hnsw_ef=scan.breadth, exact=scan.exact, quantization=codes)
