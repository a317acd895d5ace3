"""Semantic textual similarity: Spearman's correlation of cosines with people's scores, at each prefix."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pumice.compression import COMPRESSIONS, unpacked
from pumice.errors import InputError
from pumice.evaluate.embedder import Model, checked_vectors
from pumice.evaluate.rows import read_rows
from pumice.records import csv_row, decoded

NAMES = ("sentence1", "sentence2", "score")
_TABLE = tuple(f"{kind}{packed}" for kind in (".tsv", ".csv") for packed in COMPRESSIONS)


@dataclass(frozen=True)
class ScoredPairs:
    """Pairs of sentences and how alike people found them."""

    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class StsFigure:
    """One model on one file."""

    data: str
    model: str
    dim: int
    spearman: float
    pairs: int


def read_pairs(path: Path) -> ScoredPairs:
    """.jsonl or .parquet with "sentence1", "sentence2" and "score", or .tsv or .csv with these as header.

    InputError names the line of what cannot be used.
    """
    rows = list(_rows(path))
    if len(rows) < 2:
        raise InputError(f"{path}: has {len(rows)} pairs: a correlation needs two or more")
    scores = np.array([score for _, _, score in rows])
    if not np.ptp(scores):
        raise InputError(f"{path}: every score is {scores[0]:g}: nothing correlates with that")
    first, second, _ = zip(*rows, strict=True)
    return ScoredPairs(path.name.partition(".")[0], first, second, scores)


def measure_sts(model: Model, pairs: ScoredPairs) -> list[StsFigure]:
    """At the model's full width, then at each prefix. A text without tokens is alike to nothing."""
    sides = [
        checked_vectors(model.queries, dict(enumerate(texts)), what="sentence")
        for texts in (pairs.first, pairs.second)
    ]
    figures = []
    for dim in (model.documents.dimensions, *model.prefixes):
        cosines = _cosines(sides[0][:, :dim], sides[1][:, :dim])
        found = spearman(cosines, pairs.scores)
        figures.append(StsFigure(pairs.name, model.name, dim, found, len(cosines)))
    return figures


def spearman(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Pearson's correlation of the ranks, equal values sharing their mean rank; 0 where all are equal."""
    ranks = [_ranks(values) for values in (one, other)]
    if not np.ptp(ranks[0]) or not np.ptp(ranks[1]):
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: NDArray[np.float64] = (ends - (counts - 1) / 2)[inverse]
    return means


def _cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    products = np.einsum("ij,ij->i", one, other)
    # Rounded: that two sentences are equal must not depend on the order of a sum.
    cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    rounded: NDArray[np.float64] = np.round(cosines.astype(np.float64), 6)
    return rounded


def _rows(path: Path) -> Iterator[tuple[str, str, float]]:
    if path.name.endswith(_TABLE):
        yield from _table(path)
        return
    for record in read_rows(path):
        place, fields = record.place, record.fields
        if missing := [name for name in NAMES if name not in fields]:
            raise InputError(f'{place}: has no "{missing[0]}": a pair is {", ".join(NAMES)}')
        yield _pair([fields[name] for name in NAMES], place)


def _table(path: Path) -> Iterator[tuple[str, str, float]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    tabs = ".tsv" in path.suffixes
    with unpacked(path) as file:
        lines = (decoded(line, f"{path}:{number}") for number, line in enumerate(file, start=1))
        # In a .tsv a quotation mark is a letter like others.
        reader = (
            csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(lines)
        )
        head = csv_row(reader, path) or []
        if missing := [name for name in NAMES if name not in head]:
            raise InputError(
                f'{path}:1: the header has no "{missing[0]}": it must name {", ".join(NAMES)}'
            )
        places = [head.index(name) for name in NAMES]
        while (row := csv_row(reader, path)) is not None:
            place = f"{path}:{reader.line_num}"
            if len(row) != len(head):
                raise InputError(f"{place}: has {len(row)} columns, the header {len(head)}")
            yield _pair([row[at] for at in places], place)


def _pair(values: Sequence[object], place: str) -> tuple[str, str, float]:
    first, second, score = values
    if not isinstance(first, str) or not isinstance(second, str):
        raise InputError(f"{place}: a sentence is no string")
    try:
        number = float(score)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number) or isinstance(score, bool):
        raise InputError(f"{place}: the score {score!r} is no number")
    return first, second, number
