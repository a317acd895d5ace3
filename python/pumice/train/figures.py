"""What is measured while training: nDCG@10 and accuracy at each prefix, on held-out pairs and BEIR folders."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.errors import InputError
from pumice.model import StaticModel
from pumice.train.dataset import TokenizedSource
from pumice.train.lanes import Lanes
from pumice.train.pooling import Bags, pool
from pumice.train.tokens import Texts, TextsWriter, TokenMemory

DEPTH = 10
_TEXTS = 4096
_QUERIES = 512
_NO_LIMIT = 1 << 30
_SMALLEST = 1e-30


@dataclass(frozen=True)
class EvaluationSet:
    """Queries, documents, and which documents answer which query."""

    name: str
    queries: Texts
    documents: Texts
    relevant: list[dict[int, int]]
    """For each query: document index to grade, above 0."""


@dataclass(frozen=True)
class Figure:
    """One set at one prefix."""

    name: str
    dim: int
    ndcg: float
    """nDCG@10, gains as trec_eval has them."""
    accuracy: float
    """The share of queries whose first document is relevant."""
    code: str = ""
    """"binary" or "int8" where queries and documents are such codes; "" for the vectors themselves."""


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


def read_beir(folder: Path, model: StaticModel) -> EvaluationSet:
    """corpus.jsonl, queries.jsonl and qrels/test.tsv; a document's title and text are joined by a space."""
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
    return EvaluationSet(
        name=folder.name,
        queries=_tokenized([texts[query] for query in grades], model),
        documents=_tokenized(
            [f"{doc.get('title') or ''} {_field(doc, 'text', folder)}".strip() for doc in corpus],
            model,
        ),
        relevant=list(grades.values()),
    )


def measure(
    table: Tensor,
    sets: Sequence[EvaluationSet],
    dims: Sequence[int],
    *,
    lanes: Lanes,
    codes: Sequence[str] = (),
) -> list[Figure]:
    """Every set at every prefix, then each of ``codes`` in the same way."""
    figures = []
    for one in sets:
        queries = embed(table, one.queries, lanes=lanes)
        documents = embed(table, one.documents, lanes=lanes)
        for kind in ("", *codes):
            for dim in dims:
                best = _best(_code(queries[:, :dim], kind), _code(documents[:, :dim], kind))
                figures.append(_figure(one, dim, best, code=kind))
    return figures


def embed(table: Tensor, texts: Texts, *, lanes: Lanes) -> Tensor:
    """The means of all texts' rows, not normalised; zeros for a text without tokens."""
    vectors = []
    for low in range(0, len(texts), _TEXTS):
        high = min(low + _TEXTS, len(texts))
        begin, end = int(texts.offsets[low]), int(texts.offsets[high])
        lengths = texts.lengths[low:high]
        ids = np.array(texts.ids[begin:end])
        bags = Bags.of(ids, lengths, repeats=texts.repeats, device=str(table.device))
        vectors.append(pool(table, bags, lanes=lanes))
    return torch.cat(vectors)


def mean_ndcg(figures: Sequence[Figure]) -> float:
    """Over all sets and prefixes: what the best state is chosen by."""
    return sum(figure.ndcg for figure in figures) / len(figures)


def _best(queries: Tensor, documents: Tensor) -> NDArray[np.int64]:
    """(queries, DEPTH at most): documents by falling cosine.

    Vectors that have all become one are not taken for good ones: held-out documents stand in the order of
    their hashes.
    """
    documents = torch.nn.functional.normalize(documents, dim=1)
    depth = min(DEPTH, len(documents))
    found = []
    for low in range(0, len(queries), _QUERIES):
        chosen = torch.nn.functional.normalize(queries[low : low + _QUERIES], dim=1)
        found.append(torch.topk(chosen @ documents.T, depth, dim=1).indices.cpu().numpy())
    best: NDArray[np.int64] = np.concatenate(found)
    return best


def _code(vectors: Tensor, kind: str) -> Tensor:
    """What `StaticModel.encode` writes for a dtype, as float32; cosines of signs rank as Hamming distances."""
    if kind == "binary":
        return torch.where(vectors > 0, 1.0, -1.0)
    if kind == "int8":
        largest = vectors.abs().amax(1, keepdim=True).clamp_(min=_SMALLEST)
        return torch.round(vectors * (127 / largest))
    return vectors


def _figure(one: EvaluationSet, dim: int, best: NDArray[np.int64], *, code: str) -> Figure:
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
    total = hits = 0.0
    for row, relevant in zip(best.tolist(), one.relevant, strict=True):
        gains = np.array([relevant.get(index, 0) for index in row])
        ideal = np.array(sorted(relevant.values(), reverse=True)[:DEPTH])
        total += float(gains @ discounts[: len(gains)] / (ideal @ discounts[: len(ideal)]))
        hits += bool(gains[0])
    count = len(one.relevant)
    return Figure(one.name, dim, ndcg=total / count, accuracy=hits / count, code=code)


def _tokenized(texts: list[str], model: StaticModel) -> Texts:
    writer = TextsWriter(TokenMemory(_NO_LIMIT * 1024, Path()), repeats=model.parts().repeats)
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
