"""Steps as Edge's requests, asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from pumice.search.edge.config import sparse_vector
from pumice.search.edge.engine import engine
from pumice.search.edge.filters import edge_filter
from pumice.search.home import Plan, Terms
from pumice.search.points import Payload, PointId
from pumice.search.search_params import Fusion
from pumice.search.steps import Found, Fused, Scan, Step

if TYPE_CHECKING:
    import qdrant_edge


class EdgeLists:
    """What a shard finds for one call."""

    def __init__(
        self,
        shard: qdrant_edge.EdgeShard,
        plan: Plan,
        *,
        translated: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        """`translated("read")` makes Edge's errors the index's own."""
        self._shard, self._translated = shard, translated
        self._matching = edge_filter(plan.conditions)
        self._keys: bool | list[str] = True if plan.keys is None else list(plan.keys)

    def lists(self, asked: Sequence[Step | Fused], *, payloads: bool) -> Sequence[Sequence[Found]]:
        """See Engine; the queries of one request share their passes over the vectors."""
        payload = self._keys if payloads else False
        requests = [_request(one, matching=self._matching, payload=payload) for one in asked]
        with self._translated("read"):
            return self._shard.query_batch(engine().QueryBatchRequest(requests))

    def payloads(self, ids: Sequence[Any]) -> dict[Any, Payload]:
        """See Engine."""
        with self._translated("read"):
            records = self._shard.retrieve(list(ids), with_payload=self._keys, with_vector=False)
        return {record.id: record.payload or {} for record in records}

    def plain_id(self, given: Any) -> PointId:
        """See Engine: Edge gives it as it is."""
        plain: PointId = given
        return plain


def _request(steps: Step | Fused, *, matching: Any, payload: bool | list[str]) -> Any:
    last = isinstance(steps, Step)
    return engine().QueryRequest(
        limit=steps.limit,
        query=_nearest(steps) if isinstance(steps, Step) else _fusion(steps.fusion),
        prefetches=_before(steps, matching),
        filter=matching if last else None,
        params=_params(steps.scan) if isinstance(steps, Step) else None,
        with_payload=payload,
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
    return qe.Fusion.Rrf(k=fusion.k, weights=list(fusion.shares))


def _params(scan: Scan | None) -> Any:
    if scan is None:
        return None
    qe = engine()
    codes = None
    if scan.rescore is not None:
        codes = qe.QuantizationSearchParams(rescore=scan.rescore, oversampling=scan.oversampling)
    return qe.SearchParams(hnsw_ef=scan.breadth, exact=scan.exact, quantization=codes)
