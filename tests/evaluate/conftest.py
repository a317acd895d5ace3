"""A test collection small enough to reckon by hand, and one that a model of random rows gets right."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

pytest.importorskip("qdrant_edge", reason="evaluation needs pumice[eval]")
pytest.importorskip("ir_measures", reason="evaluation needs pumice[eval]")
pytest.importorskip("bm25s", reason="evaluation needs pumice[eval]")

Judged = Mapping[str, Mapping[str, int]]
Writer = Callable[..., Path]
DOCUMENTS = {
    "passport": "Passports are renewed at the town hall with two photographs",
    "bread": "Bread needs flour water salt and time",
    "piano": "The piano was tuned by a patient old man",
    "snow": "Snow fell on the mountain and the river froze",
    "battery": "A battery stores energy for the network cable tester",
    "doctor": "The doctor asked for medicine at the hospital window",
}
QUERIES = {
    "q1": "renewed passports with photographs",
    "q2": "flour and salt for bread",
    "q3": "who tuned the piano",
    "q4": "hospital medicine",
}
JUDGMENTS = {
    "q1": {"passport": 2, "bread": 0},
    "q2": {"bread": 1},
    "q3": {"piano": 1},
    "q4": {"doctor": 1, "battery": 1},
}


@pytest.fixture
def write_beir(tmp_path: Path) -> Writer:
    """Writes a folder in BEIR layout; what is not given is the small collection's."""

    def write(
        name: str = "tiny",
        *,
        documents: Mapping[str, str] = DOCUMENTS,
        queries: Mapping[str, str] = QUERIES,
        judgments: Judged = JUDGMENTS,
    ) -> Path:
        folder = tmp_path / name
        (folder / "qrels").mkdir(parents=True)
        corpus = [{"_id": one, "title": "", "text": text} for one, text in documents.items()]
        asked = [{"_id": one, "text": text} for one, text in queries.items()]
        for stem, records in (("corpus", corpus), ("queries", asked)):
            lines = "".join(json.dumps(record) + "\n" for record in records)
            (folder / f"{stem}.jsonl").write_text(lines, "utf-8")
        lines = "query-id\tcorpus-id\tscore\n" + "".join(
            f"{query}\t{document}\t{grade}\n"
            for query, grades in judgments.items()
            for document, grade in grades.items()
        )
        (folder / "qrels" / "test.tsv").write_text(lines, "utf-8")
        return folder

    return write
