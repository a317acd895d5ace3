"""What cannot be read or written: one clear sentence, and nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import pumice
from pumice.batch import EncodeOptions, encode_files
from pumice.errors import InputError, OutputError, PumiceError
from tests.batch.tables import (
    as_arrow,
    as_delimited,
    as_jsonl,
    as_parquet,
    in_every_format,
    table,
    tree,
)

OPTIONS = EncodeOptions(text="body")


def refused(inputs: object, out: Path, model: pumice.StaticModel, **options: object) -> str:
    with pytest.raises(PumiceError) as caught:
        encode_files(inputs, out, model=model, options=EncodeOptions(**{"text": "body", **options}))  # type: ignore[arg-type]
    assert not [path for path in out.rglob("*") if path.name.endswith(".partial")]
    said = str(caught.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl", "csv", "tsv"])
def test_a_missing_column_lists_the_ones_there_are(
    tmp_path: Path, model: pumice.StaticModel, suffix: str
) -> None:
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(in_every_format(10)[f"a.{suffix}"])
    said = refused(file, tmp_path / "out", model, text="txt")
    assert said == f'{file}: has no column "txt": it has "id", "body"'
    assert 'has no column "title"' in refused(file, tmp_path / "out", model, keep=["title"])
    said = refused(file, tmp_path / "out", model, text=None)
    assert said == f'{file}: say which column holds the texts (text, --text): it has "id", "body"'
    assert not (tmp_path / "out").exists()


def test_a_column_that_is_no_text(tmp_path: Path, model: pumice.StaticModel) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(as_parquet(table(10)))
    said = refused(file, tmp_path / "out", model, text="id")
    assert said == f'{file}: column "id" is int64, not text: name a column of strings (--text)'


def test_mixed_schemas(tmp_path: Path, model: pumice.StaticModel) -> None:
    rows = table(10)
    other = rows.set_column(0, "id", rows["id"].cast(pa.string()))
    (tmp_path / "a.parquet").write_bytes(as_parquet(rows))
    (tmp_path / "b.parquet").write_bytes(as_parquet(other))
    inputs = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    said = refused(inputs, tmp_path / "out", model, keep=["id"])
    assert f'{inputs[1]}: column "id" is string there and int64 in the files before' in said
    assert (tmp_path / "out" / "a.parquet-00000.parquet").is_file()  # complete, and kept
    (tmp_path / "c.jsonl").write_bytes(
        b'{"id": 1, "body": "a"}\n' * 2000 + b'{"id": "x", "body": "a"}\n'
    )
    said = refused(tmp_path / "c.jsonl", tmp_path / "out2", model, keep=["id"])
    assert 'row 2001: "id" is "x", where the first rows have int64' in said
    (tmp_path / "d.jsonl").write_bytes(b'{"id": 1, "body": "a"}\n{"id": "x", "body": "a"}\n')
    assert 'column "id" has values of several types' in refused(
        tmp_path / "d.jsonl", tmp_path / "out3", model, keep=["id"]
    )


@pytest.mark.parametrize("name", list(in_every_format(2)))
def test_empty_and_truncated_files(tmp_path: Path, model: pumice.StaticModel, name: str) -> None:
    data = in_every_format(500)[name]
    file = tmp_path / name
    file.write_bytes(b"")
    said = refused(file, tmp_path / "out", model)
    assert said == f"{file}: is empty (0 bytes): remove it, or write it again"
    file.write_bytes(data[: len(data) * 2 // 3])
    if name.endswith((".jsonl", ".txt", ".csv", ".tsv")):  # nothing but its last line tells
        report = encode_files(
            file,
            tmp_path / "out",
            model=model,
            options=EncodeOptions(
                text="body", keep=("id",) if ".txt" not in name else (), on_error="null"
            ),
        )
        assert 300 < report.rows < 351
        return
    said = refused(file, tmp_path / "out", model)
    assert said.startswith(f"{file}: ")


@pytest.mark.parametrize("name", list(in_every_format(2)))
def test_files_that_are_something_else(
    tmp_path: Path, model: pumice.StaticModel, name: str
) -> None:
    if name.startswith("a.txt") and name == "a.txt":
        pytest.skip("anything is text")
    file = tmp_path / name
    file.write_bytes(bytes(range(256)) * 50)
    assert refused(file, tmp_path / "out", model).startswith(f"{file}: ")


def test_a_truncated_file_among_others_can_be_gone_past(
    tmp_path: Path, model: pumice.StaticModel
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    whole = as_parquet(table(1000))
    (folder / "a.parquet").write_bytes(whole[:5000])
    (folder / "b.parquet").write_bytes(whole)
    damaged = bytearray(whole)
    damaged[4000:7000] = bytes(3000)  # in the middle: the footer is whole
    (folder / "c.parquet").write_bytes(damaged)
    options = EncodeOptions(text="body", on_error="null")
    report = encode_files(folder, out, model=model, options=options)
    assert set(report.failed) == {f"{folder}/a.parquet", f"{folder}/c.parquet"}
    assert report.rows == 1000
    files = [name for name in tree(out) if not name.startswith("_pumice")]
    assert files == ["b.parquet-00000.parquet"]
    (folder / "a.parquet").write_bytes(whole)
    (folder / "c.parquet").write_bytes(whole)
    report = encode_files(folder, out, model=model, options=options)
    assert (report.failed, report.embedded_rows, report.rows) == ({}, 2000, 3000)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "offsets",
    [(0, 4, 10, 2**31 - 1), (0, 10, 4, 11), (0, 2**30, 10, 11), (0, 2**31 - 1, -2, 11)],
)
def test_an_arrow_file_whose_offsets_point_outside(
    tmp_path: Path, model: pumice.StaticModel, offsets: tuple[int, ...], stream: bool
) -> None:
    rows = pa.table({"id": [1, 2, 3], "body": ["aaaa", "bbbbbb", "c"]})
    data = bytearray(as_arrow(rows, stream=stream))
    at = data.index(np.array([0, 4, 10, 11], np.int32).tobytes())
    data[at : at + 16] = np.array(offsets, np.int32).tobytes()
    file = tmp_path / ("a.arrows" if stream else "a.arrow")
    file.write_bytes(data)
    said = refused(file, tmp_path / "out", model)
    assert said.startswith(f"{file}: cannot be read as Arrow, truncated or damaged: ")


def test_an_arrow_file_with_a_dictionary(tmp_path: Path, model: pumice.StaticModel) -> None:
    strings = pa.array([b"stone", b"\xff\xfe"], pa.binary()).view(pa.string())
    for indices, expected in (([0, 1], 1), ([0, 2], None), ([0, -1], None)):
        column = pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), strings, safe=False)
        batch = pa.RecordBatch.from_arrays([column], ["body"])
        file, out = tmp_path / f"{indices[1]}.arrows", tmp_path / f"out{indices[1]}"
        with pa.ipc.new_stream(file, batch.schema) as stream:
            stream.write_batch(batch)
        options = EncodeOptions(text="body", on_error="null")
        report = encode_files(file, out, model=model, options=options)
        if expected is None:
            (said,) = report.failed.values()
            assert "its indices point outside its dictionary" in said
        else:
            assert (report.rows, report.failed) == (2, {})
            assert sum(report.bad.values()) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="pipes have no names in folders")
def test_what_is_no_file_among_others_can_be_gone_past(
    tmp_path: Path, model: pumice.StaticModel
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(as_jsonl(table(10)))
    os.mkfifo(folder / "b.jsonl")
    (folder / "c.jsonl").symlink_to(tmp_path / "nowhere")
    said = refused(folder, tmp_path / "out", model)
    assert said == f"{folder}/b.jsonl: is not a regular file: write what it gives into one"
    assert refused(folder / "b.jsonl", tmp_path / "out", model, on_error="null") == said
    assert not (tmp_path / "out").exists()
    for _ in range(2):
        report = encode_files(
            folder,
            tmp_path / "out",
            model=model,
            options=EncodeOptions(text="body", on_error="null"),
        )
        assert (report.files, report.rows) == (3, 10)
        assert report.failed == {
            f"{folder}/b.jsonl": said,
            f"{folder}/c.jsonl": f"{folder}/c.jsonl: cannot be read: No such file or directory",
        }
    (folder / "b.jsonl").unlink()
    (folder / "b.jsonl").write_bytes(as_jsonl(table(5)))
    options = EncodeOptions(text="body", on_error="null")
    report = encode_files(folder, tmp_path / "out", model=model, options=options)
    assert (report.rows, report.embedded_rows, len(report.failed)) == (15, 5, 1)


def test_what_was_made_stays_until_its_changed_input_can_be_read(
    tmp_path: Path, model: pumice.StaticModel
) -> None:
    file, out = tmp_path / "a.parquet", tmp_path / "out"
    file.write_bytes(as_parquet(table(10)))
    encode_files(file, out, model=model, options=OPTIONS)
    before = tree(out)
    file.write_bytes(as_parquet(table(20))[:-9])
    assert "truncated or damaged" in refused(file, out, model)
    assert tree(out) == before


@pytest.mark.parametrize("engine", ["here", "ray"])
def test_so_it_does_where_the_run_goes_on_past_it(
    tmp_path: Path, model: pumice.StaticModel, engine: str
) -> None:
    encode = encode_files
    if engine == "ray":
        pytest.importorskip("ray")
        from pumice.batch.ray import encode_files as encode
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    file = folder / "a.parquet"
    file.write_bytes(as_parquet(table(10)))
    (folder / "b.parquet").write_bytes(as_parquet(table(5)))
    options = EncodeOptions(text="body", on_error="null")
    encode_files(folder, out, model=model, options=options)
    before = tree(out)
    for damage in (as_parquet(table(20))[:-9], None):
        file.unlink()
        if damage is None:
            file.symlink_to(tmp_path / "nowhere")
        else:
            file.write_bytes(damage)
        report = encode(folder, out, model=model, options=options)
        assert list(report.failed) == [str(file)]
        assert (report.rows, report.embedded_rows, report.files_unchanged) == (15, 0, 1)
        assert tree(out) == before


def test_nothing_to_read(tmp_path: Path, model: pumice.StaticModel) -> None:
    out = tmp_path / "out"
    missing = tmp_path / "missing.parquet"
    assert refused(missing, out, model) == f"{missing}: no such file or folder"
    (tmp_path / "empty").mkdir()
    assert "no file of a known format" in refused(tmp_path / "empty", out, model)
    assert "no file of a known format" in refused(f"{tmp_path}/*.parquet", out, model)
    (tmp_path / "a.dat").write_bytes(b"a stone\n")
    assert "--input-format" in refused(tmp_path / "a.dat", out, model)
    report = encode_files(
        tmp_path / "a.dat", out, model=model, options=EncodeOptions(input_format="text")
    )
    assert report.rows == 1
    assert "memory://no/such.jsonl: " in refused("memory://no/such.jsonl", out, model)
    assert "nosuch" in refused("nosuch://bucket/a.jsonl", out, model)


def test_a_header_that_is_no_header_is_told_in_short(
    tmp_path: Path, model: pumice.StaticModel
) -> None:
    (tmp_path / "a.csv").write_text("[" * 100_000)
    said = refused(tmp_path / "a.csv", tmp_path / "out", model)
    assert 'has no column "body": it has "[[' in said
    assert len(said) < 400


def test_names_and_places_that_collide(tmp_path: Path, model: pumice.StaticModel) -> None:
    for name in ("x/a.jsonl", "y/a.jsonl"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(as_jsonl(table(3)))
    both = [tmp_path / "x" / "a.jsonl", tmp_path / "y" / "a.jsonl"]
    assert "would both be called a.jsonl" in refused(both, tmp_path / "out", model)
    assert "lies in" in refused(tmp_path, tmp_path / "out", model)
    assert "lies in" in refused(tmp_path / "x", tmp_path / "x", model)
    # A glob that goes down into the output: its next run would embed that.
    for glob in ("**/*.parquet", "**/x-*.parquet", "**"):
        assert "lies in" in refused(tmp_path / glob, tmp_path / "out", model), glob
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.jsonl-00000.parquet").write_bytes(b"mine")
    assert "is there already" in refused(both[0], out, model)
    assert (out / "a.jsonl-00000.parquet").read_bytes() == b"mine"


def test_another_run_in_the_same_folder(tmp_path: Path, model: pumice.StaticModel) -> None:
    file, out = tmp_path / "a.jsonl", tmp_path / "out"
    file.write_bytes(as_jsonl(table(3)))
    encode_files(file, out, model=model, options=OPTIONS)
    before = tree(out)
    said = refused(file, out, model, dim=32)
    assert "holds vectors of another run, with dim 64, not 32" in said
    assert 'with model "random-64", not "pumice-base-en"' in refused(file, out, pumice.load())
    (out / "_pumice" / "settings.json").write_text("{")
    assert "settings.json is damaged" in refused(file, out, model)
    (out / "_pumice" / "settings.json").unlink()
    encode_files(file, out, model=model, options=OPTIONS)
    assert tree(out) == before


def test_two_runs_at_once(tmp_path: Path, model: pumice.StaticModel) -> None:
    from pumice.batch.folder import OutputFolder

    (tmp_path / "a.jsonl").write_bytes(as_jsonl(table(3)))
    with OutputFolder(tmp_path / "out"):
        said = refused(tmp_path / "a.jsonl", tmp_path / "out", model)
    assert f"process {os.getpid()} on " in said
    assert "is writing there" in said


def test_no_permission(tmp_path: Path, model: pumice.StaticModel) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(table(3)))
    (tmp_path / "file").write_bytes(b"")
    said = refused(tmp_path / "a.jsonl", tmp_path / "file", model)
    assert "cannot be made or written to" in said
    if sys.platform == "linux":
        assert "cannot be" in refused(tmp_path / "a.jsonl", Path("/proc/out"), model)
        assert "is not a regular file" in refused(
            Path("/dev/zero"), tmp_path / "out", model, input_format="text"
        )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="becomes another user")
def test_another_users_files(tmp_path: Path, model: pumice.StaticModel) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(table(3)))
    (tmp_path / "out").mkdir()
    # With pytest-xdist, pytest's own private folder is one further up.
    for place in (tmp_path, *tmp_path.parents[:3]):
        place.chmod(place.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        said = refused(tmp_path / "a.jsonl", tmp_path / "out", model)
        assert "cannot be made or written to: Permission denied" in said
        os.seteuid(0)
        (tmp_path / "a.jsonl").chmod(0o600)
        (tmp_path / "out").chmod(0o777)
        os.seteuid(65534)
        said = refused(tmp_path / "a.jsonl", tmp_path / "out", model)
        assert said == f"{tmp_path}/a.jsonl: cannot be read: Permission denied"
        os.seteuid(0)
        (tmp_path / "in" / "closed").mkdir(parents=True)
        (tmp_path / "in" / "closed").chmod(0o700)
        (tmp_path / "in" / "b.jsonl").write_bytes(as_jsonl(table(3)))
        os.seteuid(65534)
        said = refused(tmp_path / "in", tmp_path / "out", model)
        assert said == f"{tmp_path}/in/closed: cannot be read: Permission denied"
        options = EncodeOptions(text="body", on_error="null")
        report = encode_files(tmp_path / "in", tmp_path / "out", model=model, options=options)
        assert (report.rows, report.failed) == (3, {f"{tmp_path}/in/closed": said})
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small tmpfs")
def test_a_full_disk_loses_nothing(tmp_path: Path, model: pumice.StaticModel) -> None:
    out = tmp_path / "out"
    out.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(out)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        file = tmp_path / "a.jsonl"
        file.write_bytes(as_jsonl(table(3000)))
        options = EncodeOptions(text="body", rows_per_file=500)
        with pytest.raises(OutputError, match="it goes on where it was"):
            encode_files(file, out, model=model, options=options)
        done = [name for name in tree(out) if name.endswith(".parquet")]
        assert 1 <= len(done) < 6
        assert not list(out.rglob("*.partial"))
        subprocess.run(["mount", "-o", "remount,size=40m", str(out)], check=True)
        report = encode_files(file, out, model=model, options=options)
        assert (report.embedded_rows, report.rows) == (3000 - 500 * len(done), 3000)
    finally:
        subprocess.run(["umount", str(out)], check=True)
    encode_files(file, tmp_path / "whole", model=model, options=options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dtype": "int4"}, "dtype='int4' is not one of"),
        ({"format": "csv"}, "format='csv' is not one of"),
        ({"on_error": "ignore"}, "on_error='ignore' is not one of"),
        ({"layout": "list", "dtype": "binary"}, "no list of numbers"),
        ({"format": "npy", "keep": ("id",)}, "npy files hold vectors alone"),
        ({"on_error": "skip"}, "nothing says which vector is whose"),
        ({"keep": ("a", "a")}, "names a column twice"),
        ({"keep": ("vector",)}, "is what the vectors are called"),
        ({"memory": 1000}, "less than 256 MB"),
        ({"rows_per_file": 0}, "rows_per_file=0 is not a positive"),
        ({"threads": 0}, "threads=0"),
    ],
)
def test_options_that_contradict_themselves(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        EncodeOptions(**options)  # type: ignore[arg-type]


def test_a_dim_that_the_model_lacks(tmp_path: Path, model: pumice.StaticModel) -> None:
    (tmp_path / "a.csv").write_bytes(as_delimited(table(3), ","))
    assert "not among the prefixes" in refused(tmp_path / "a.csv", tmp_path / "out", model, dim=30)
    assert not (tmp_path / "out").exists()


def test_a_file_that_grows_while_it_is_read(
    tmp_path: Path, model: pumice.StaticModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pumice.batch import encoding

    file = tmp_path / "a.arrow"
    file.write_bytes(as_arrow(table(10), stream=False))
    original = encoding.encode_chunk

    def grows(*chunk: Any) -> Any:
        with file.open("ab") as more:
            more.write(b"x")
        return original(*chunk)

    real = encoding._check_unchanged

    def late(source: object) -> None:
        import time

        time.sleep(0.3)
        real(source)  # type: ignore[arg-type]

    monkeypatch.setattr(encoding, "encode_chunk", grows)
    monkeypatch.setattr(encoding, "_check_unchanged", late)
    assert "has changed while it was read" in refused(file, tmp_path / "out", model)
