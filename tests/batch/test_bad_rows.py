"""Rows without a text that can be encoded: refused by place, kept as null, or left out, and counted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import pumice
from pumice.batch import EncodeOptions, EncodeReport, encode_files
from pumice.errors import InputError
from tests.batch.tables import as_arrow, as_parquet, written

GOOD = ["a stone", "", "light water"]


def jsonl() -> bytes:
    lines = [
        json.dumps({"id": 0, "body": GOOD[0]}).encode(),
        json.dumps({"id": 1, "body": None}).encode(),
        json.dumps({"id": 2}).encode(),
        json.dumps({"id": 3, "body": 5}).encode(),
        json.dumps({"id": 4, "body": GOOD[1]}).encode(),
        b'{"id": 5, "body": "\xff\xfe"}',
        b'{"id": 6, "body": "\\ud800"}',
        b'{"id": 7, "body": ["a"]}',
        b"not json",
        b"[1, 2]",
        json.dumps({"id": 10, "body": GOOD[2]}).encode(),
        b"",
    ]
    return b"\n".join(lines)


def broken_column() -> pa.Table:
    raw = [b"a stone", None, b"\xff\xfe", b"", b"\xed\xa0\x80", b"light water"]
    column = pa.array(raw, pa.binary()).view(pa.string())
    return pa.table({"id": pa.array(range(6), pa.int64()), "body": column})


def encoded(file: Path, model: pumice.StaticModel, on_error: str, **more: Any) -> EncodeReport:
    options = EncodeOptions(text="body", keep=("id",), on_error=on_error, **more)
    return encode_files(file, file.parent / f"out-{on_error}", model=model, options=options)


@pytest.mark.parametrize("rows_per_file", [None, 1, 2, 3])
def test_json_lines(tmp_path: Path, model: pumice.StaticModel, rows_per_file: int | None) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(jsonl())
    bad = {"not UTF-8": 2, "not a row": 2, "not a string": 2, "null": 2}
    report = encoded(file, model, "null", rows_per_file=rows_per_file)
    assert (report.rows, report.bad) == (11, bad)
    found = written(tmp_path / "out-null")
    assert found["id"].to_pylist() == [0, 1, 2, 3, 4, None, 6, 7, None, None, 10]
    assert [v is None for v in found["vector"].to_pylist()].count(True) == 8
    good = [v for v in found["vector"].to_pylist() if v is not None]
    np.testing.assert_array_equal(np.array(good, np.float32), model.encode(GOOD))
    report = encoded(file, model, "skip", rows_per_file=rows_per_file)
    assert (report.rows, report.bad) == (3, bad)
    assert written(tmp_path / "out-skip")["id"].to_pylist() == [0, 4, 10]
    with pytest.raises(InputError, match=r"a\.jsonl: row 2: the text is null: mend it, or"):
        encoded(file, model, "fail", rows_per_file=rows_per_file)


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_columns(tmp_path: Path, model: pumice.StaticModel, suffix: str) -> None:
    file = tmp_path / f"a.{suffix}"
    rows = broken_column()
    file.write_bytes(
        as_parquet(rows, row_group_size=2) if suffix == "parquet" else as_arrow(rows, stream=False)
    )
    report = encoded(file, model, "null", dtype="int8")
    assert report.bad == {"not UTF-8": 2, "null": 1}
    found = written(tmp_path / "out-null")
    assert [v is None for v in found["vector"].to_pylist()] == [
        False,
        True,
        True,
        False,
        True,
        False,
    ]
    expected = model.encode(GOOD, dtype="int8").tobytes()
    assert b"".join(v for v in found["vector"].to_pylist() if v) == expected
    encoded(file, model, "skip")
    assert written(tmp_path / "out-skip")["id"].to_pylist() == [0, 3, 5]
    with pytest.raises(InputError, match=r"row 2: the text is null"):
        encoded(file, model, "fail")


def test_the_row_that_is_named_is_counted_over_the_whole_file(
    tmp_path: Path, model: pumice.StaticModel
) -> None:
    rows = pa.table({"body": ["stone"] * 1234 + [None] + ["stone"] * 10, "id": list(range(1245))})
    for suffix, data in {
        "parquet": as_parquet(rows, row_group_size=100),
        "arrow": as_arrow(rows, stream=False),
        "jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in rows.to_pylist()),
    }.items():
        file = tmp_path / f"a.{suffix}"
        file.write_bytes(data)
        with pytest.raises(InputError, match="row 1235: the text is null"):
            encoded(file, model, "fail", rows_per_file=100)


def test_csv_rows_of_another_length(tmp_path: Path, model: pumice.StaticModel) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b'id,body\n1,"a ""quoted""\nstone"\n2\n3,light,water\n4,\xff\n5,\n')
    with pytest.raises(InputError, match=r"a\.csv"):
        encoded(file, model, "fail")
    report = encoded(file, model, "skip")
    assert report.bad == {"not UTF-8": 1, "not a row": 2}
    assert written(tmp_path / "out-skip")["id"].to_pylist() == ["1", "5"]
    vector = written(tmp_path / "out-skip")["vector"][0].as_py()
    np.testing.assert_array_equal(np.float32(vector), model.encode('a "quoted"\nstone'))


def test_lines_of_text_keep_their_number(tmp_path: Path, model: pumice.StaticModel) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xef\xbb\xbfa stone\r\n\r\n\xff\nlight water")
    report = encode_files(
        file, tmp_path / "out", model=model, options=EncodeOptions(on_error="null")
    )
    assert (report.rows, report.bad) == (4, {"not UTF-8": 1})
    found = written(tmp_path / "out")["vector"].to_pylist()
    assert found[2] is None
    good = np.array([v for v in found if v is not None], np.float32)
    np.testing.assert_array_equal(good, model.encode(GOOD))


def test_deciding_about_bad_rows_after_a_failure(tmp_path: Path, model: pumice.StaticModel) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"id": 1, "body": "stone"}\n{"id": 2, "body": null}\n')
    out = tmp_path / "out"

    def run(on_error: str) -> EncodeReport:
        options = EncodeOptions(
            text="body", keep=("id",), dtype="int8", on_error=on_error, rows_per_file=1
        )
        return encode_files(file, out, model=model, options=options)

    with pytest.raises(InputError, match="row 2"):
        run("fail")
    assert run("null").embedded_rows == 1  # the first row had been done
    with pytest.raises(InputError, match='another run, with on_error "null", not "skip"'):
        run("skip")


def test_what_the_first_failure_advises_works(tmp_path: Path, model: pumice.StaticModel) -> None:
    """A list of float vectors is of another type where some are null; nothing is finished yet that says so."""
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"id": 1, "body": "stone"}\n{"id": 2, "body": null}\n')

    def run(on_error: str, **more: Any) -> EncodeReport:
        options = EncodeOptions(text="body", keep=("id",), on_error=on_error, **more)
        return encode_files(file, tmp_path / "out", model=model, options=options)

    with pytest.raises(InputError, match='on_error="null"'):
        run("fail")
    assert run("null").rows == 2
    with pytest.raises(InputError, match="another run, with dim 64, not 32"):
        run("null", dim=32)
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(InputError, match="row 2"):
        run("fail", rows_per_file=1)  # the first row is done
    with pytest.raises(InputError, match='another run, with on_error "fail", not "null"'):
        run("null", rows_per_file=1)
