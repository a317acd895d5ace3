"""What figures are measured on: held-out pairs, and folders in BEIR's layout."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pumice.errors import InputError
from pumice.model import StaticModel
from pumice.train.dataset import TokenizedSource
from pumice.train.tokens import Texts, TextsWriter, TokenMemory

_NO_LIMIT = 1 << 30


@dataclass(frozen=True)
class EvaluationSet:
    """Queries, documents, and which documents answer which query."""

    name: str
    queries: Texts
    documents: Texts
    relevant: list[dict[int, int]]
    """For each query: document index to grade, above 0."""


def held_out_sets(sources: Sequence[TokenizedSource]) -> list[EvaluationSet]:
    """A set for each source that holds pairs out: its held-out anchors over its held-out positives."""
    sets = []
    for source in sources:
        if len(source.held_out) < 2:
            continue
        hashes = source.positives.hashes[source.held_out]
        _, first, document = np.unique(hashes, return_index=True, return_inverse=True)
        grades: dict[int, dict[int, int]] = {}
        queries: dict[int, int] = {}  # the same anchor may have several positives
        for pair, found in zip(source.held_out.tolist(), document.tolist(), strict=True):
            query = queries.setdefault(int(source.anchors.hashes[pair]), pair)
            grades.setdefault(query, {})[found] = 1
        sets.append(
            EvaluationSet(
                name=f"held-out {source.name}",
                queries=source.anchors.subset(np.array(list(grades))),
                documents=source.positives.subset(source.held_out[first]),
                relevant=list(grades.values()),
            )
        )
    return sets


@dataclass(frozen=True)
class BeirTexts:
    """A folder in BEIR's layout, as strings."""

    name: str
    queries: list[str]
    documents: list[str]
    """Title and text, joined by a space."""
    relevant: list[dict[int, int]]


def read_beir(folder: Path, model: StaticModel) -> EvaluationSet:
    """The texts of `read_beir_texts`, tokenised."""
    read = read_beir_texts(folder)
    return EvaluationSet(
        read.name,
        tokenized(read.queries, model),
        tokenized(read.documents, model),
        read.relevant,
    )


def read_beir_texts(folder: Path) -> BeirTexts:
    """corpus.jsonl, queries.jsonl and qrels/test.tsv. Raises InputError for what is none."""
    corpus, queries = (_records(folder / name) for name in ("corpus.jsonl", "queries.jsonl"))
    documents = {_field(doc, "_id", folder): number for number, doc in enumerate(corpus)}
    texts = {_field(query, "_id", folder): _field(query, "text", folder) for query in queries}
    grades: dict[str, dict[int, int]] = {}
    path = folder / "qrels" / "test.tsv"
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines, delimiter="\t"), start=2):
                try:
                    query, document = row["query-id"], documents[row["corpus-id"]]
                    grade = int(row["score"])
                    if grade > 0:
                        grades.setdefault(query, {})[document] = grade
                        texts[query]
                except (KeyError, ValueError, TypeError):
                    raise InputError(
                        f"{path}:{number}: is no judgment of a query and a document that are there"
                    ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from None
    if not grades:
        raise InputError(f"{path}: judges no document relevant")
    return BeirTexts(
        name=folder.name,
        queries=[texts[query] for query in grades],
        documents=[
            f"{doc.get('title') or ''} {_field(doc, 'text', folder)}".strip() for doc in corpus
        ],
        relevant=list(grades.values()),
    )


def tokenized(texts: list[str], model: StaticModel) -> Texts:
    """Whole texts, in memory."""
    writer = TextsWriter(TokenMemory(_NO_LIMIT * 1024, Path()), counting=model.parts().counting)
    writer.append(model.tokenize(texts), limit=_NO_LIMIT)
    return writer.finish()


def _records(path: Path) -> list[dict[str, Any]]:
    records = []
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise InputError(f"{path}:{number}: not a JSON object")
                records.append(record)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}:{len(records) + 1}: not a JSON object") from None
    if not records:
        raise InputError(f"{path}: is empty")
    return records


def _field(record: dict[str, Any], name: str, folder: Path) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        raise InputError(f'{folder}: {record.get("_id", "a record")!r} has no string "{name}"')
    return value
