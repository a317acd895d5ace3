"""Reads a folder in BEIR layout: corpus, queries and qrels, plain, compressed or Parquet.

    corpus.jsonl       {"_id": "7", "title": "may be empty", "text": "…"}
    queries.jsonl      {"_id": "q1", "text": "…"}
    qrels/test.tsv     query-id, corpus-id, score: with a header line, or TREC's four columns without one

(Thakur et al. 2021, arXiv:2104.08663.) Everything is checked before anything is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pumice.compression import COMPRESSIONS, unpacked
from pumice.errors import InputError
from pumice.evaluate.retrieval_set import RetrievalSet, checked_set
from pumice.evaluate.rows import checked_id, read_rows, read_texts
from pumice.records import decoded

SPLIT = "test"
_KINDS = (".jsonl", ".parquet", ".tsv")


def read_beir(folder: Path, *, name: str = "", split: str | None = None) -> RetrievalSet:
    """The set in a folder; `split` names the qrels, "test" or, where there is but one, that one.

    InputError names the file and the line of what cannot be used.
    """
    corpus = read_texts(_stem(folder, "corpus"), titled=True)
    queries = read_texts(_stem(folder, "queries"), titled=False)
    judgments = read_qrels(_qrels(folder, split), corpus, queries)
    return checked_set(name or folder.name, corpus, queries, judgments)


def read_qrels(
    path: Path, corpus: Mapping[str, str], queries: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """Grades by query and document, all of which must be there."""
    judgments: dict[str, dict[str, int]] = {}
    for place, query, document, grade in _judgments(path):
        if query not in queries:
            raise InputError(f"{place}: judges query {query!r}, which is not in the queries")
        if document not in corpus:
            raise InputError(f"{place}: judges document {document!r}, which is not in the corpus")
        grades = judgments.setdefault(query, {})
        if grades.setdefault(document, grade) != grade:
            raise InputError(
                f"{place}: judges query {query!r} and document {document!r} again, and otherwise"
            )
    return judgments


def is_beir(folder: Path) -> bool:
    """Whether the folder has a corpus in it."""
    return folder.is_dir() and any(_candidates(folder, "corpus"))


def _judgments(path: Path) -> Iterator[tuple[str, str, str, int]]:
    """Place, query id, document id, grade."""
    if not path.name.endswith(tuple(f".tsv{packed}" for packed in COMPRESSIONS)):
        for record in read_rows(path):
            names = ("query-id", "corpus-id")
            query, document = (
                checked_id(record.fields.get(name), name, record.place) for name in names
            )
            yield record.place, query, document, _grade(record.fields.get("score"), record.place)
        return
    with unpacked(path) as file:
        for number, line in enumerate(file, start=1):
            place = f"{path}:{number}"
            cells = decoded(line, place).strip().split("\t")
            if cells == [""] or (number == 1 and cells[0].lower() in ("query-id", "query_id")):
                continue
            if len(cells) == 1:
                cells = cells[0].split()
            if len(cells) == 4:  # TREC: query, iteration, document, grade
                del cells[1]
            if len(cells) != 3:
                raise InputError(f"{place}: has {len(cells)} columns: query-id, corpus-id, score")
            yield place, cells[0], cells[1], _grade(cells[2], place)


def _qrels(folder: Path, split: str | None) -> Path:
    qrels = folder / "qrels"
    found = list(_candidates(qrels, split or SPLIT)) if qrels.is_dir() else []
    if found:
        return found[0]
    others = sorted(path for path in qrels.iterdir() if _kind(path)) if qrels.is_dir() else []
    if split is None and len(others) == 1:
        return others[0]
    if not others:
        raise InputError(
            f"{folder}: has no qrels/{split or SPLIT}.tsv: without judgments there is nothing to "
            "measure (pumice compare and pumice tune do without)"
        )
    names = ", ".join(path.name.partition(".")[0] for path in others)
    raise InputError(f"{folder}: has no qrels of the split {split or SPLIT}: there are {names}")


def _stem(folder: Path, stem: str) -> Path:
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder in BEIR layout")
    for path in _candidates(folder, stem):
        return path
    raise InputError(f"{folder}: has no {stem}.jsonl")


def _candidates(folder: Path, stem: str) -> Iterator[Path]:
    for kind in _KINDS:
        for packed in COMPRESSIONS:
            path = folder / f"{stem}{kind}{packed}"
            if path.is_file():
                yield path


def _kind(path: Path) -> bool:
    return path.name.endswith(
        tuple(f"{kind}{packed}" for kind in _KINDS for packed in COMPRESSIONS)
    )


def _grade(value: Any, place: str) -> int:
    try:
        grade = float(value)
        if grade == int(grade):
            return int(grade)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError(f"{place}: the score {value!r} is no whole number")
