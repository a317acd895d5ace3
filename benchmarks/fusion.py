"""How hybrid search makes one list of two: nDCG@10 of each fusion, on test collections and on training pairs.

A file of pairs is a collection of at most 6,000 of its rows, drawn from the first 40,000: the positives are
searched, the first 1,500 anchors ask. Everything is asked of Qdrant Edge, as a user asks.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pumice
from pumice.evaluate import RetrievalSet, open_sets
from pumice.evaluate.metrics import measure
from pumice.records import read_records
from pumice.search import Fusion, Index, Mode, SearchParams

_ROWS, _DOCUMENTS, _QUERIES = 40_000, 6_000, 1_500
_FUSIONS = {
    "dbsf": Fusion("dbsf"),
    **{f"rrf, k = {k}": Fusion("rrf", k=k) for k in (2, 10, 60)},
    **{
        f"linear, {share:g}": Fusion("linear", weights=(1, share), candidates=100)
        for share in (0.2, 0.25, 0.3, 0.4)
    },
    "the default": Fusion(),
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=[], help="folders in BEIR layout")
    parser.add_argument("--pairs", type=Path, nargs="+", default=[], help="NAME.jsonl.xz")
    parser.add_argument("--model", help="default: the shipped model")
    parser.add_argument("--dim", type=int, help="a prefix; default: all dimensions")
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    model = pumice.load(args.model) if args.model else pumice.load()
    figures: dict[str, list[float]] = {}
    names = []
    for data in (*map(of_pairs, args.pairs), *(open_sets(args.data) if args.data else ())):
        names.append(data.name)
        for way, figure in measured(data, model, args.dim):
            figures.setdefault(way, []).append(figure)
        print(f"{data.name}: {len(data.documents):,} texts, {len(data.queries):,} questions")
    better = [max(pair) for pair in zip(figures["dense"], figures["sparse"], strict=True)]
    print(f"\n{'nDCG@10':16}{'mean':>8}{'worst':>8}  " + "".join(f"{n[:10]:>11}" for n in names))
    for way, row in figures.items():
        worst = min(one / best - 1 for one, best in zip(row, better, strict=True))
        told = "".join(f"{one:11.4f}" for one in row)
        print(f"{way:16}{sum(row) / len(row):8.4f}{worst:8.1%}  {told}")


def of_pairs(path: Path) -> RetrievalSet:
    """Each text once; an anchor asks for its own positive."""
    rows = [record.fields for record in itertools.islice(read_records(path), _ROWS)]
    random.Random(3).shuffle(rows)
    rows = rows[:_DOCUMENTS]
    ids = {text: f"d{at}" for at, text in enumerate(dict.fromkeys(row["positive"] for row in rows))}
    asked = {f"q{at}": row for at, row in enumerate(rows[:_QUERIES])}
    return RetrievalSet(
        path.name.partition(".")[0],
        {one: text for text, one in ids.items()},
        {one: row["anchor"] for one, row in asked.items()},
        {one: {ids[row["positive"]]: 1} for one, row in asked.items()},
    )


def measured(
    data: RetrievalSet, model: pumice.StaticModel, dim: int | None
) -> Iterator[tuple[str, float]]:
    """Either list alone, and every fusion of both."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Index(f"{folder}/index", model, dim=dim) as index,
    ):
        index.add({"id": one, "text": text} for one, text in data.documents.items())

        def figure(mode: Mode, fusion: Fusion) -> float:
            params = SearchParams(fusion=fusion)
            found = index.rank(list(data.queries.values()), k=10, mode=mode, params=params)
            ranking = {one: list(hits.ids) for one, hits in zip(data.queries, found, strict=True)}
            return measure(ranking, ranking, data)["nDCG@10"]

        alone: tuple[Mode, ...] = ("dense", "sparse")
        for mode in alone:
            yield mode, figure(mode, Fusion())
        for name, fusion in _FUSIONS.items():
            yield name, figure("hybrid", fusion)


if __name__ == "__main__":
    main()
