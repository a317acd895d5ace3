"""index_paths: what it stores, what it leaves out, and that a second run does only what changed."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pumice.errors import InputError
from pumice.search import Index, IndexProgress, index_paths

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "cat.txt").write_text("The cat sleeps in the garden.")
    (folder / "deep" / "train.md").write_text(
        "# Trains\n\n" + "The train leaves the station. " * 60
    )
    rows = [{"text": f"bicycle number {n}", "year": 2000 + n} for n in range(5)]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    age(folder)
    return folder


def age(folder: Path) -> None:
    """Make the files old enough for their time stamps to be believed."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 100, time.time() - 100))


def sources(index: Index) -> set[str]:
    return {payload["source"] for _, payload in index.home.scroll([], keys=["source"])}


def test_passages_know_where_they_come_from(index: Index, notes: Path) -> None:
    report = index_paths(index, [notes])
    assert (report.files_indexed, report.files_unchanged, report.skipped) == (3, 0, ())
    assert report.passages_added == len(index) > 7
    assert report.embedded_bytes > 1500
    [cat] = index.search("cat", k=1)
    assert cat.payload == {
        "source": str(notes / "cat.txt"), "start": 0, "end": 29, "line": 1, "passage": 0
    }  # fmt: skip
    train = (notes / "deep" / "train.md").read_text()
    hits = index.search("train", k=50, filter={"source": str(notes / "deep" / "train.md")})
    assert sorted(hit.payload["passage"] for hit in hits) == list(range(len(hits)))
    for hit in hits:
        assert train[hit.payload["start"] : hit.payload["end"]] == hit.text
        assert hit.payload["line"] == train.count("\n", 0, hit.payload["start"]) + 1
    [bicycle] = index.search("bicycle", k=9, filter={"year": {"gte": 2004}})
    assert bicycle.payload["row"] == 5
    assert bicycle.id == f"{notes / 'rows.jsonl'}#4"


def test_only_what_changed_is_embedded_again(index: Index, notes: Path) -> None:
    index_paths(index, [notes])
    again = index_paths(index, [notes])
    assert (again.files_unchanged, again.files_indexed, again.embedded_bytes) == (3, 0, 0)

    os.utime(notes / "cat.txt")  # touched, not changed
    again = index_paths(index, [notes])
    assert (again.files_unchanged, again.files_indexed) == (3, 0)

    (notes / "deep" / "train.md").write_text("A short one about a horse.")
    again = index_paths(index, [notes])
    assert (again.files_unchanged, again.files_indexed, again.passages_added) == (2, 1, 1)
    assert index.search("train", k=1)[0].score < 0.99
    assert index.count(filter={"source": str(notes / "deep" / "train.md")}) == 1

    (notes / "rows.jsonl").unlink()
    (notes / "cat.txt").rename(notes / "moved.txt")
    again = index_paths(index, [notes])
    assert (again.files_removed, again.files_indexed, again.passages_removed) == (2, 1, 6)
    assert sources(index) == {str(notes / "moved.txt"), str(notes / "deep" / "train.md")}
    assert len(index) == 2


def test_a_change_that_keeps_size_and_time_is_seen_while_the_file_is_young(
    index: Index, notes: Path
) -> None:
    os.utime(notes / "cat.txt")
    stat = (notes / "cat.txt").stat()
    index_paths(index, [notes])
    (notes / "cat.txt").write_text("The dog sleeps in the garden.")
    os.utime(notes / "cat.txt", ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert index_paths(index, [notes]).files_indexed == 1
    assert "dog" in index.search("dog", k=1)[0].text


def test_other_roots_are_left_alone(index: Index, notes: Path) -> None:
    index_paths(index, [notes])
    before = len(index)
    report = index_paths(index, [notes / "deep", notes / "cat.txt"])
    assert (report.files_removed, len(index)) == (0, before)
    with pytest.raises(InputError, match="'/nowhere/at/all' cannot be indexed: No such file"):
        index_paths(index, ["/nowhere/at/all"])
    assert len(index) == before


def test_records_added_by_hand_stay(index: Index, notes: Path) -> None:
    index.add([{"id": 1, "text": "wine", "source": str(notes / "cat.txt")}])
    index_paths(index, [notes])
    (notes / "cat.txt").unlink()
    index_paths(index, [notes])
    assert index.search("wine", k=1)[0].id == 1


@posix
def test_what_is_left_out_says_why(index: Index, notes: Path, tmp_path: Path) -> None:
    (notes / "picture.png").write_bytes(b"\x89PNG")
    (notes / "Makefile").write_text("all:")
    (notes / ".hidden.txt").write_text("secret")
    (notes / ".git").mkdir()
    (notes / ".git" / "config.txt").write_text("secret")
    (notes / "binary.txt").write_bytes(b"\0\1\2")
    (notes / "empty.txt").write_text(" \n")
    (notes / "dangling.txt").symlink_to("/nowhere/at/all")
    (notes / "loop").symlink_to(notes)
    (notes / "circle.txt").symlink_to(notes / "circle.txt")
    os.mkfifo(notes / "pipe.txt")
    (notes / "surrogate.json").write_text('[{"text": "\\ud800"}]')
    bad_name = os.fsencode(notes) + b"/bad\xff.txt"
    Path(os.fsdecode(bad_name)).write_text("unnamed")
    Index(notes / "an index", index.model).close()
    report = index_paths(index, [notes])
    reasons = {Path(skipped.path).name: skipped.reason for skipped in report.skipped}
    assert reasons == {
        "picture.png": "format .png is not supported",
        "Makefile": "no file extension",
        ".hidden.txt": "hidden",
        ".git": "hidden",
        "binary.txt": "binary",
        "empty.txt": "empty",
        "dangling.txt": "a link to nothing",
        "circle.txt": "a link that leads back to itself",
        "loop": "link to a folder",
        "pipe.txt": "not a regular file",
        "surrogate.json": "1 row left out: row 1 holds a lone surrogate, no valid Unicode",
        "bad?.txt": "its name is not UTF-8",
        "an index": "a pumice index",
    }
    assert sources(index) == {
        str(notes / "cat.txt"), str(notes / "deep" / "train.md"), str(notes / "rows.jsonl")
    }  # fmt: skip
    hidden = index_paths(index, [notes / ".hidden.txt"])
    assert hidden.files_indexed == 1  # named by the user


def test_a_file_that_becomes_unreadable_keeps_or_loses_its_passages(
    index: Index, notes: Path
) -> None:
    index_paths(index, [notes])
    (notes / "cat.txt").write_bytes(b"\0")
    assert [s.reason for s in index_paths(index, [notes]).skipped] == ["binary"]
    assert str(notes / "cat.txt") not in sources(index)


def test_a_folder_that_cannot_be_listed_keeps_its_passages(
    index: Index, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_paths(index, [notes])
    before = len(index)
    listed = os.scandir

    def refuse(folder: str) -> Any:  # the superuser, who runs many a test, is refused nothing
        if folder == str(notes / "deep"):
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    report = index_paths(index, [notes])
    assert [skipped.reason for skipped in report.skipped] == ["Permission denied"]
    assert (report.files_removed, len(index)) == (0, before)


def test_a_run_that_broke_off_is_not_taken_for_done(
    index: Index, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = notes / "deep" / "train.md"
    old, stat = train.read_text(), train.stat()
    index_paths(index, [notes])
    before = len(index)

    def break_off(points: Any) -> None:
        raise KeyboardInterrupt

    train.write_text("Shorter.")
    with monkeypatch.context() as patch:
        patch.setattr(index.home, "upsert", break_off)
        with pytest.raises(KeyboardInterrupt):
            index_paths(index, [notes])
    # Worst of all: the file comes back exactly as the index believed it to be.
    train.write_text(old)
    os.utime(train, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert index_paths(index, [notes]).files_indexed == 1
    assert len(index) == before


def test_a_file_that_vanishes_meanwhile_is_reported(index: Index, notes: Path) -> None:
    def remove_the_next(progress: IndexProgress) -> None:
        (notes / "deep" / "train.md").unlink(missing_ok=True)

    report = index_paths(index, [notes], progress=remove_the_next)
    assert [(Path(s.path).name, s.reason) for s in report.skipped] == [
        ("train.md", "vanished while indexing")
    ]
    assert report.files_indexed == 2


def test_progress_counts_to_the_end(index: Index, notes: Path) -> None:
    seen: list[IndexProgress] = []
    index_paths(index, [notes], progress=seen.append)
    assert [one.files_done for one in seen] == [1, 2, 3]
    assert {one.files_total for one in seen} == {3}


@pytest.mark.parametrize("rows", [1023, 1024, 1025, 3000])
def test_files_of_many_batches(index: Index, tmp_path: Path, rows: int) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    table = folder / "table.jsonl"
    write_rows(table, rows)
    assert index_paths(index, [folder]).passages_added == len(index) == rows
    assert index_paths(index, [folder]).files_unchanged == 1
    write_rows(table, rows - 500)
    assert index_paths(index, [folder]).passages_removed == 500
    assert len(index) == rows - 500
    with table.open("a") as file:
        file.write("{broken")
    report = index_paths(index, [folder])
    [skipped] = report.skipped
    assert skipped.reason.startswith(f"1 row left out: line {rows - 499} is not JSON")
    assert len(index) == rows - 500
    write_rows(table, rows)
    assert index_paths(index, [folder]).passages_added == len(index) == rows


def test_the_next_passages_of_a_file_are_embedded_while_these_are_stored(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    waits: list[bool] = []
    embed, upsert = index.embed, index.home.upsert

    def embedded(texts: Any, **given: Any) -> Any:
        begun.append(len(texts))
        return embed(texts, **given)

    def stored(points: Any) -> None:
        deadline = time.monotonic() + 10
        while len(waits) < 2 and len(begun) < len(waits) + 2 and time.monotonic() < deadline:
            time.sleep(0.001)
        waits.append(len(begun) >= len(waits) + 2)
        upsert(points)

    monkeypatch.setattr(index, "embed", embedded)
    monkeypatch.setattr(index.home, "upsert", stored)
    write_rows(tmp_path / "table.jsonl", 3000)
    assert index_paths(index, [tmp_path / "table.jsonl"]).passages_added == 3000
    assert waits == [True, True, False]


def write_rows(path: Path, rows: int) -> None:
    path.write_text("".join(f'{{"text": "train number {n}"}}\n' for n in range(rows)))


def test_a_passage_the_model_knows_nothing_of_is_no_gap(index: Index, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps([{"text": ""}, {"text": "wine"}, {"text": " "}]))
    report = index_paths(index, [tmp_path / "rows.json"])
    assert (report.passages_added, len(index)) == (1, 1)
    assert index.search("wine", k=1)[0].payload["row"] == 2
    assert index_paths(index, [tmp_path / "rows.json"]).embedded_bytes in (0, 4)


def test_bad_rows_are_counted_and_the_first_are_named(index: Index, tmp_path: Path) -> None:
    lines = [f'{{"text": "train {n}"}}' if n % 2 else "nope" for n in range(20)]
    lines[1] = '{"text": "\\ud800"}'
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    report = index_paths(index, [tmp_path / "t.jsonl"])
    [skipped] = report.skipped
    assert skipped.reason.startswith("11 rows left out: line 1 is not JSON")
    assert "; row 2 holds a lone surrogate" in skipped.reason
    assert skipped.reason.endswith("; and 6 more")
    assert len(index) == 9


def test_a_root_that_is_gone_loses_its_passages(index: Index, notes: Path) -> None:
    index_paths(index, [notes])
    (notes / "cat.txt").unlink()
    report = index_paths(index, [notes / "cat.txt", notes / "deep"])
    assert (report.files_removed, report.files_unchanged) == (1, 1)
    [skipped] = report.skipped
    assert skipped.path == str(notes / "cat.txt")
    assert skipped.reason == "no longer there, its passages are removed"
    with pytest.raises(InputError, match="cannot be indexed"):
        index_paths(index, [notes / "cat.txt"])  # now the index knows nothing of it
    notes.rename(notes.parent / "elsewhere")
    assert index_paths(index, [notes]).files_removed == 2
    assert len(index) == 0


def test_nested_fields_of_rows_can_be_filtered_by(index: Index, tmp_path: Path) -> None:
    rows = [{"text": "wine", "maker": {"name": n, "a.b": 1}, "x.y": n} for n in ("ada", "bob")]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    index_paths(index, [tmp_path / "t.json"])
    for wanted in ({"maker.name": "bob"}, {"x.y": "bob"}):
        [hit] = index.search("wine", filter=wanted)
        assert hit.payload["maker"] == {"name": "bob", "a.b": 1}


def test_compressed_files(index: Index, tmp_path: Path) -> None:
    """They are read unpacked, their passages are those of the plain file, and a damaged one is told of."""
    folder = tmp_path / "packed"
    folder.mkdir()
    text = "\n\n".join(f"The passport office, number {at}." for at in range(40))
    (folder / "notes.txt.gz").write_bytes(gzip.compress(text.encode()))
    rows = "".join(json.dumps({"text": f"train ticket {at}", "n": at}) + "\n" for at in range(2000))
    (folder / "rows.jsonl.xz").write_bytes(lzma.compress(rows.encode()))
    (folder / "cut.jsonl.xz").write_bytes(lzma.compress(rows.encode())[:-900])
    (folder / "all.tar.gz").write_bytes(b"")
    report = index_paths(index, folder)
    assert report.files_indexed == 2
    told = {Path(one.path).name: one.reason for one in report.skipped}
    assert told["all.tar.gz"] == "format .tar.gz is not supported"
    assert told["cut.jsonl.xz"].startswith("cannot be read: ")
    assert index.count(filter={"source": str(folder / "cut.jsonl.xz")}) == 0
    assert index.count(filter={"source": str(folder / "rows.jsonl.xz"), "n": {"gte": 1990}}) == 10
    hit = index.search("passport office", k=1)[0]
    assert hit.payload["source"] == str(folder / "notes.txt.gz")
    assert text[hit.payload["start"] : hit.payload["end"]] == hit.text
    assert index_paths(index, folder).files_unchanged == 2
