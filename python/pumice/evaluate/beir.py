"""Reads a folder in BEIR layout: corpus, queries and qrels, plain, compressed or Parquet.

    corpus.jsonl       {"_id": "7", "title": "may be empty", "text": "…"}
    queries.jsonl      {"_id": "q1", "text": "…"}
    qrels/test.tsv     query-id, corpus-id, score: with a header line, or TREC's four columns without one

(Thakur et al. 2021, arXiv:2104.08663.) Everything is checked before anything is measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pumice.compression import COMPRESSIONS, unpacked
from pumice.errors import InputError, MissingExtraError
from pumice.evaluate.retrieval_set import RetrievalSet, checked_set

SPLIT = "test"
_KINDS = (".jsonl", ".parquet", ".tsv")
_LONGEST_LINE = 64 << 20
_ROWS = 1024


def read_beir(folder: Path, *, name: str = "", split: str | None = None) -> RetrievalSet:
    """The set in a folder; `split` names the qrels, "test" or, where there is but one, that one.

    InputError names the file and the line of what cannot be used.
    """
    corpus = _texts(_stem(folder, "corpus"), titled=True)
    queries = _texts(_stem(folder, "queries"), titled=False)
    path = _qrels(folder, split)
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
    return checked_set(name or folder.name, corpus, queries, judgments)


def is_beir(folder: Path) -> bool:
    """Whether the folder has a corpus in it."""
    return folder.is_dir() and any(_candidates(folder, "corpus"))


def _texts(path: Path, *, titled: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, fields in _rows(path):
        identifier, text = _string(fields, "_id", place), _string(fields, "text", place)
        title = fields.get("title") if titled else None
        if title is not None and not isinstance(title, str):
            raise InputError(f'{place}: "title" is no string')
        if identifier in found:
            raise InputError(f"{place}: the id {identifier!r} occurs a second time")
        found[identifier] = f"{title or ''} {text}".strip()
    if not found:
        raise InputError(f"{path}: is empty: there is nothing to measure")
    return found


def _judgments(path: Path) -> Iterator[tuple[str, str, str, int]]:
    """Place, query id, document id, grade."""
    if not path.name.endswith(tuple(f".tsv{packed}" for packed in COMPRESSIONS)):
        for place, fields in _rows(path):
            names = ("query-id", "corpus-id")
            query, document = (_identifier(fields.get(name), name, place) for name in names)
            yield place, query, document, _grade(fields.get("score"), place)
        return
    with unpacked(path) as file:
        for number, line in enumerate(file, start=1):
            place = f"{path}:{number}"
            cells = _decoded(line, place).strip().split("\t")
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


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each object of a file and its place."""
    if ".parquet" in path.suffixes:
        yield from _parquet(path)
        return
    with unpacked(path) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            place = f"{path}:{number}"
            text = _decoded(line, place)
            if not text.strip():
                continue
            try:
                fields = json.loads(text)
            except (ValueError, RecursionError):
                raise InputError(f"{place}: is not JSON: put one object on each line") from None
            if not isinstance(fields, dict):
                raise InputError(f"{place}: is no JSON object: put one on each line")
            yield place, fields


def _parquet(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet") from None
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(batch_size=_ROWS):
                for fields in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", fields
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: not Parquet: {' '.join(str(error).split())[:200]}") from None


def _decoded(line: bytes, place: str) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{place}: is not UTF-8 text: convert it") from None


def _string(fields: Mapping[str, Any], name: str, place: str) -> str:
    value = fields.get(name)
    if name == "_id":
        return _identifier(value if value is not None else fields.get("id"), name, place)
    if not isinstance(value, str):
        raise InputError(f'{place}: has no string "{name}"')
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(f'{place}: "{name}" holds a lone surrogate: it is no Unicode') from None
    return value


def _identifier(value: Any, name: str, place: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise InputError(f'{place}: has no string "{name}"')
    return value


def _grade(value: Any, place: str) -> int:
    try:
        grade = float(value)
        if grade == int(grade):
            return int(grade)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError(f"{place}: the score {value!r} is no whole number")
