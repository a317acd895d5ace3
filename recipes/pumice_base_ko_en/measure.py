"""Measures pumice-base-ko-en's nDCG@10 at every prefix, beside BM25 on character bigrams for Korean."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import pumice

sys.path.insert(0, str(Path(__file__).parents[1] / "pumice_base_en"))
from measure import SETS, EvaluationSet, ndcg, read_set

KOREAN = "korquad_v1_dev"
K1, B = 1.5, 0.75


def bigrams(text: str) -> Counter[str]:
    """Of the lower-cased text without white space, over the borders of words."""
    letters = "".join(text.lower().split())
    return Counter(letters[index : index + 2] for index in range(len(letters) - 1))


def bm25_scores(queries: Sequence[str], documents: Sequence[str]) -> NDArray[np.float64]:
    """BM25 as Lucene has it, shape (queries, documents)."""
    counts = [bigrams(text) for text in documents]
    lengths = np.array([one.total() for one in counts], dtype=np.float64)
    penalty = K1 * (1 - B + B * lengths / lengths.mean())
    postings: dict[str, tuple[list[int], list[int]]] = {}
    for index, one in enumerate(counts):
        for gram, times in one.items():
            where, often = postings.setdefault(gram, ([], []))
            where.append(index)
            often.append(times)
    scores = np.zeros((len(queries), len(documents)))
    for row, query in zip(scores, queries, strict=True):
        for gram, times in bigrams(query).items():
            if gram in postings:
                where, often = (np.array(part) for part in postings[gram])
                idf = np.log(1 + (len(documents) - len(where) + 0.5) / (len(where) + 0.5))
                row[where] += times * idf * often * (K1 + 1) / (often + penalty[where])
    return scores


def ndcg_of_bm25(data: EvaluationSet) -> float:
    given = {id(data.queries): bm25_scores(data.queries, data.documents)}
    return ndcg(lambda texts: given.get(id(texts), np.eye(len(data.documents))), data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with evaluation sets in BEIR layout")
    parser.add_argument("model", nargs="?", default="pumice-base-ko-en.pumice")
    args = parser.parse_args()
    names = (KOREAN, *SETS)
    if not all((args.data / name).is_dir() for name in names):
        print(f"{args.data}: the sets {', '.join(names)} are not there; nothing is measured")
        return 1
    sets = {name: read_set(args.data / name) for name in names}
    model = pumice.load(args.model)
    print(f"| model | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    print(f"| BM25, character bigrams | {ndcg_of_bm25(sets[KOREAN]):.3f} |" + " |" * len(SETS))
    for dim in sorted({*(model.prefixes or ()), model.dimensions}, reverse=True):
        cells = [
            f"{ndcg(lambda texts, dim=dim: model.encode(texts, dim=dim), data):.3f}"
            for data in sets.values()
        ]
        print(
            f"| {model.name}, {dim} d, {model.metadata['dtype']} | {' | '.join(cells)} |",
            flush=True,
        )
    english = pumice.load()
    cells = [f"{ndcg(english.encode, data):.3f}" for data in sets.values()]
    print(f"| {english.name} | {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
