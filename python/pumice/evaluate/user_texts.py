"""A user's own corpus and queries: a BEIR folder, or files of texts, with or without judgments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pumice.errors import InputError
from pumice.evaluate.beir import is_beir, read_beir, read_qrels
from pumice.evaluate.retrieval_set import RetrievalSet, checked_set
from pumice.evaluate.rows import read_texts


@dataclass(frozen=True)
class Files:
    """Where texts lie. A BEIR folder as corpus brings queries and judgments of its own."""

    corpus: Path
    queries: Path | None = None
    qrels: Path | None = None
    split: str | None = None


def read_user_texts(files: Files) -> RetrievalSet:
    """The texts; without qrels its judgments are empty. InputError where there are no queries."""
    if files.corpus.is_dir() and files.queries is None and files.qrels is None:
        if not is_beir(files.corpus):
            raise InputError(
                f"{files.corpus}: has no corpus.jsonl: name a folder in BEIR layout, or a .jsonl or "
                ".txt file of texts"
            )
        return read_beir(files.corpus.resolve(), split=files.split)
    if files.queries is None:
        raise InputError(
            f"{files.corpus}: is no BEIR folder, so the queries must be given as well (--queries FILE)"
        )
    corpus = files.corpus / "corpus.jsonl" if files.corpus.is_dir() else files.corpus
    documents = read_texts(corpus, titled=True)
    queries = read_texts(files.queries, titled=False)
    name = files.corpus.name.partition(".")[0]
    if files.qrels is None:
        return RetrievalSet(name, documents, queries, {})
    return checked_set(name, documents, queries, read_qrels(files.qrels, documents, queries))
