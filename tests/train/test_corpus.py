"""A corpus from every kind of file; each thing that is none is one sentence with its file and line."""

from __future__ import annotations

import gzip
import lzma
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pumice.errors import InputError
from pumice.train.corpus import Document, corpus_files, read_documents
from tests.train.conftest import write_jsonl

MARKDOWN = "# Pumice ##\nLight stone.\n\n## Uses\n\nSoap, \nภาษา\n\n\n## More\nhair 👩‍👩‍👧\n"
FROM_MARKDOWN = [
    Document("Pumice", "Light stone."),
    Document("Pumice", "## Uses\nSoap,\nภาษา"),
    Document("Pumice", "## More\nhair 👩‍👩‍👧"),
]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.md", MARKDOWN, FROM_MARKDOWN),
        ("a.md", "Title\n=====\n\ntext", [Document("Title", "text")]),
        ("a.md", "no heading\n\n# one", [Document("", "no heading")]),
        ("a.rst", "=====\nTitle\n=====\n\ntext", [Document("Title", "text")]),
        ("a.rst", "Title\n-----\ntext\n\nb", [Document("Title", "text"), Document("Title", "b")]),
        (
            "a.rst",
            ".. _mark:\n\nTitle\n*****\n\nOne\n~~~\n\nTwo\n---\n\ntext\n\n.. _a:\n.. _b:\n\nThree\n^^^^^\n",
            [Document("Title", "Two\n---\ntext")],
        ),
        (
            "a.txt",
            "A title\n\none\ntwo\r\n\r\nthree",
            [("A title", "one\ntwo"), ("A title", "three")],
        ),
        ("a.txt", "A sentence.\n\nanother", [("", "A sentence."), ("", "another")]),
        ("a.txt", "\ufeffA title\n\n \t\n x", [Document("A title", "x")]),
    ],
)
def test_text_files(tmp_path: Path, name: str, text: str, expected: list[object]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    wanted = [one if isinstance(one, Document) else Document(*one) for one in expected]  # type: ignore[misc]
    assert list(read_documents(tmp_path / name)) == wanted


def test_long_paragraphs_and_lines_come_in_pieces(tmp_path: Path) -> None:
    lines = [f"line {number} of a file without blank lines" for number in range(500)]
    (tmp_path / "lines.txt").write_text("\n".join(lines))
    texts = [document.text for document in read_documents(tmp_path / "lines.txt")]
    assert "\n".join(texts).split("\n") == lines
    assert max(map(len, texts)) < 2100
    (tmp_path / "letters.txt").write_text("a" * 1_000_000)
    texts = [document.text for document in read_documents(tmp_path / "letters.txt")]
    assert ("".join(texts), max(map(len, texts))) == ("a" * 1_000_000, 1 << 16)


def test_records(tmp_path: Path) -> None:
    beir = [
        {"_id": "1", "title": " One ", "text": "first"},
        {"_id": "2", "title": "", "text": "second"},
        {"_id": "3", "title": None, "text": "third"},
        {"_id": "4", "title": "blank", "text": " \n"},
    ]
    expected = [Document("One", "first"), Document("", "second"), Document("", "third")]
    assert list(read_documents(write_jsonl(tmp_path / "c.jsonl", beir))) == expected
    pairs = write_jsonl(tmp_path / "p.jsonl", [{"anchor": "a", "positive": "b", "negative": "c"}])
    assert list(read_documents([pairs])) == [Document("", "a"), Document("", "b")]
    named = write_jsonl(tmp_path / "n.jsonl", [{"body": "b", "head": "h"}])
    columns = {"text": "body", "title": "head"}
    assert list(read_documents(named, columns=columns)) == [Document("h", "b")]
    with pytest.raises(InputError, match="columns names 'negative': only text, title, anchor"):
        list(read_documents(named, columns={"negative": "x"}))


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".xz", lzma.compress), (".gz", gzip.compress), (".zst", None)],
)
def test_packed(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes] | None) -> None:
    pack = pack or pytest.importorskip("zstandard").compress
    file = tmp_path / f"a.MD{suffix}"
    file.write_bytes(pack(MARKDOWN.encode()))
    assert list(read_documents(file)) == FROM_MARKDOWN


def test_folders_are_walked_in_order(inside: Callable[[str], Path]) -> None:
    for name in ("docs/b/z.txt", "docs/a.txt", "docs/b/.hidden.txt", "docs/.git/c.txt", "d.rst"):
        inside(name).parent.mkdir(parents=True, exist_ok=True)
        inside(name).write_text(f"{name} text.")
    inside("docs/image.png").write_bytes(b"\x89PNG")
    assert corpus_files(["docs", "d.rst", "owner/name@sub"]) == [
        "docs/a.txt",
        "docs/b/z.txt",
        "d.rst",
        "owner/name@sub",
    ]
    texts = [document.text for document in read_documents("docs")]
    assert texts == ["docs/a.txt text.", "docs/b/z.txt text."]


HOSTILE = [
    ("c.txt", b"\xff\xfea\0b\0", "c.txt: is not UTF-8 text: convert it"),
    ("c.txt", b"fine\n\n\xed\xa0\x80", "c.txt: is not UTF-8 text: convert it"),  # a lone surrogate
    ("c.txt", b"a\0b", "c.txt: is not text: it holds NUL characters"),
    ("c.txt", b"", "the corpus holds no text: give files with text in them"),
    ("c.md", b"# only a title\n", "the corpus holds no text"),
    ("c.jsonl", b'{"text": " "}', "the corpus holds no text"),
    ("c.jsonl", b'{"text": "\\ud800"}', 'c.jsonl:1: "text" holds a lone surrogate'),
    ("c.jsonl", b'{"text": "a", "title": "\\ud800"}', 'c.jsonl:1: "title" holds a lone surrogate'),
    ("c.jsonl", b'{"text": 1}', 'c.jsonl:1: "text" is a number, not a string'),
    ("c.jsonl", b'{"text": null}', 'c.jsonl:1: "text" is null, not a string'),
    ("c.jsonl", b'{"body": "a"}', 'c.jsonl:1: has no "text"; its columns are "body": say which'),
    ("c.jsonl", b'{"anchor": "a"}', 'c.jsonl:1: has no "text"; its columns are "anchor"'),
    ("c.jsonl", b"[1]", "c.jsonl:1: not a JSON object"),
    ("c.jsonl.xz", lzma.compress(b'{"text": "a"}')[:-5], "c.jsonl.xz: cannot be read: "),
    ("c.txt.gz", gzip.compress(b"a text", mtime=0)[:-5], "c.txt.gz: cannot be read: "),
    ("c.txt.zst", b"not zst", "c.txt.zst: cannot be read: "),
    ("c.csv", b"text\n\xff", "c.csv: is not UTF-8 text: convert it"),
]


@pytest.mark.parametrize(("name", "data", "message"), HOSTILE)
def test_hostile_files(inside: Callable[[str], Path], name: str, data: bytes, message: str) -> None:
    if name.endswith(".zst"):
        pytest.importorskip("zstandard")
    inside(name).write_bytes(data)
    with pytest.raises(InputError) as raised:
        list(read_documents(name))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("gone.txt", "gone.txt: no such file or folder, and not a dataset's id"),
        ("a.pdf", r"a.pdf: a corpus is read from .txt, .md, .rst, .jsonl, .csv, .parquet files"),
        ("empty", "empty: holds no .txt, .md"),
        (["c.txt", "."], "c.txt: is in the corpus twice"),
        ([], "corpus is empty"),
        (3, "corpus is int"),
        ([""], "corpus holds ''"),
        ("/dev/null", "/dev/null: is neither a file nor a folder"),
    ],
)
def test_no_corpus_at_all(inside: Callable[[str], Path], given: object, message: str) -> None:
    inside("empty").mkdir()
    for name in ("a.pdf", "c.txt"):
        inside(name).write_text("text")
    with pytest.raises(InputError, match=message):
        list(read_documents(given))


def test_memory_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    with lzma.open(tmp_path / "c.txt.xz", "wb", preset=0) as file:
        for _ in range(200):
            file.write(b"one line of text and no blank line after it\n" * 12_000)  # 106 MB in all
    code = (
        "import sys, resource; from pumice.train.corpus import read_documents\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "count = sum(1 for _ in read_documents(sys.argv[1]))\n"
        "print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "c.txt.xz")]
    count, grown = map(int, subprocess.check_output(arguments, text=True).split())
    assert count > 50_000
    assert grown < 20_000  # KiB
