"""Bulk upload and hybrid queries over many passages, beside qdrant-client, usearch and faiss.

The passages are those of --pairs, or words of the model's vocabulary drawn by Zipf's law, so that any number
can be had; their vectors are the model's own. Recall is against exact search over the same vectors, which every
peer gets too.
"""

from __future__ import annotations

import argparse
import json
import lzma
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy import float32
from numpy.typing import NDArray
from report import print_machine

import pumice
from pumice.search import Index, SearchParams, Storage

Vectors = NDArray[float32]
_BATCH = 20_000
_WORDS = (20, 60)  # of a passage
_ZIPF = 1.1
_K = 10


@dataclass
class Row:
    """One engine's figures; None where it has none."""

    name: str
    upload_per_second: float
    p50_ms: float
    p99_ms: float
    recall_at_10: float | None
    resident_mb: float
    build_seconds: float = 0.0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--passages", type=int, default=100_000, help="default 100,000; 1,000,000 takes an hour"
    )
    parser.add_argument(
        "--pairs",
        type=Path,
        nargs="+",
        help="NAME.jsonl.xz whose `positive` texts are the passages",
    )
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--quantize", default="turbo-1")
    parser.add_argument("--oversample", type=float, default=8.0)
    parser.add_argument("--graph", action="store_true", help="build it; minutes for each 100,000")
    parser.add_argument("--peers", default="qdrant-client,usearch,faiss")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # the child's: measure it
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    if args.folder:
        print(json.dumps(measure_queries(args)))
        return
    model = pumice.load()
    peers = {"usearch": usearch_row, "faiss": faiss_row, "qdrant-client": qdrant_row}
    asked = [name for name in args.peers.split(",") if name]
    print_machine(model, [f"{name}: not installed" for name in asked if not _installed(name)])
    print(
        f"up to {args.passages:,} passages of {args.dim} dimensions, {args.queries} queries, k = {_K}"
    )
    folder = Path(tempfile.mkdtemp(prefix="pumice-search-"))
    try:
        rows = ours(args, model, folder)
        vectors, queries = (
            np.load(folder / "vectors.npy", mmap_mode="r"),
            np.load(folder / "queries.npy"),
        )
        truth = nearest(vectors, queries)
        for name in asked:
            if _installed(name):
                rows.append(peers[name](vectors, queries, truth))
        show(rows)
        if args.json:
            args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def passages(count: int, *, pairs: Sequence[Path]) -> Iterator[list[str]]:
    """Lists of at most 20,000 texts, of the files in turn; drawn words where there are none."""
    if not pairs:
        yield from drawn(count, seed=1)
        return
    texts = islice((pair["positive"] for path in pairs for pair in _lines(path)), count)
    while part := list(islice(texts, _BATCH)):
        yield part


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def questions_of(args: argparse.Namespace) -> list[str]:
    if not args.pairs:
        return [" ".join(text.split()[:6]) for text in next(drawn(args.queries, seed=2))]
    rows = (pair["anchor"] for path in args.pairs for pair in _lines(path))
    return list(islice(rows, 0, 50 * args.queries, 50))


def drawn(count: int, *, seed: int) -> Iterator[list[str]]:
    """Words of the vocabulary by Zipf's law."""
    vocabulary = [token for token in pumice.load().tokens if token.isalpha() and len(token) > 2]
    shares = 1 / np.arange(1, len(vocabulary) + 1) ** _ZIPF
    shares /= shares.sum()
    words = np.array(vocabulary, dtype=object)
    dice = np.random.default_rng(seed)
    for start in range(0, count, _BATCH):
        lengths = dice.integers(*_WORDS, size=min(_BATCH, count - start))
        drawn = words[dice.choice(len(words), size=int(lengths.sum()), p=shares)]
        yield [" ".join(part) for part in np.split(drawn, np.cumsum(lengths)[:-1])]


def ours(args: argparse.Namespace, model: Any, folder: Path) -> list[Row]:
    """Edge with vectors alone, and with words; queries in a process of their own, for its memory."""
    rows = []
    questions = questions_of(args)
    args.passages = sum(map(len, passages(args.passages, pairs=args.pairs or ())))
    np.save(folder / "queries.npy", model.encode(questions, dim=args.dim))
    (folder / "questions.json").write_text(json.dumps(questions))
    encoded = np.lib.format.open_memmap(
        folder / "vectors.npy", mode="w+", dtype=np.float32, shape=(args.passages, args.dim)
    )
    for words in (False, True):
        place = folder / ("hybrid" if words else "dense")
        storage = Storage(
            quantize=args.quantize,
            oversampling=args.oversample,
            sparse=words,
            m=16 if args.graph else 0,
        )
        with Index(place, model, dim=args.dim, storage=storage) as index:
            done, seconds = 0, 0.0
            for texts in passages(args.passages, pairs=args.pairs or ()):
                records = [{"id": done + at, "text": text} for at, text in enumerate(texts)]
                started = time.perf_counter()
                index.add(records)
                seconds += time.perf_counter() - started
                if not words:
                    encoded[done : done + len(texts)] = model.encode(texts, dim=args.dim)
                done += len(texts)
            started = time.perf_counter()
            index.optimize()
            build = time.perf_counter() - started
        told = in_child(args, place)
        for mode, figures in told["modes"].items():
            name = f"pumice, {args.quantize}, {mode}" + ("" if not words else ", words kept")
            rows.append(
                Row(
                    name,
                    args.passages / seconds,
                    figures["p50"],
                    figures["p99"],
                    figures["recall"],
                    told["resident"],
                    build,
                )
            )
    return rows


def in_child(args: argparse.Namespace, place: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--folder", str(place), "--dim", str(args.dim)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def measure_queries(args: argparse.Namespace) -> dict[str, Any]:
    """One query at a time from Python, embedding included."""
    questions = json.loads((args.folder.parent / "questions.json").read_text())
    modes: dict[str, Any] = {}
    with Index(args.folder, pumice.load()) as index:
        for mode in ("dense", "hybrid") if index.storage.sparse else ("dense",):
            exact = index.rank(questions, k=_K, mode="dense", params=SearchParams(exact=True))
            found = index.rank(questions, k=_K, mode="dense")
            recall = statistics.mean(
                len(set(one.ids) & set(other.ids)) / _K
                for one, other in zip(exact, found, strict=True)
            )
            for question in questions[:20]:
                index.search(question, mode=mode)
            times = timed(lambda question: index.search(question, mode=mode), questions)  # noqa: B023
            modes[mode] = {**times, "recall": recall if mode == "dense" else None}
        resident = _resident_mb()
    return {"modes": modes, "resident": resident}


def timed(ask: Callable[[Any], Any], queries: Sequence[Any]) -> dict[str, float]:
    milliseconds = []
    for query in queries:
        started = time.perf_counter()
        ask(query)
        milliseconds.append((time.perf_counter() - started) * 1e3)
    return {
        "p50": float(np.percentile(milliseconds, 50)),
        "p99": float(np.percentile(milliseconds, 99)),
    }


def nearest(vectors: Vectors, queries: Vectors) -> NDArray[np.int64]:
    """The exact ten of each query, a block of vectors at a time."""
    best = np.full((len(queries), _K), -np.inf, np.float32)
    ids = np.zeros((len(queries), _K), np.int64)
    for start in range(0, len(vectors), 100_000):
        scores = queries @ vectors[start : start + 100_000].T
        scores = np.concatenate([best, scores], axis=1)
        known = np.concatenate(
            [
                ids,
                np.broadcast_to(
                    np.arange(start, start + scores.shape[1] - _K), (len(ids), scores.shape[1] - _K)
                ),
            ],
            axis=1,
        )
        order = np.argsort(-scores, axis=1)[:, :_K]
        best, ids = np.take_along_axis(scores, order, 1), np.take_along_axis(known, order, 1)
    return ids


def usearch_row(vectors: Vectors, queries: Vectors, truth: NDArray[np.int64]) -> Row:
    from usearch.index import Index as Peer

    peer = Peer(ndim=vectors.shape[1], metric="cos", dtype="f32")
    started = time.perf_counter()
    peer.add(np.arange(len(vectors)), np.asarray(vectors))
    seconds = time.perf_counter() - started
    found = [set(peer.search(query, _K).keys.tolist()) for query in queries]
    times = timed(lambda query: peer.search(query, _K), queries)
    return _row("usearch HNSW f32", len(vectors) / seconds, times, found, truth)


def faiss_row(vectors: Vectors, queries: Vectors, truth: NDArray[np.int64]) -> Row:
    import faiss

    peer = faiss.IndexFlatIP(vectors.shape[1])
    started = time.perf_counter()
    peer.add(np.ascontiguousarray(vectors))
    seconds = time.perf_counter() - started
    found = [set(peer.search(query[None], _K)[1][0].tolist()) for query in queries]
    times = timed(lambda query: peer.search(query[None], _K), queries)
    return _row("faiss flat f32", len(vectors) / seconds, times, found, truth)


def qdrant_row(vectors: Vectors, queries: Vectors, truth: NDArray[np.int64]) -> Row:
    """Local mode is numpy and has no bulk path worth waiting for: at most 20,000 vectors of it."""
    from qdrant_client import QdrantClient, models

    some = vectors[:_BATCH]
    peer = QdrantClient(":memory:")
    peer.create_collection(
        "i", models.VectorParams(size=some.shape[1], distance=models.Distance.COSINE)
    )
    started = time.perf_counter()
    for start in range(0, len(some), 1000):
        part = some[start : start + 1000]
        peer.upsert(
            "i",
            [models.PointStruct(id=start + at, vector=row) for at, row in enumerate(part.tolist())],
        )
    seconds = time.perf_counter() - started
    times = timed(lambda query: peer.query_points("i", query.tolist(), limit=_K), queries[:50])
    return Row(
        f"qdrant-client local, {len(some):,}",
        len(some) / seconds,
        times["p50"],
        times["p99"],
        None,
        _resident_mb(),
    )


def _row(
    name: str,
    upload: float,
    times: dict[str, float],
    found: list[set[int]],
    truth: NDArray[np.int64],
) -> Row:
    recall = statistics.mean(
        len(one & set(ids)) / _K for one, ids in zip(found, truth.tolist(), strict=True)
    )
    return Row(name, upload, times["p50"], times["p99"], recall, _resident_mb())


def _installed(name: str) -> bool:
    for package in {"faiss": ("faiss-cpu", "faiss")}.get(name, (name,)):
        try:
            version(package)
            return True
        except PackageNotFoundError:
            continue
    return False


def _resident_mb() -> float:
    """Memory that this process does not share with a file: what must be there for it to run."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kilobytes = {
        line.split(":")[0]: line.split()[1]
        for line in status.read_text().splitlines()
        if "Rss" in line
    }
    return int(kilobytes["RssAnon"]) / 1024


def show(rows: list[Row]) -> None:
    print(f"{'':42}{'vectors/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'recall':>9}{'MB':>8}{'build s':>9}")
    for row in rows:
        recall = "" if row.recall_at_10 is None else f"{row.recall_at_10:.3f}"
        print(
            f"{row.name:42}{row.upload_per_second:11,.0f}{row.p50_ms:9.2f}{row.p99_ms:9.2f}"
            f"{recall:>9}{row.resident_mb:8.0f}{row.build_seconds:9.1f}"
        )


if __name__ == "__main__":
    main()
