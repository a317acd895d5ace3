"""Engines asked beside pumice: usearch, faiss and qdrant-client's local mode, each in its own process."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy import float32
from numpy.typing import NDArray

Vectors = NDArray[float32]
K = 10
BATCH = 20_000
_LOCAL = 20_000  # vectors for qdrant-client: local mode has no bulk path
_THREADS = 2
_USEARCH_TYPES = ("f32", "i8")
_USEARCH_BREADTHS = (64, 512)  # its own default, and what finds more
_FAISS_LISTS = 1024
_FAISS_PROBED = (32, 96)


@dataclass(frozen=True)
class Row:
    """How one engine answers; None where it has no figure."""

    name: str
    p50_ms: float
    p99_ms: float
    recall_at_10: float | None
    anonymous_mb: float
    mapped_mb: float
    built_seconds: float


def timed(ask: Callable[[Any], Any], queries: Sequence[Any]) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds, after every query was asked once."""
    for query in queries:
        ask(query)
    milliseconds = []
    for query in queries:
        started = time.perf_counter()
        ask(query)
        milliseconds.append((time.perf_counter() - started) * 1e3)
    return float(np.percentile(milliseconds, 50)), float(np.percentile(milliseconds, 99))


def usearch_rows(vectors: Vectors, queries: Vectors, truth: NDArray[np.int64]) -> list[Row]:
    """Its own defaults but for the threads: 16 edges, 128 candidates for them."""
    from usearch.index import Index as Peer

    rows = []
    for kind in _USEARCH_TYPES:
        peer = Peer(ndim=vectors.shape[1], metric="cos", dtype=kind)
        started = time.perf_counter()
        for start in range(0, len(vectors), BATCH):
            part = np.array(vectors[start : start + BATCH])
            peer.add(np.arange(start, start + len(part)), part, threads=_THREADS)
        seconds = time.perf_counter() - started
        for breadth in _USEARCH_BREADTHS:
            peer.expansion_search = breadth
            found = [peer.search(query, K).keys.tolist() for query in queries]
            times = timed(lambda query, peer=peer: peer.search(query, K), queries)
            name = f"usearch HNSW {kind}, expansion {breadth}"
            rows.append(_row(name, times, found, truth, seconds))
        del peer
    return rows


def faiss_rows(vectors: Vectors, queries: Vectors, truth: NDArray[np.int64]) -> list[Row]:
    """Every vector, and lists of near ones."""
    import faiss

    faiss.omp_set_num_threads(_THREADS)
    rows = []
    lists = min(_FAISS_LISTS, max(1, len(vectors) // 40))
    for name, peer, probed in (
        ("flat f32", faiss.IndexFlatIP(vectors.shape[1]), (0,)),
        (
            f"IVF{lists} f32",
            faiss.index_factory(vectors.shape[1], f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT),
            _FAISS_PROBED,
        ),
    ):
        started = time.perf_counter()
        if not peer.is_trained:
            peer.train(np.array(vectors[:: max(1, len(vectors) // (50 * lists))]))
        for start in range(0, len(vectors), BATCH):
            peer.add(np.ascontiguousarray(vectors[start : start + BATCH]))
        seconds = time.perf_counter() - started
        for probes in probed:
            told = f"faiss {name}"
            if probes:
                peer.nprobe = probes
                told += f", {probes} probed"
            found = [peer.search(query[None], K)[1][0].tolist() for query in queries]
            times = timed(lambda query, peer=peer: peer.search(query[None], K), queries)
            rows.append(_row(told, times, found, truth, seconds))
        peer.reset()
    return rows


def local_rows(vectors: Vectors, queries: Vectors, _: NDArray[np.int64]) -> list[Row]:
    from qdrant_client import QdrantClient, models

    some = vectors[:_LOCAL]
    peer = QdrantClient(":memory:")
    params = models.VectorParams(size=some.shape[1], distance=models.Distance.COSINE)
    peer.create_collection("i", params)
    started = time.perf_counter()
    for start in range(0, len(some), 1000):
        part = some[start : start + 1000].tolist()
        peer.upsert("i", [models.PointStruct(id=start + at, vector=v) for at, v in enumerate(part)])
    seconds = time.perf_counter() - started
    times = timed(lambda query: peer.query_points("i", query.tolist(), limit=K), queries[:50])
    name = f"qdrant-client local, {len(some):,} vectors"
    return [Row(name, *times, None, *memory_of_process(), seconds)]


def _row(
    name: str,
    times: tuple[float, float],
    found: list[list[int]],
    truth: NDArray[np.int64],
    seconds: float,
) -> Row:
    recall = statistics.mean(
        len(set(one) & set(ids)) / K for one, ids in zip(found, truth.tolist(), strict=True)
    )
    return Row(name, *times, recall, *memory_of_process(), seconds)


def installed(name: str) -> bool:
    for package in {"faiss": ("faiss-cpu", "faiss")}.get(name, (name,)):
        try:
            version(package)
            return True
        except PackageNotFoundError:
            continue
    return False


def memory_of_process() -> tuple[float, float]:
    """Megabytes that this process needs, and of mapped files that happen to be in memory."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 0.0
    kilobytes = {
        line.split(":")[0]: int(line.split()[1])
        for line in status.read_text().splitlines()
        if "Rss" in line
    }
    return kilobytes["RssAnon"] / 1024, kilobytes["RssFile"] / 1024
