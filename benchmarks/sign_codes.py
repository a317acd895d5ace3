"""What one bit a dimension could keep: thresholds, scales, linear decoders, factors of each text.

Without an engine: every text is scored by numpy, with float queries where codes are asymmetric. What is
learned is learned from the texts of --pairs, none of them of the test collections.
"""

from __future__ import annotations

import argparse
import json
import lzma
import statistics
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from codes import Collection, Vectors, encode
from report import print_machine

import pumice
from pumice.evaluate.beir import read_beir
from pumice.evaluate.metrics import by_query

Scores = Callable[[Vectors, Vectors], Any]
"""Of (queries, documents): a row for each query."""
_RIDGE = 0.01
_K = 10


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+", help="folders in BEIR layout")
    parser.add_argument("--pairs", type=Path, nargs="+", required=True, help="NAME.jsonl.xz")
    parser.add_argument("--texts", type=int, default=10_000, help="of each file (default 10,000)")
    parser.add_argument("--model", help="default: the shipped model")
    parser.add_argument("--dim", type=int, default=512)
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    model = pumice.load(args.model)
    print_machine(model, [])
    pairs = [pair for path in args.pairs for pair in islice(lines(path), args.texts)]
    texts, questions = (
        known(model.encode([pair[side] for pair in pairs], dim=args.dim))
        for side in ("positive", "anchor")
    )
    print(f"learned from {len(texts):,} texts and {len(questions):,} questions, {args.dim} bits")
    collections = [encode(model, read_beir(folder), args.dim) for folder in args.data]
    print(f"{'':48}", *(f"{folder.name[:9]:>9}" for folder in args.data), "     mean    loss")
    exact = 0.0
    for label, scores in ways(texts, questions):
        found = [ndcg(one, scores) for one in collections]
        mean = statistics.mean(found)
        exact = exact or mean
        told = (f"{score:9.4f}" for score in found)
        print(f"{label:48}", *told, f"{mean:9.4f} {1 - mean / exact:7.1%}", flush=True)


def lines(path: Path) -> Iterator[dict[str, str]]:
    with lzma.open(path, "rt", encoding="utf-8") as opened:
        yield from map(json.loads, opened)


def known(vectors: Vectors) -> Vectors:
    rows: Vectors = vectors[vectors.any(axis=1)]
    return rows


def ndcg(one: Collection, scores: Scores) -> float:
    order = np.argsort(-scores(one.queries, one.documents), axis=1, kind="stable")[:, :_K]
    ids: Any = one.data.document_ids
    ranking = {
        query: [ids[at] for at in row]
        for query, row in zip(one.data.queries, order.tolist(), strict=True)
    }
    return statistics.mean(by_query(ranking, one.data, "nDCG@10").values())


def ways(texts: Vectors, questions: Vectors) -> Iterator[tuple[str, Scores]]:
    """Each way of scoring, the vectors themselves first."""
    yield "vectors", lambda q, d: q @ d.T
    yield "symmetric", lambda q, d: bits(q) @ bits(d).T
    yield "asymmetric", lambda q, d: q @ bits(d).T
    for name, shift in (("median", np.median(texts, axis=0)), ("mean", texts.mean(axis=0))):
        yield from shifted(name, shift)
    middle = np.median(questions, axis=0)
    yield "symmetric, questions by their own median", lambda q, d: bits(q - middle) @ bits(d).T
    size = np.abs(texts).mean(axis=0)
    yield "asymmetric, query times mean size", lambda q, d: (q * size) @ bits(d).T
    root = np.sqrt(size)
    yield "asymmetric, query times its root", lambda q, d: (q * root) @ bits(d).T
    decoder = decoder_of(texts)
    yield "asymmetric, linear decoder in the query", lambda q, d: (q @ decoder.T) @ bits(d).T

    def decoded(q: Vectors, d: Vectors) -> Any:
        rows = bits(d) @ decoder
        return (q @ rows.T) / np.linalg.norm(rows, axis=1)

    yield "asymmetric, decoded, of norm 1", decoded
    yield "asymmetric, over <vector, bits> of each text", lambda q, d: q @ (bits(d).T / share(d))
    yield (
        "symmetric, over <vector, bits> of each text",
        lambda q, d: bits(q) @ (bits(d).T / share(d)),
    )


def shifted(name: str, shift: Vectors) -> Iterator[tuple[str, Scores]]:
    """Bits by other thresholds than zero, on one side or both."""
    yield f"symmetric, texts by {name}", lambda q, d: bits(q) @ bits(d - shift).T
    yield f"symmetric, both by {name} of texts", lambda q, d: bits(q - shift) @ bits(d - shift).T
    yield f"asymmetric, texts by {name}", lambda q, d: q @ bits(d - shift).T
    yield f"asymmetric, both by {name} of texts", lambda q, d: (q - shift) @ bits(d - shift).T


def bits(vectors: Vectors) -> Vectors:
    return np.where(vectors > 0, np.float32(1), np.float32(-1))


def share(vectors: Vectors) -> Any:
    """The dot product of each with its bits: RaBitQ's factor (Gao and Long 2024)."""
    return (vectors * bits(vectors)).sum(axis=1)


def decoder_of(texts: Vectors) -> Vectors:
    """The matrix that makes the most of bits: vectors nearest to bits times it, in least squares."""
    signs = bits(texts)
    spread = signs.T @ signs / len(texts) + _RIDGE * np.eye(texts.shape[1], dtype=np.float32)
    decoder: Vectors = np.linalg.solve(spread, signs.T @ texts / len(texts)).astype(np.float32)
    return decoder


if __name__ == "__main__":
    main()
