"""nDCG@10 on SciFact, TREC-COVID, ArguAna and NFCorpus, float vectors and binary codes, for any models.

    python recipes/beir_four/measure.py DATA [MODEL …]

DATA holds the sets as folders in BEIR layout; those that are absent are named and left out. With `--hub` they
are fetched instead. A model is what `pumice eval` takes; without one it is the shipped model and BM25.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from pumice import PumiceError, SearchParams, Storage
from pumice.evaluate import Evaluation, Model, RetrievalSet, evaluate, open_model, open_sets
from pumice.evaluate.memory import bytes_in_memory
from pumice.evaluate.settings import RESCORED, Row, Storing, Way, plain

SETS = {
    "SciFact": "scifact",
    "TREC-COVID": "trec-covid",
    "ArguAna": "arguana",
    "NFCorpus": "nfcorpus",
}


def rows(model: Model) -> list[Row]:
    """Original and binary, as the published table has them, and what asymmetry and rescoring bring back."""
    full = model.documents.dimensions
    found = [Row(plain(full), [Way("original")], 4.0 * full)]
    for label, query in (("binary", "binary"), ("binary, 8-bit query", "int8")):
        storage = Storage(quantize="binary", query=query, sparse=False, m=0)
        ways = [Way(label, params=SearchParams(rescore=False))]
        if query == "int8":
            params = SearchParams(rescore=True, oversampling=RESCORED)
            ways.append(Way(f"{label}, rescored", params=params))
        found.append(Row(Storing(full, storage), ways, bytes_in_memory(storage, dim=full)))
    return found


def sets(data: Path, *, hub: bool) -> Iterator[RetrievalSet]:
    """Those that are there; the others are named on standard error."""
    for title, name in SETS.items():
        place = data / name
        if not place.is_dir() and not hub:
            print(f"{title}: no folder {place}: left out", file=sys.stderr)
            continue
        yield from open_sets([str(place) if place.is_dir() else name])


def lines(evaluation: Evaluation) -> Iterator[str]:
    """The table, times 100 as BEIR is quoted."""
    there = [one.name for one in evaluation.sets]
    titles = {name: title for title, name in SETS.items()}
    yield f"| model | kept as | {' | '.join(titles.get(name, name) for name in there)} |"
    yield "|---|---|" + "---|" * len(there)
    groups: dict[tuple[str, str], dict[str, float]] = {}
    for figure in evaluation.figures:
        scores = groups.setdefault((figure.model, figure.setting), {})
        scores[figure.data] = 100 * figure.metrics["nDCG@10"]
    for (model, setting), scores in groups.items():
        yield f"| {model} | {setting} | {' | '.join(f'{scores[name]:.2f}' for name in there)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("models", nargs="*", default=["pumice-base-en", "bm25"])
    parser.add_argument("--hub", action="store_true", help="fetch sets that are absent")
    parser.add_argument("--vectors", type=Path, help="keep transformers' vectors here")
    args = parser.parse_args()
    try:
        models = [open_model(name, vectors=args.vectors) for name in args.models]
        evaluation = evaluate(models, sets(args.data, hub=args.hub), rows=rows)
    except PumiceError as error:
        print(error, file=sys.stderr)
        return 1
    if not evaluation.sets:
        print(f"{args.data}: none of the four sets is there; nothing is measured", file=sys.stderr)
        return 1
    print("\n".join(lines(evaluation)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
