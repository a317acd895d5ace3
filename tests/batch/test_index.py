"""Rows of files in a search index: the same ids and vectors on every run, whatever was killed before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import pumice
from pumice.batch import EncodeOptions, store_files
from pumice.cli import main
from pumice.errors import InputError
from tests.batch.tables import as_jsonl, as_parquet, table

pytest.importorskip("qdrant_edge", reason='the engine is absent (pip install "pumice[search]")')


def rows(count: int) -> pa.Table:
    bodies = [f"stone {n} water {n * 7}" for n in range(count)]
    return pa.table(
        {"id": [f"row {n}" for n in range(count)], "body": bodies, "year": [2024] * count}
    )


def test_rows_become_records(tmp_path: Path, model: pumice.StaticModel) -> None:
    (tmp_path / "a.parquet").write_bytes(as_parquet(rows(300), row_group_size=100))
    options = EncodeOptions(text="body", id="id", keep=("year",), rows_per_file=100)
    with pumice.Index(tmp_path / "index", model, dim=32) as index:
        for embedded in (300, 0):
            report = store_files(tmp_path / "a.parquet", index, options=options)
            assert (report.rows, report.embedded_rows) == (300, embedded)
        assert len(index) == 300
        hit = index.search("stone 123 water 861", k=1, filter={"year": 2024})[0]
        assert (hit.id, hit.text, hit.payload) == ("row 123", "stone 123 water 861", {"year": 2024})


def test_ids_of_files_without_any(tmp_path: Path, model: pumice.StaticModel) -> None:
    lines = [json.dumps({"body": text}) for text in ("stone", None, "light water", "")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    options = EncodeOptions(text="body", on_error="null")
    with pumice.Index(tmp_path / "index", model) as index:
        for run in range(2):  # nothing is remembered: stored again, under the same ids
            remembering = replace(options, state=str(tmp_path / f"state{run}"))
            report = store_files(tmp_path / "a.jsonl", index, options=remembering)
            assert report.bad == {"null": 1}
            assert len(index) == 2  # an empty text has no vector
        assert {hit.id for hit in index.search("stone light", k=5)} == {
            "a.jsonl#0.0",
            "a.jsonl#0.2",
        }


def test_rows_of_a_part_that_was_not_finished(tmp_path: Path, model: pumice.StaticModel) -> None:
    """They are in the index, though no record tells of them: under other ids they would be there twice."""
    (tmp_path / "a.parquet").write_bytes(as_parquet(rows(1500)))
    (tmp_path / "b.jsonl").write_text('{"body": "stone"}\n{"body": null}\n')

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    options = EncodeOptions(text="body")
    with pumice.Index(tmp_path / "index", model, dim=32) as index:
        with pytest.raises(KeyboardInterrupt):
            store_files(tmp_path / "a.parquet", index, options=options, progress=interrupt)
        assert 0 < len(index) < 1500
        with pytest.raises(InputError, match='another run, with id null, not "id"'):
            store_files(tmp_path / "a.parquet", index, options=replace(options, id="id"))
        report = store_files(tmp_path / "a.parquet", index, options=options)
        assert report.rows == len(index) == 1500
        with pytest.raises(InputError, match='on_error="null"'):
            store_files(tmp_path / "b.jsonl", index, options=options)
        advised = replace(options, on_error="null")
        assert store_files(tmp_path / "b.jsonl", index, options=advised).rows == 2
        assert len(index) == 1501


@pytest.mark.parametrize("rows_per_file", [None, 100])
def test_rows_of_an_input_that_shrank_are_deleted(
    tmp_path: Path, model: pumice.StaticModel, rows_per_file: int | None
) -> None:
    """Where their ids are made of the file and the place; another file's stay, and so do records of others."""
    file, other = tmp_path / "a.parquet", tmp_path / "a.parquet-2.jsonl"
    file.write_bytes(as_parquet(rows(300), row_group_size=100))
    other.write_bytes(as_jsonl(rows(7)))
    options = EncodeOptions(text="body", rows_per_file=rows_per_file)
    with pumice.Index(tmp_path / "index", model, dim=32) as index:
        index.add([{"id": "mine", "text": "stone"}])
        store_files([file, other], index, options=options)
        assert len(index) == 308
        file.write_bytes(as_parquet(rows(130), row_group_size=100)[:-9])
        with pytest.raises(InputError, match="truncated"):
            store_files([file, other], index, options=options)
        assert len(index) == 308
        file.write_bytes(as_parquet(rows(130), row_group_size=100))
        report = store_files([file, other], index, options=options)
        assert (report.rows, report.embedded_rows) == (137, 130)
        assert len(index) == 138
        assert len(index.search("stone 129 water 903", k=200)) == 138


def test_another_file_of_the_same_name_deletes_nothing(
    tmp_path: Path, model: pumice.StaticModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one that has changed and cannot be read now; the same file by another path, or moved, is the same."""
    for day, count in (("day1", 50), ("day2", 20)):
        (tmp_path / day).mkdir()
        (tmp_path / day / "a.jsonl").write_bytes(as_jsonl(rows(count)))
    first, second = (tmp_path / day / "a.jsonl" for day in ("day1", "day2"))
    options = EncodeOptions(text="body", on_error="null")
    monkeypatch.chdir(tmp_path)
    with pumice.Index(tmp_path / "index", model, dim=32) as index:
        store_files("day1", index, options=options)
        report = store_files("day2", index, options=options)
        assert (len(index), report.embedded_rows) == (50, 0)
        assert f"would replace the rows of {first}, which" in report.failed["day2/a.jsonl"]
        first.rename(tmp_path / "kept")
        first.symlink_to(tmp_path / "nowhere")
        (tmp_path / "day1" / "b.jsonl").write_bytes(as_jsonl(rows(1)))
        assert list(store_files(tmp_path / "day1", index, options=options).failed) == [str(first)]
        assert len(index) == 51
        first.unlink()
        first.write_bytes(as_jsonl(rows(49)))
        (tmp_path / "today").symlink_to(tmp_path / "day1")
        assert not store_files(tmp_path / "today" / "a.jsonl", index, options=options).failed
        assert len(index) == 50
        for link in (tmp_path / "today", first):
            link.unlink()
        assert not store_files(second, index, options=options).failed
        assert len(index) == 21
        second.write_bytes(as_jsonl(rows(10)))
        assert store_files("day2", index, options=options).embedded_rows == 10
        assert len(index) == 11


def test_a_memory_is_of_one_index(tmp_path: Path, model: pumice.StaticModel) -> None:
    """Else a second one would stay empty, and rows of it be deleted that the first one's run has stored."""
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(rows(3)))
    options = EncodeOptions(text="body", state=str(tmp_path / "memory"))
    for name in ("first", "second", "first"):
        with pumice.Index(tmp_path / name, model, dim=32) as index:
            if name == "first":
                store_files(tmp_path / "a.jsonl", index, options=options)
                assert len(index) == 3
                continue
            with pytest.raises(InputError, match=r"memory: remembers what the index .*first holds"):
                store_files(tmp_path / "a.jsonl", index, options=options)
    own = replace(options, state=None)
    with pumice.Index(tmp_path / "second", model, dim=32) as index:
        store_files(tmp_path / "a.jsonl", index, options=own)
    (tmp_path / "second").rename(tmp_path / "moved")
    with pumice.Index(tmp_path / "moved", model, dim=32) as index:
        assert store_files(tmp_path / "a.jsonl", index, options=own).embedded_rows == 0


def test_rows_with_ids_of_their_own_stay(tmp_path: Path, model: pumice.StaticModel) -> None:
    """The one that the first file has lost is the second's by then."""
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text('{"id": "one", "body": "stone"}\n{"id": "two", "body": "water"}\n')
    second.write_text('{"id": "three", "body": "bread"}\n')
    options = EncodeOptions(text="body", id="id")
    with pumice.Index(tmp_path / "index", model, dim=32) as index:
        store_files([first, second], index, options=options)
        first.write_text('{"id": "one", "body": "stone"}\n')
        second.write_text(second.read_text() + '{"id": "two", "body": "light"}\n')
        store_files([first, second], index, options=options)
        assert {hit.id: hit.text for hit in index.search("stone", k=5, mode="dense")} == {
            "one": "stone",
            "two": "light",
            "three": "bread",
        }


@pytest.mark.parametrize("on_error", ["null", "skip"])
def test_rows_of_several_pieces(tmp_path: Path, model: pumice.StaticModel, on_error: str) -> None:
    bodies = [None if n % 1000 == 999 else f"stone {n}" for n in range(3500)]
    made = pa.table({"body": bodies, "place": range(3500)})
    (tmp_path / "a.parquet").write_bytes(as_parquet(made, row_group_size=1500))
    options = EncodeOptions(text="body", keep=("place",), on_error=on_error, rows_per_file=1500)
    with pumice.Index(tmp_path / "index", model, dim=32) as index:
        report = store_files(tmp_path / "a.parquet", index, options=options)
        stored = 3500 if on_error == "null" else 3497
        assert (report.rows, report.bad, report.output_files) == (stored, {"null": 3}, 3)
        assert report.text_bytes == sum(len(body) for body in bodies if body)
        assert len(index) == 3497
        for place in (0, 998, 1024, 3499):
            hit = index.search(f"stone {place}", k=1, filter={"place": place})[0]
            gone = sum(1500 * (place // 1500) <= at < place for at in (999, 1999, 2999))
            row = place % 1500 - (gone if on_error == "skip" else 0)
            assert (hit.id, hit.text) == (f"a.parquet#{place // 1500}.{row}", f"stone {place}")


def test_what_an_index_cannot_keep(tmp_path: Path, model: pumice.StaticModel) -> None:
    (tmp_path / "a.parquet").write_bytes(as_parquet(table(3)))
    with pumice.Index(tmp_path / "index", model) as index:
        with pytest.raises(InputError, match="takes float32 vectors, not int8"):
            store_files(
                tmp_path / "a.parquet", index, options=EncodeOptions(text="body", dtype="int8")
            )
        with pytest.raises(InputError, match='column "id" cannot be kept'):
            store_files(
                tmp_path / "a.parquet", index, options=EncodeOptions(text="body", keep=("id",))
            )


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.parquet").write_bytes(as_parquet(rows(50)))
    index = str(tmp_path / "index")
    command = ["encode", str(tmp_path / "a.parquet"), "--text", "body", "--id", "id"]
    command += ["--to-qdrant", index, "--dim", "64", "--no-words"]
    for embedded in (50, 0):
        assert main(command) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[0].startswith(f"embedded  {embedded} rows")
        assert said[-1] == f"output    {index}: 50 rows"
    with pumice.Index(index) as opened:
        assert (len(opened), opened.dim, opened.storage.sparse) == (50, 64, False)
    assert main(["encode", str(tmp_path / "a.parquet"), "--text", "body"]) == 2


@pytest.mark.parametrize(
    ("inputs", "more"),
    [
        ("absent.parquet", []),
        ("a.parquet", ["--text", "novel"]),
        ("a.parquet", ["--keep", "id"]),
        ("a.parquet", ["--dtype", "int8"]),
    ],
)
def test_a_command_that_is_refused_leaves_no_index(
    tmp_path: Path, inputs: str, more: list[str]
) -> None:
    (tmp_path / "a.parquet").write_bytes(as_parquet(rows(5)))
    index = tmp_path / "index"
    command = ["encode", str(tmp_path / inputs), "--text", "body", "--to-qdrant", str(index)]
    assert main([*command, *more]) == 1
    assert not index.exists()
    command[1] = str(tmp_path / "a.parquet")
    assert main([*command, "--dim", "64"]) == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_run_stores_every_row_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(rows(6000)))
    command = [sys.executable, "-m", "pumice.cli", "encode", str(tmp_path / "a.jsonl"), "--text"]
    command += ["body", "--id", "id", "--keep", "year", "--to-qdrant", str(tmp_path / "index")]
    command += ["--dim", "64", "--no-words", "--rows-per-file", "500", "--json"]
    rng = np.random.default_rng(5)
    kills = 0
    while kills < 8:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(rng.uniform(0.5, 3))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        kills += 1
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(ended.stdout)
    assert report["rows"] == 6000
    assert report["embedded_rows"] % 500 == 0
    with pumice.Index(tmp_path / "index") as index:
        assert len(index) == 6000
        assert index.search("stone 4321 water 30247", k=1)[0].text == "stone 4321 water 30247"
