"""Each file format on real files, and each kind of broken one."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pumice.search.documents.document import BadRow, Document, LineFinder, UnreadableError
from pumice.search.documents.formats import open_file

HTML = b"""<!doctype html>
<html><head><title>Passports &amp; visas</title><style>p {color: red}</style>
<script>var secret = "<p>no</p>";</script></head>
<body>
<h1>How to   renew</h1>
<p>Bring a <b>photo</b>graph
and the <a href="x">old passport</a>.</p>
<ul><li>First<li>Second</ul>
<pre>keep
  this</pre>
<script>more()</script><p>Last&nbsp;words
"""


def read(path: Path, content: bytes | str) -> list[Document]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [one for one in open_file(path).documents if isinstance(one, Document)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.txt", "text"), ("a.md", "markdown"), ("A.RST", "text"), ("a.py", "python")],
)
def test_text_is_kept_to_the_character(tmp_path: Path, name: str, kind: str) -> None:
    text = "naïve\r\n日本語\n\n🧡e\u0301\n"
    assert read(tmp_path / name, text) == [Document(text, kind)]  # type: ignore[arg-type]
    assert read(tmp_path / name, b"\xef\xbb\xbf" + text.encode())[0].text == text
    assert read(tmp_path / name, text.encode("utf-16"))[0].text == text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"\x89PNG\0\0", "binary"),
        ("a.txt", b"caf\xe9", r"not UTF-8 text \(byte 3\)"),
        ("a.txt", b"\xff\xfea", "not UTF-16 text"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.csv", b'"a,b', "not CSV"),
        ("a.csv", b"a\n\xff\n", "not UTF-8 text"),
        ("a.csv", b"a\0", "binary"),
        ("a.parquet", b"PAR1 but no more", "not Parquet"),
        ("a.pdf", b"%PDF-1.4 but no more", "not a readable PDF"),
        ("a.pdf", b"", "not a readable PDF"),
    ],
)
def test_a_broken_file_says_why(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    if name.endswith((".parquet", ".pdf")):
        pytest.importorskip("pyarrow" if name.endswith("parquet") else "pypdf")
    with pytest.raises(UnreadableError, match=reason) as broken:
        read(tmp_path / name, content)
    assert not broken.value.unread


PACKERS = {".gz": gzip.compress, ".xz": lzma.compress, ".zst": None}


def packed(content: bytes, compression: str) -> bytes:
    if (pack := PACKERS[compression]) is None:
        pack = pytest.importorskip("zstandard").ZstdCompressor().compress
    return bytes(pack(content))


@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "naïve\n".encode()),
        ("a.MD", b"# Title\n\ntext\n"),
        ("a.html", HTML),
        ("a.json", b'[{"text": "one"}, {"text": "two"}]'),
        ("a.jsonl", b'{"text": "one", "n": 1}\nnope\n{"text": "two"}\n'),
        ("a.csv", b"\xef\xbb\xbftext;n\none;1\n"),
    ],
)
def test_compressed_files_are_read_as_what_they_hold(
    tmp_path: Path, name: str, content: bytes, compression: str
) -> None:
    (tmp_path / name).write_bytes(content)
    plain = list(open_file(tmp_path / name).documents)
    path = tmp_path / f"{name}{compression}"
    path.write_bytes(packed(content, compression))
    reading = open_file(path)
    assert list(reading.documents) == plain
    assert reading.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv"])
def test_damaged_compressed_files_say_so(tmp_path: Path, name: str, compression: str) -> None:
    content = "".join(f'{{"text": "{at} {at * 7919}"}}\n' for at in range(5000)).encode()
    whole = packed(content, compression)
    for damaged in (whole[: len(whole) // 2], b"no such thing"):
        with pytest.raises(UnreadableError, match=r"^cannot be read: ") as broken:
            read(tmp_path / f"{name}{compression}", damaged)
        assert not broken.value.unread


@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.gz", "a.csv.xz", "a.jsonl.zst"])
def test_compressed_files_that_vanish_were_not_seen(tmp_path: Path, name: str) -> None:
    """What the index holds of them stays, as it does of others."""
    (tmp_path / name).write_bytes(packed(b'{"text": 1}\n', Path(name).suffix))
    reading = open_file(tmp_path / name)
    (tmp_path / name).unlink()
    with pytest.raises(UnreadableError, match="vanished while indexing") as gone:
        list(reading.documents)
    assert gone.value.unread


def test_what_unpacks_to_too_much_is_left_out(tmp_path: Path) -> None:
    """A bomb of 300 kB; no more than the limit is held."""
    with pytest.raises(UnreadableError, match="larger than 64 MB"):
        read(tmp_path / "a.txt.gz", gzip.compress(bytes(300 << 20), 6))


@pytest.mark.parametrize(
    ("name", "content", "reasons", "good"),
    [
        ("a.jsonl", b'"x"\nnope\n"y"\n', ["line 2 is not JSON"], ["x", "y"]),
        ("a.jsonl", b"[" * 100_000, ["line 1 is not JSON"], []),
        ("a.jsonl", b'"\xff"\n"y"', ["line 1 is not JSON"], ["y"]),
        ("a.csv", b"a,b\nx,2\n1,2,3\ny,\n", ["row 2 has 3 fields, the header 2"], ["x", "y"]),
        ("a.csv", b'a,b\nx,1\n"open,2\n3,4\n', ["row 2 is not CSV"], ["x"]),
        ("a.csv", b'a,b\nx,1\n"y"z,2\nz,3\n', ["row 2 is not CSV"], ["x", "z"]),
    ],
)
def test_a_bad_row_costs_no_other(
    tmp_path: Path, name: str, content: bytes, reasons: list[str], good: list[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    found = list(open_file(tmp_path / name).documents)
    assert [one.text for one in found if isinstance(one, Document)] == good
    bad = [one.reason for one in found if isinstance(one, BadRow)]
    assert len(bad) == len(reasons)
    assert all(told.startswith(reason) for told, reason in zip(bad, reasons, strict=True))


@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_what_cannot_be_opened_is_told_apart(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableError, match="vanished") as gone:
        open_file(tmp_path / name)
    assert gone.value.unread
    (tmp_path / name).mkdir()
    with pytest.raises(UnreadableError):
        open_file(tmp_path / name)


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes")
def test_a_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(UnreadableError, match="not a regular file"):
        open_file(tmp_path / "a.txt")


def test_too_large_a_file_is_left_out(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(UnreadableError, match="larger than 64 MB"):
        open_file(tmp_path / "a.txt")


def test_html_gives_its_readable_text_and_lines(tmp_path: Path) -> None:
    [page] = read(tmp_path / "a.html", HTML)
    assert page.text == (
        "Passports & visas\n\nHow to renew\n\nBring a photograph and the old passport.\n\n"
        "First\nSecond\nkeep\n  this\n\nLast\xa0words "
    ).replace("\xa0", " ")
    lines = LineFinder(page)
    found = [lines.line_of(page.text.index(word)) for word in ("Passports", "How", "Bring", "Last")]
    assert found == [2, 5, 6, 11]


@pytest.mark.parametrize("content", ["", "<", "<![if", "<![CDATA[", "<!--", "<p" * 1000, "</" * 9])
def test_broken_html_does_not_raise(tmp_path: Path, content: str) -> None:
    try:
        [page] = read(tmp_path / "a.html", content)
    except UnreadableError:
        return
    assert isinstance(page.text, str)


@pytest.mark.parametrize(
    ("meta", "encoding"),
    [
        ('<meta charset="windows-1251">', "cp1251"),
        ("<META http-equiv=x content='text/html; charset=Shift_JIS'>", "shift_jis"),
        ("<meta charset=iso-8859-1>", "cp1252"),
    ],
)
def test_html_is_read_in_the_encoding_it_declares(tmp_path: Path, meta: str, encoding: str) -> None:
    text = {
        "cp1251": "\u043a\u043e\u0448\u043a\u0430",
        "shift_jis": "\u732b",
        "cp1252": "caf\u00e9 \u2019",
    }[encoding]
    [page] = read(tmp_path / "a.html", f"<html><head>{meta}</head><p>{text}".encode(encoding))
    assert page.text == text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<p>caf\xe9", r"not UTF-8 text \(byte 6\)"),
        (b"<meta charset=nonsense>caf\xe9", "not text in the nonsense that it declares"),
        (b"<meta charset=rot13>caf\xe9", "not text in the rot13 that it declares"),
        (b"<meta charset=utf-8>caf\xe9", "not text in the utf-8 that it declares"),
    ],
)
def test_html_in_no_encoding_says_so(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        read(tmp_path / "a.html", content)


def test_json_is_records(tmp_path: Path) -> None:
    rows = [
        {"text": "prose", "year": 2024, "tags": ["a", "b"], "id": 7, "long": "x" * 300},
        {"title": "No text", "body": {"deep": ["inside", 5], "": 1}, "ok": True, "none": None},
        "a string",
    ]
    expected = [
        Document("prose", "record", {"row": 1, "year": 2024, "tags": ["a", "b"]}),
        Document(
            "No text\ninside",
            "record",
            {"row": 2, "title": "No text", "body": {"deep": ["inside", 5]}, "ok": True},
        ),
        Document("a string", "record", {"row": 3, "value": "a string"}),
    ]
    assert read(tmp_path / "a.json", json.dumps(rows)) == expected
    lines = "\n".join(json.dumps(row) for row in rows)
    assert read(tmp_path / "a.jsonl", lines + "\n\n") == expected
    assert read(tmp_path / "a.json", json.dumps(rows[0])) == expected[:1]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_rows_keep_their_numbers(tmp_path: Path, separator: str) -> None:
    rows = ["text", "year", "zip"], ['"two\nlines"', "2024", "007"], ["short", "", "1.5"], []
    [first, second] = read(tmp_path / "a.csv", "\r\n".join(separator.join(row) for row in rows))
    assert first == Document("two\nlines", "record", {"row": 1, "year": 2024, "zip": "007"})
    assert second == Document("short", "record", {"row": 2, "zip": 1.5})


def test_csv_takes_cells_longer_than_pythons_limit(tmp_path: Path) -> None:
    import csv

    limit = csv.field_size_limit()
    [document] = read(tmp_path / "a.csv", "text\n" + "long " * 40_000)
    assert len(document.text) == 200_000
    assert csv.field_size_limit() == limit


def test_parquet_rows(tmp_path: Path) -> None:
    pyarrow: Any = pytest.importorskip("pyarrow")
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    from datetime import date

    columns = {
        "text": ["one", None],
        "name": ["a", "b"],
        "day": [date(2024, 5, 6), None],
        "raw": [b"x", b""],
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    assert list(open_file(tmp_path / "a.parquet").documents) == [
        Document("one", "record", {"row": 1, "name": "a", "day": "2024-05-06"}),
        Document("b", "record", {"row": 2, "name": "b"}),
    ]


def test_pdf_pages(tmp_path: Path) -> None:
    pytest.importorskip("pypdf")
    pages = list(read(tmp_path / "a.pdf", pdf("Bring a photograph", "Pay the fee")))
    assert [(page.text.strip(), page.payload) for page in pages] == [
        ("Bring a photograph", {"page": 1}),
        ("Pay the fee", {"page": 2}),
    ]


def test_a_pdf_that_needs_repair_prints_nothing(tmp_path: Path) -> None:
    pytest.importorskip("pypdf")
    (tmp_path / "a.pdf").write_bytes(pdf("Bring a photograph").replace(b"%%EOF", b""))
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4 but no more")
    script = (
        "import sys; from pathlib import Path\n"
        "from pumice.search.documents.formats import open_file\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        list(open_file(Path(name)).documents)\n"
        "    except Exception as error:\n        print(error)\n"
    )
    files = [str(tmp_path / "a.pdf"), str(tmp_path / "b.pdf")]
    command = [sys.executable, "-c", script, *files]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    assert "not a readable PDF" in ran.stdout


def pdf(*texts: str) -> bytes:
    """A PDF of one line a page, written by hand."""
    kids = " ".join(f"{3 + 2 * at} 0 R" for at in range(len(texts)))
    font = "<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(texts)} >>",
    ]
    for at, text in enumerate(texts):
        stream = f"BT /F 12 Tf 72 700 Td ({text}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /Resources {font} /Contents {4 + 2 * at} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()
