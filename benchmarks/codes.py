"""What codes keep of a ranking, through Qdrant Edge: every kind, query encodings, rescoring, rotations."""

from __future__ import annotations

import argparse
import itertools
import json
import lzma
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy import float32
from numpy.typing import NDArray
from report import print_machine

import pumice
from pumice.evaluate.beir import read_beir
from pumice.evaluate.metrics import by_query
from pumice.evaluate.retrieval_set import RetrievalSet
from pumice.search import Index, SearchParams, Storage

Vectors = NDArray[float32]
STORAGES = {
    "float32": Storage(m=0, sparse=False),
    "float16": Storage(datatype="float16", m=0, sparse=False),
    "uint8": Storage(datatype="uint8", m=0, sparse=False),
    "int8": Storage(quantize="int8", m=0, sparse=False),
    "turbo-4": Storage(quantize="turbo-4", m=0, sparse=False),
    "turbo-2": Storage(quantize="turbo-2", m=0, sparse=False),
    "turbo-1.5": Storage(quantize="turbo-1.5", m=0, sparse=False),
    "turbo-1": Storage(quantize="turbo-1", m=0, sparse=False),
    "binary-2": Storage(quantize="binary-2", query="int8", m=0, sparse=False),
    "binary-1.5": Storage(quantize="binary-1.5", query="int8", m=0, sparse=False),
    "binary, 8-bit query": Storage(quantize="binary", query="int8", m=0, sparse=False),
    "binary, 4-bit query": Storage(quantize="binary", query="int4", m=0, sparse=False),
    "binary, symmetric": Storage(quantize="binary", query="binary", m=0, sparse=False),
    "product-16": Storage(quantize="product-16", m=0, sparse=False),
    "product-32": Storage(quantize="product-32", m=0, sparse=False),
}
WIDER = (2.0, 4.0, 8.0)
_ROTATED = ("binary, 8-bit query", "binary, symmetric")
_LEARNED_FROM = 6_000  # texts for centre and rotation
_ITQ_STEPS = 20


@dataclass(frozen=True)
class Collection:
    """A test collection with the model's vectors of it."""

    data: RetrievalSet
    documents: Vectors
    queries: Vectors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+", help="folders in BEIR layout")
    parser.add_argument("--model", help="default: the shipped model")
    parser.add_argument("--dims", default="512,256", help="prefixes (default 512,256)")
    parser.add_argument("--kinds", help="only these rows, separated by semicolons")
    parser.add_argument(
        "--pairs", type=Path, help="NAME.jsonl.xz to learn centre and rotation from"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    model = pumice.load(args.model)
    print_machine(model, [f"qdrant-edge-py {version('qdrant-edge-py')}, every code scanned (m=0)"])
    sets = {folder.name: read_beir(folder) for folder in args.data}
    kinds = args.kinds.split(";") if args.kinds else list(STORAGES)
    results: dict[str, dict[str, dict[str, float]]] = {}
    for dim in map(int, args.dims.split(",")):
        encoded = {name: encode(model, data, dim) for name, data in sets.items()}
        print(f"\n{dim} dimensions, nDCG@10")
        print("".ljust(44), *(f"{name[:10]:>10}" for name in sets), "      mean    loss")
        rows = results[str(dim)] = {}
        for kind in kinds:
            rows.update(shown(row_of(kind, encoded), rows))
        for label, turn in rotations(model, args.pairs, dim).items() if args.pairs else ():
            turned = {
                name: Collection(one.data, turn(one.documents), turn(one.queries))
                for name, one in encoded.items()
            }
            for kind in _ROTATED:
                rows.update(shown(row_of(kind, turned, f", {label}"), rows))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


def encode(model: Any, data: RetrievalSet, dim: int) -> Collection:
    documents = list(data.documents.values())
    queries = list(data.queries.values())
    return Collection(data, model.encode(documents, dim=dim), model.encode(queries, dim=dim))


def row_of(
    kind: str, collections: dict[str, Collection], label: str = ""
) -> dict[str, dict[str, float]]:
    """nDCG@10 of one kind of codes, alone and rescored."""
    rows: dict[str, dict[str, float]] = {}
    for name, collection in collections.items():
        for way, score in measured(STORAGES[kind], collection):
            rows.setdefault(f"{kind}{label}{way}", {})[name] = score
    return rows


def measured(storage: Storage, one: Collection) -> Iterator[tuple[str, float]]:
    folder = Path(tempfile.mkdtemp(prefix="pumice-codes-"))
    try:
        with Index(folder / "i", _Given(one.documents.shape[1]), storage=storage) as index:
            known = one.documents.any(axis=1)
            rows = np.flatnonzero(known)
            index.add([{"id": int(row), "text": "-"} for row in rows], vectors=one.documents[rows])
            if storage.coded_later:
                index.optimize()
            yield "", asked(index, one, SearchParams(rescore=False))
            if storage.quantize:
                for wider in WIDER:
                    params = SearchParams(rescore=True, oversampling=wider)
                    yield f", rescored x{wider:g}", asked(index, one, params)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Given:
    """Stands for the model: the vectors are given."""

    name, fingerprint = "given", "given"

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def encode(self, texts: Any, *, dim: int | None = None) -> Vectors:
        return np.ones(
            (1 if isinstance(texts, str) else len(texts), dim or self.dimensions), float32
        )


def asked(index: Index, one: Collection, params: SearchParams) -> float:
    queries, ids = list(one.data.queries), one.data.document_ids
    found = index.rank(["-"] * len(queries), vectors=one.queries, params=params, mode="dense")
    ranking = {
        query: [ids[hit] for hit in hits.ids]  # type: ignore[index]
        for query, hits in zip(queries, found, strict=True)
    }
    return statistics.mean(by_query(ranking, one.data, "nDCG@10").values())


def rotations(model: Any, pairs: Path, dim: int) -> dict[str, Callable[[Vectors], Vectors]]:
    """Centring, and centring with ITQ (Gong and Lazebnik 2011) within each Matryoshka block."""
    texts = []
    with lzma.open(pairs, "rt", encoding="utf-8") as lines:
        for line in lines:
            texts += [json.loads(line)[side] for side in ("anchor", "positive")]
            if len(texts) >= _LEARNED_FROM:
                break
    vectors = model.encode(texts, dim=dim)
    vectors = vectors[vectors.any(axis=1)]
    centre = vectors.mean(axis=0)
    edges = [0, *(size for size in sorted(model.prefixes) if size < dim), dim]
    turn = np.zeros((dim, dim), float32)
    for low, high in itertools.pairwise(edges):
        turn[low:high, low:high] = itq(vectors[:, low:high] - centre[low:high])
    return {
        "centred": lambda given: given - centre,
        "centred, ITQ in blocks": lambda given: (given - centre) @ turn,
    }


def itq(centred: Vectors) -> Vectors:
    """The rotation under which signs lose least, from a random start."""
    size = centred.shape[1]
    turn, _ = np.linalg.qr(np.random.default_rng(7).standard_normal((size, size)))
    for _ in range(_ITQ_STEPS):
        left, _, right = np.linalg.svd(centred.T @ np.where(centred @ turn > 0, 1.0, -1.0))
        turn = left @ right
    return turn.astype(float32)


def shown(
    new: dict[str, dict[str, float]], rows: dict[str, dict[str, float]]
) -> dict[str, dict[str, float]]:
    exact = statistics.mean(rows.get("float32", new.get("float32", {})).values())
    for label, row in new.items():
        mean = statistics.mean(row.values())
        loss = f"{(1 - mean / exact) * 100:6.2f} %"
        scores = (f"{score:10.4f}" for score in row.values())
        print(label.ljust(44), *scores, f"{mean:10.4f}", loss, flush=True)
    return new


if __name__ == "__main__":
    main()
