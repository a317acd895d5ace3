"""Bulk upload and hybrid queries over many passages, beside qdrant-client, usearch and faiss; and the targets.

The passages are those of --pairs (their `positive` texts, then their `anchor` texts, each once), or words of
the model's vocabulary drawn by Zipf's law, so that any number can be had; their vectors are the model's own.
Uploads alternate with the engine's own upserts of the same vectors and words, 20,000 passages each. Recall is
against exact search over the same vectors, which every peer gets too; each answers in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import lzma
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from report import print_machine
from search_peers import (
    BATCH,
    K,
    Row,
    Vectors,
    faiss_rows,
    installed,
    local_rows,
    memory_of_process,
    timed,
    usearch_rows,
)

import pumice
from pumice.search import Index, SearchParams, Storage
from pumice.search.points import slices

_UPSERT = 1024
_ZIPF = 1.1
_QUERY_EVERY = 50  # pairs
_ALONE = 200_000  # passages that are stored without words too
# Of a million passages of 256 dimensions.
_PASSAGES, _DIM = 1_000_000, 256
_STORED, _P50_MS, _P99_MS, _RECALL, _MEGABYTES = 40_000, 2.0, 10.0, 0.98, 150


@dataclass(frozen=True)
class Upload:
    """Passages a second, from texts to the disk, and what the engine takes of it."""

    name: str
    passages: int
    ours: float
    engine: float
    """Its own upserts, vectors and words given: lists, points, updates, a flush."""
    updates: float
    """Its updates and flush alone, points given."""
    our_core_us: float
    """Processor time of a passage, all threads, in microseconds."""
    engine_core_us: float


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000, help="default 100,000")
    parser.add_argument("--pairs", type=Path, nargs="+", help="NAME.jsonl.xz of passages")
    parser.add_argument(
        "--words",
        type=int,
        nargs=2,
        default=(20, 60),
        metavar=("LEAST", "MOST"),
        help="of a drawn passage (default 20 60, 216 bytes)",
    )
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--quantize", default="turbo-2")
    parser.add_argument("--oversample", type=float, nargs="+", default=[4.0])
    parser.add_argument("--graph", action="store_true", help="build it; minutes for each 100,000")
    parser.add_argument("--peers", default="qdrant-client,usearch,faiss")
    parser.add_argument("--scratch", type=Path, help="where indexes are made; default: temporary")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)  # what this process is to measure
    args = parser.parse_args()
    absent = [path for path in args.pairs or [] if not path.is_file()]
    if absent:
        parser.error(f"--pairs: {absent[0]} is no file: name files of pairs, as NAME.jsonl.xz")
    return args


def main() -> None:
    args = parse_arguments()
    children = {"usearch": usearch_rows, "faiss": faiss_rows, "qdrant-client": local_rows}
    if args.child:
        rows = (
            our_rows(args)
            if args.child == "pumice"
            else children[args.child](*stored(args.scratch))
        )
        print(json.dumps([asdict(row) for row in rows]))
        return
    model = pumice.load()
    asked = [name for name in args.peers.split(",") if name]
    print_machine(model, [f"{name}: not installed" for name in asked if not installed(name)])
    args.scratch = Path(tempfile.mkdtemp(prefix="pumice-search-", dir=args.scratch))
    try:
        uploads, built = upload(args, model)
        save_truth(args.scratch)
        rows = [Row(**{**row, "built_seconds": built}) for row in in_child(args, "pumice")]
        for name in asked:
            if installed(name):
                rows += [Row(**row) for row in in_child(args, name)]
        show(rows)
        show_targets(args, uploads[-1], rows)
        if args.json:
            told = {"uploads": list(map(asdict, uploads)), "rows": list(map(asdict, rows))}
            args.json.write_text(json.dumps(told, indent=1) + "\n")
    finally:
        shutil.rmtree(args.scratch, ignore_errors=True)


def passages(args: argparse.Namespace) -> Iterator[list[str]]:
    """Lists of at most 20,000 texts, of the files in turn; drawn words where there are none."""
    if not args.pairs:
        yield from drawn(args.passages, words=args.words, seed=1)
        return
    texts = islice(_once(_texts(args.pairs)), args.passages)
    while part := list(islice(texts, BATCH)):
        yield part


def _texts(pairs: Sequence[Path]) -> Iterator[str]:
    """Every positive, then every anchor that is not a query."""
    for path in pairs:
        yield from (pair["positive"] for pair in _lines(path))
    for path in pairs:
        yield from (pair["anchor"] for at, pair in enumerate(_lines(path)) if at % _QUERY_EVERY)


def _once(texts: Iterator[str]) -> Iterator[str]:
    seen: set[int] = set()
    for text in texts:
        if (key := hash(text)) not in seen:
            seen.add(key)
            yield text


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def questions_of(args: argparse.Namespace) -> list[str]:
    """Anchors from all over the files; the first words of drawn texts where there are none."""
    if not args.pairs:
        return [
            " ".join(text.split()[:6])
            for text in next(drawn(args.queries, words=args.words, seed=2))
        ]
    anchors = [
        pair["anchor"]
        for path in args.pairs
        for pair in islice(_lines(path), 0, None, _QUERY_EVERY)
    ]
    step = max(1, len(anchors) // args.queries)
    return anchors[::step][: args.queries]


def drawn(count: int, *, words: Sequence[int], seed: int) -> Iterator[list[str]]:
    """Words of the vocabulary by Zipf's law."""
    vocabulary = [token for token in pumice.load().tokens if token.isalpha() and len(token) > 2]
    shares = 1 / np.arange(1, len(vocabulary) + 1) ** _ZIPF
    shares /= shares.sum()
    known = np.array(vocabulary, dtype=object)
    dice = np.random.default_rng(seed)
    for start in range(0, count, BATCH):
        lengths = dice.integers(*words, size=min(BATCH, count - start), endpoint=True)
        drawn = known[dice.choice(len(known), size=int(lengths.sum()), p=shares)]
        yield [" ".join(part) for part in np.split(drawn, np.cumsum(lengths)[:-1])]


class Engine:
    """Edge itself, given vectors and words."""

    def __init__(self, folder: Path, storage: Storage, dim: int) -> None:
        import qdrant_edge

        from pumice.search.bm25 import Words
        from pumice.search.edge.config import edge_config

        folder.mkdir()
        self._qe = qdrant_edge
        self._words = Words() if storage.sparse else None
        self._shard = qdrant_edge.EdgeShard.create(str(folder), edge_config(storage, dim=dim))
        self.seconds = self.update_seconds = self.core_seconds = 0.0

    def add(self, first: int, texts: list[str], vectors: Vectors) -> None:
        """Upsert in batches of 1,024."""
        terms = list(self._words.documents(texts).views()) if self._words else []
        started, core = time.perf_counter(), time.process_time()
        for at in range(0, len(texts), _UPSERT):
            points = []
            for row, dense in enumerate(slices(vectors[at : at + _UPSERT]), at):
                named: dict[str, Any] = {"dense": dense}
                if terms:
                    named["sparse"] = self._qe.SparseVector(*terms[row])
                points.append(self._qe.Point(first + row, named, {"text": texts[row]}))
            ready = time.perf_counter()
            self._shard.update(self._qe.UpdateOperation.upsert_points(points))
            self.update_seconds += time.perf_counter() - ready
        self.seconds += time.perf_counter() - started
        self.core_seconds += time.process_time() - core

    def close(self) -> None:
        """Everything is on the disk."""
        started = time.perf_counter()
        self._shard.flush()
        took = time.perf_counter() - started
        self.seconds += took
        self.update_seconds += took
        self._shard.close()


def upload(args: argparse.Namespace, model: Any) -> tuple[list[Upload], float]:
    """With words and without, and seconds of `Index.optimize`; the one with words stays."""
    questions = questions_of(args)
    (args.scratch / "questions.json").write_text(json.dumps(questions))
    np.save(args.scratch / "queries.npy", model.encode(questions, dim=args.dim))
    sizes = [(len(part), len("".join(part).encode())) for part in passages(args)]
    args.passages = sum(count for count, _ in sizes)
    print(
        f"{args.passages:,} passages of {sum(size for _, size in sizes) / args.passages:.0f} bytes, "
        f"{args.dim} dimensions, {len(questions)} queries, k = {K}, {args.quantize}"
    )
    encoded = np.lib.format.open_memmap(
        args.scratch / "vectors.npy", mode="w+", dtype=np.float32, shape=(args.passages, args.dim)
    )
    uploads, built = [], 0.0
    for words in (False, True):
        name = "vectors and words" if words else "vectors alone"
        storage = Storage(quantize=args.quantize, sparse=words, m=Storage().m if args.graph else 0)
        engine = Engine(args.scratch / "engine", storage, args.dim)
        done, left_out, seconds, core_seconds = 0, 0, 0.0, 0.0
        with Index(args.scratch / "index", model, dim=args.dim, storage=storage) as index:
            for texts in passages(args):
                if not words and done >= _ALONE:
                    break
                ids = list(range(done, done + len(texts)))
                vectors = model.encode(texts, dim=args.dim)
                encoded[done : done + len(texts)] = vectors
                engine.add(done, texts, vectors)
                started, core = time.perf_counter(), time.process_time()
                left_out += len(index.add_columns({"id": ids, "text": texts}).skipped)
                seconds += time.perf_counter() - started
                core_seconds += time.process_time() - core
                done += len(texts)
            engine.close()
            started = time.perf_counter()
            index.flush()
            seconds += time.perf_counter() - started
            assert len(index) == done - left_out
            if words:
                started = time.perf_counter()
                index.optimize()
                built = time.perf_counter() - started
        rates = (done / took for took in (seconds, engine.seconds, engine.update_seconds))
        core = (took / done * 1e6 for took in (core_seconds, engine.core_seconds))
        uploads.append(Upload(name, done, *rates, *core))
        show_upload(uploads[-1])
        shutil.rmtree(args.scratch / "engine")
        if not words:
            shutil.rmtree(args.scratch / "index")
    encoded.flush()
    return uploads, built


def in_child(args: argparse.Namespace, name: str) -> list[dict[str, Any]]:
    command = [sys.executable, __file__, "--child", name, "--scratch", str(args.scratch)]
    command += ["--quantize", args.quantize, "--oversample", *map(str, args.oversample)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told: list[dict[str, Any]] = json.loads(ran.stdout)
    return told


def our_rows(args: argparse.Namespace) -> list[Row]:
    """One query at a time from Python, embedding included."""
    questions = json.loads((args.scratch / "questions.json").read_text())
    answered = []
    with Index(args.scratch / "index", pumice.load()) as index:
        for oversampling in args.oversample:
            params = SearchParams(oversampling=oversampling)
            for mode in ("dense", "hybrid"):
                name = f"pumice {mode}, {args.quantize}, x{oversampling:g}"

                def ask(question: str, mode: Any = mode, params: SearchParams = params) -> Any:
                    return index.search(question, k=K, mode=mode, params=params)

                answered.append((name, mode, params, timed(ask, questions)))
        # Exact search, which reads all vectors from the disk, comes after memory is looked at.
        memory = memory_of_process()
        exact = {
            mode: index.rank(questions, k=K, mode=mode, params=SearchParams(exact=True))
            for mode in ("dense", "hybrid")
        }
        rows = []
        for name, mode, params, times in answered:
            found = index.rank(questions, k=K, mode=mode, params=params)
            shares = [
                len(set(one.ids) & set(other.ids)) / max(1, len(one.ids))
                for one, other in zip(exact[mode], found, strict=True)
            ]
            rows.append(Row(name, *times, statistics.mean(shares), *memory, 0.0))
    return rows


def save_truth(scratch: Path) -> None:
    """The exact ten of each query, a block of vectors at a time."""
    vectors = np.load(scratch / "vectors.npy", mmap_mode="r")
    queries = np.load(scratch / "queries.npy")
    best = np.full((len(queries), K), -np.inf, np.float32)
    ids = np.zeros((len(queries), K), np.int64)
    for start in range(0, len(vectors), 100_000):
        scores = queries @ vectors[start : start + 100_000].T
        known = np.broadcast_to(np.arange(start, start + scores.shape[1]), scores.shape)
        scores, known = (
            np.concatenate([best, scores], axis=1),
            np.concatenate([ids, known], axis=1),
        )
        order = np.argpartition(-scores, K, axis=1)[:, :K]
        best, ids = np.take_along_axis(scores, order, 1), np.take_along_axis(known, order, 1)
    np.save(scratch / "truth.npy", ids)


def stored(scratch: Path) -> tuple[Vectors, Vectors, NDArray[np.int64]]:
    """Vectors, queries, and the ids of each query's exact ten."""
    return (
        np.load(scratch / "vectors.npy", mmap_mode="r"),
        np.load(scratch / "queries.npy"),
        np.load(scratch / "truth.npy"),
    )


def show_upload(one: Upload) -> None:
    print(
        f"{one.name}, {one.passages:,} passages: {one.ours:,.0f} a second; engine {one.engine:,.0f} "
        f"({one.ours / one.engine:.0%}), its updates alone {one.updates:,.0f}; "
        f"core-µs a passage {one.our_core_us:.1f} and {one.engine_core_us:.1f}",
        flush=True,
    )


def show(rows: list[Row]) -> None:
    print(f"\n{'':40}{'p50 ms':>8}{'p99 ms':>8}{'recall':>8}{'MB':>7}{'mapped':>8}{'build s':>9}")
    for row in rows:
        recall = "" if row.recall_at_10 is None else f"{row.recall_at_10:.3f}"
        print(
            f"{row.name:40}{row.p50_ms:8.2f}{row.p99_ms:8.2f}{recall:>8}{row.anonymous_mb:7.0f}"
            f"{row.mapped_mb:8.0f}{row.built_seconds:9.1f}"
        )


def show_targets(args: argparse.Namespace, upload: Upload, rows: Sequence[Row]) -> None:
    """What was aimed at, beside the best hybrid row that has the recall."""
    hybrid = [row for row in rows if row.name.startswith("pumice hybrid")]
    enough = [row for row in hybrid if (row.recall_at_10 or 0.0) >= _RECALL]
    best = min(enough or hybrid, key=lambda row: row.p50_ms)
    same = (args.passages, args.dim) == (_PASSAGES, _DIM)
    print(
        f"\ntargets, of {_PASSAGES:,} passages of {_DIM} dimensions"
        + ("" if same else f" (here {args.passages:,} of {args.dim})")
    )
    figures = (
        ("stored a second, embedding included", upload.ours, _STORED, True),
        ("recall@10 of a hybrid query", best.recall_at_10 or 0.0, _RECALL, True),
        ("its p50, ms", best.p50_ms, _P50_MS, False),
        ("its p99, ms", best.p99_ms, _P99_MS, False),
        ("own memory, MB", best.anonymous_mb, _MEGABYTES, False),
    )
    for name, figure, target, at_least in figures:
        met = figure >= target if at_least else figure <= target
        sign = ">=" if at_least else "<="
        told = f"{figure:,.0f}" if figure >= 100 else f"{figure:.3f}"
        print(f"{name:40}{told:>12}  {sign} {target:,}  {'met' if met else 'missed'}")


if __name__ == "__main__":
    main()
