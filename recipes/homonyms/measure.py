"""What a bag of words cannot see: homonyms, word order, negation. Static model beside a transformer.

    python recipes/homonyms/measure.py MODEL st:TRANSFORMER

Each line of triples.tsv is a query, a passage that says the same in other words, and one that shares the
query's words and means something else. A model is right where the first has the higher cosine.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from pumice.evaluate import Model, open_model

TRIPLES = Path(__file__).with_name("triples.tsv")


def read_triples() -> list[dict[str, str]]:
    with TRIPLES.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def cosines(model: Model, triples: list[dict[str, str]]) -> np.ndarray:
    """Shape (n, 2): of the query with the right and with the wrong passage."""

    def unit(name: str) -> np.ndarray:
        side = model.queries if name == "query" else model.documents
        vectors = side.encode([triple[name] for triple in triples])
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    query, right, wrong = (unit(name) for name in ("query", "right", "wrong"))
    return np.stack([(query * right).sum(axis=1), (query * wrong).sum(axis=1)], axis=1)


def main() -> int:
    names = sys.argv[1:] or ["pumice-base-en"]
    models = [model for model in map(open_model, names) if model is not None]
    triples = read_triples()
    found = {model.name: cosines(model, triples) for model in models}
    kinds = list(dict.fromkeys(triple["kind"] for triple in triples))
    print(f"| kind | triples | {' | '.join(found)} |\n|---|---|{'---|' * len(found)}")
    for kind in kinds:
        rows = [at for at, triple in enumerate(triples) if triple["kind"] == kind]
        cells = [f"{(scores[rows, 0] > scores[rows, 1]).sum()} right" for scores in found.values()]
        print(f"| {kind} | {len(rows)} | {' | '.join(cells)} |")
    print(f"\n| query | right | wrong | {' | '.join(found)} |\n|---|---|---|{'---|' * len(found)}")
    for at, triple in enumerate(triples):
        cells = [f"{scores[at, 0]:.2f} / {scores[at, 1]:.2f}" for scores in found.values()]
        print(
            f"| {triple['query']} | {triple['right']} | {triple['wrong']} | {' | '.join(cells)} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
