"""Folders in BEIR layout: every form of them, and one sentence for everything that is wrong with one."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pumice import PumiceError
from pumice.evaluate import open_sets
from pumice.evaluate.beir import read_beir
from tests.evaluate.conftest import DOCUMENTS, JUDGMENTS, QUERIES, Writer
from tests.hub_server import serve


def test_a_folder_is_read(write_beir: Writer) -> None:
    data = read_beir(write_beir())
    assert data.name == "tiny"
    assert data.documents == DOCUMENTS
    assert data.queries == QUERIES
    assert data.judgments == JUDGMENTS
    assert not data.overlap


def test_title_and_text_are_joined(write_beir: Writer) -> None:
    folder = write_beir()
    with (folder / "corpus.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"_id": 7, "title": "A title", "text": "and text"}\n\n')
        file.write('{"_id": "8", "title": null, "text": ""}\n')
    documents = read_beir(folder).documents
    assert documents["7"] == "A title and text"
    assert documents["8"] == ""


def test_queries_that_nothing_answers_are_left_out(write_beir: Writer) -> None:
    folder = write_beir(judgments={"q1": {"passport": 1}, "q2": {"bread": 0}})
    assert list(read_beir(folder).queries) == ["q1"]


@pytest.mark.parametrize("packed", [".gz", ".xz", ".zst"])
def test_packed_files(write_beir: Writer, packed: str) -> None:
    import lzma

    zstandard = pytest.importorskip("zstandard")
    pack = {
        ".gz": gzip.compress,
        ".xz": lzma.compress,
        ".zst": zstandard.ZstdCompressor().compress,
    }[packed]
    folder = write_beir()
    for path in (folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels" / "test.tsv"):
        path.with_name(path.name + packed).write_bytes(pack(path.read_bytes()))
        path.unlink()
    assert read_beir(folder).judgments == JUDGMENTS


def test_parquet(write_beir: Writer) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    folder = write_beir()
    for stem in ("corpus", "queries"):
        path = folder / f"{stem}.jsonl"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        packed = folder / f"{stem}.parquet.gz"
        with gzip.open(packed, "wb") as file:
            parquet.write_table(pyarrow.Table.from_pylist(rows), file)
        path.unlink()
    (folder / "qrels" / "test.tsv").unlink()
    judged = [
        {"query-id": query, "corpus-id": document, "score": grade}
        for query, grades in JUDGMENTS.items()
        for document, grade in grades.items()
    ]
    parquet.write_table(pyarrow.Table.from_pylist(judged), folder / "qrels" / "test.parquet")
    data = read_beir(folder)
    assert data.documents == DOCUMENTS
    assert data.judgments == JUDGMENTS


@pytest.mark.parametrize(
    "lines", ["q1 0 passport 2\nq2 0 bread 1\n", "q1\tpassport\t2\nq2\tbread\t1\n"]
)
def test_qrels_without_a_header(write_beir: Writer, lines: str) -> None:
    folder = write_beir()
    (folder / "qrels" / "test.tsv").write_text(lines, "utf-8")
    assert read_beir(folder).judgments == {"q1": {"passport": 2}, "q2": {"bread": 1}}


def test_splits(write_beir: Writer) -> None:
    folder = write_beir()
    test = folder / "qrels" / "test.tsv"
    test.rename(folder / "qrels" / "dev.tsv")
    assert read_beir(folder).judgments == JUDGMENTS  # the only one
    with pytest.raises(PumiceError, match="no qrels of the split train: there are dev"):
        read_beir(folder, split="train")
    (folder / "qrels" / "train.tsv").write_text("q1\tpassport\t1\n", "utf-8")
    assert list(read_beir(folder, split="train").queries) == ["q1"]
    with pytest.raises(PumiceError, match="split test: there are dev, train"):
        read_beir(folder)


def test_folders_of_folders(write_beir: Writer, tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_beir(name)
    assert [data.name for data in open_sets([str(tmp_path)])] == ["a", "b"]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("corpus.jsonl", "", r"corpus\.jsonl: is empty"),
        ("corpus.jsonl", '{"_id": "a"\n', r"corpus.jsonl:1: not a JSON object"),
        ("corpus.jsonl", "\n[1]\n", r"corpus.jsonl:2: not a JSON object"),
        ("corpus.jsonl", '{"_id": "a"}\n', r'corpus.jsonl:1: has no string "text"'),
        ("corpus.jsonl", '{"_id": [], "text": "a"}\n', r'corpus.jsonl:1: has no string "_id"'),
        ("corpus.jsonl", '{"_id": "a", "text": "\\ud800"}\n', r"corpus.jsonl:1: .* lone surrogate"),
        (
            "corpus.jsonl",
            '{"_id": "a", "text": "", "title": 3}\n',
            r'corpus.jsonl:1: "title" is no',
        ),
        (
            "corpus.jsonl",
            '{"_id": "a", "text": ""}\n{"_id": "a", "text": ""}\n',
            r"corpus.jsonl:2: the id 'a' occurs a second time",
        ),
        ("queries.jsonl", '{"_id": "q1", "text": "a"}\n', r"qrels/test.tsv:4: judges query 'q2'"),
        ("qrels/test.tsv", "", "tiny: its qrels judge no document relevant"),
        (
            "qrels/test.tsv",
            "q1\tnowhere\t1\n",
            r"test.tsv:1: judges document 'nowhere', which is not in",
        ),
        ("qrels/test.tsv", "q1\tbread\tx\n", r"test.tsv:1: the score 'x' is no whole number"),
        ("qrels/test.tsv", "q1\tbread\t0.5\n", r"test.tsv:1: the score '0.5' is no whole number"),
        ("qrels/test.tsv", "q1\tbread\tnan\n", r"test.tsv:1: the score 'nan' is no whole number"),
        ("qrels/test.tsv", "q1\n", r"test.tsv:1: has 1 columns"),
        ("qrels/test.tsv", "q1\tbread\t1\nq1\tbread\t2\n", r"test.tsv:2: judges .* again"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    write_beir: Writer, file: str, content: str, said: str
) -> None:
    folder = write_beir()
    (folder / file).write_text(content, "utf-8")
    with pytest.raises(PumiceError, match=said) as caught:
        read_beir(folder)
    assert "\n" not in str(caught.value)


def test_what_is_absent_is_named(write_beir: Writer, tmp_path: Path) -> None:
    with pytest.raises(PumiceError, match="no such folder, and not the name of a dataset"):
        list(open_sets(["no such thing"]))
    with pytest.raises(PumiceError, match=r"has no corpus\.jsonl, nor has a folder in it"):
        list(open_sets([str(tmp_path)]))
    folder = write_beir()
    with pytest.raises(PumiceError, match=re.escape("is a file: name a folder")):
        list(open_sets([str(folder / "corpus.jsonl")]))
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(PumiceError, match=r"tiny: has no qrels/test\.tsv: without judgments"):
        read_beir(folder)
    (folder / "queries.jsonl").unlink()
    with pytest.raises(PumiceError, match=r"tiny: has no queries\.jsonl"):
        read_beir(folder)


def test_bytes_that_are_no_text(write_beir: Writer) -> None:
    folder = write_beir()
    (folder / "corpus.jsonl").write_bytes(b'{"_id": "a", "text": "\xff"}\n')
    with pytest.raises(PumiceError, match=r"corpus\.jsonl:1: is not UTF-8"):
        read_beir(folder)


def test_a_name_is_asked_of_the_hub_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        PumiceError, match="scifact is no folder here: with a copy of the data"
    ) as caught:
        list(open_sets(["scifact"], offline=True))
    assert "mteb/scifact" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_is_fetched_once_and_kept(write_beir: Writer, tmp_path: Path) -> None:
    code = (
        "from pumice.evaluate import open_sets\n"
        "[data] = open_sets(['owner/name'])\n"
        "print(data.name, len(data.documents), len(data.queries))"
    )
    (write_beir("repository") / "left-out.bin").write_bytes(b"never asked for")
    cache = {"HF_HUB_CACHE": str(tmp_path / "cache"), "HF_HUB_DISABLE_XET": "1"}
    counts: list[int] = []
    with serve(tmp_path / "repository", kind="datasets") as (address, asked):
        for _ in range(2):
            ran = subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, **cache, "HF_ENDPOINT": address},
                capture_output=True,
                text=True,
                check=False,
            )
            assert ran.stdout == "owner/name 6 4\n", ran.stderr
            counts.append(len(asked))
    assert 0 < counts[0] == counts[1]
    assert any(path.endswith("/qrels/test.tsv") for path in asked)
    assert not any("left-out" in path for path in asked)


def test_a_sample_keeps_what_is_relevant(write_beir: Writer) -> None:
    data = read_beir(write_beir())
    sample = data.sample(5)
    assert set(sample.documents) >= {"passport", "bread", "piano", "doctor", "battery"}
    assert len(sample.documents) == 5
    assert data.sample(100) is data
