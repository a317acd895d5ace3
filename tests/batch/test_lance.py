"""A Lance dataset as output: the rows of the files in their order, once each, whatever is killed on the way."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import pumice
from pumice.batch import EncodeOptions, encode_files
from pumice.cli import main
from pumice.errors import InputError, OutputError
from tests.batch.killing import Kills, kill_often, run, run_killing
from tests.batch.tables import as_jsonl, as_parquet, table, tree
from tests.batch.test_killed import rows_recorded

lance = pytest.importorskip("lance", reason='pylance is absent (pip install "pumice[lance]")')
OPTIONS = EncodeOptions(text="body", keep=("id",), format="lance")


def vectors_of(dataset: Any, dtype: str) -> np.ndarray[object, np.dtype[np.generic]]:
    return np.array(dataset.to_table()["vector"].to_pylist(), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "binary"])
def test_a_dataset_of_every_dtype(tmp_path: Path, model: pumice.StaticModel, dtype: str) -> None:
    (tmp_path / "a.parquet").write_bytes(as_parquet(table(500)))
    (tmp_path / "b.jsonl").write_bytes(as_jsonl(table(70, seed=2)))
    inputs = [tmp_path / "b.jsonl", tmp_path / "a.parquet"]
    options = replace(OPTIONS, dtype=dtype, rows_per_file=200)
    report = encode_files(inputs, tmp_path / "v.lance", model=model, options=options)
    assert (report.rows, report.output_files) == (570, 4)
    dataset = lance.dataset(tmp_path / "v.lance")
    assert dataset.to_table()["id"].to_pylist() == [*range(500), *range(70)]
    texts = [*table(500)["body"].to_pylist(), *table(70, seed=2)["body"].to_pylist()]
    kind = "uint8" if dtype == "binary" else dtype
    assert pa.types.is_fixed_size_list(dataset.schema.field("vector").type)
    expected = model.encode(texts, dtype=dtype)
    np.testing.assert_array_equal(vectors_of(dataset, kind), expected)


def test_bad_rows(tmp_path: Path, model: pumice.StaticModel) -> None:
    rows = pa.table({"id": [1, 2, 3], "body": ["stone", None, "light"]})
    (tmp_path / "a.parquet").write_bytes(as_parquet(rows))
    for on_error, expected in (("null", [1, 2, 3]), ("skip", [1, 3])):
        out = tmp_path / f"{on_error}.lance"
        options = replace(OPTIONS, on_error=on_error)
        encode_files(tmp_path / "a.parquet", out, model=model, options=options)
        found = lance.dataset(out).to_table()
        assert found["id"].to_pylist() == expected
        assert found["vector"].null_count == expected.count(2)
    with pytest.raises(InputError, match="the text is null"):
        encode_files(tmp_path / "a.parquet", tmp_path / "fail.lance", model=model, options=OPTIONS)
    assert not list((tmp_path / "fail.lance").rglob("*.lance"))


def test_new_and_changed_inputs(tmp_path: Path, model: pumice.StaticModel) -> None:
    source, out = tmp_path / "in", tmp_path / "v.lance"
    source.mkdir()
    (source / "a.jsonl").write_bytes(as_jsonl(table(30)))
    (source / "b.jsonl").write_bytes(as_jsonl(table(20, seed=2)))
    encode_files(source, out, model=model, options=OPTIONS)
    before = tree(out / "_versions")
    assert encode_files(source, out, model=model, options=OPTIONS).embedded_rows == 0
    assert tree(out / "_versions") == before  # nothing to say, no version
    (source / "a.jsonl").write_bytes(as_jsonl(table(40, seed=3)))
    (source / "c.jsonl").write_bytes(as_jsonl(table(10, seed=4)))
    report = encode_files(source, out, model=model, options=OPTIONS)
    assert (report.embedded_rows, report.rows) == (50, 70)
    dataset = lance.dataset(out)
    assert dataset.to_table()["id"].to_pylist() == [*range(20), *range(40), *range(10)]
    assert dataset.checkout_version(dataset.version - 1).count_rows() == 50


def test_an_input_that_is_again_as_it_was(tmp_path: Path, model: pumice.StaticModel) -> None:
    source, out = tmp_path / "a.jsonl", tmp_path / "v.lance"
    for seed in (1, 2, 1):
        source.write_bytes(as_jsonl(table(30, seed=seed)))
        os.utime(source, (0, seed))
        assert encode_files(source, out, model=model, options=OPTIONS).rows == 30
        texts = table(30, seed=seed)["body"].to_pylist()
        np.testing.assert_array_equal(
            vectors_of(lance.dataset(out), "float32"), model.encode(texts)
        )


def test_killed_before_the_version_was_written(tmp_path: Path, model: pumice.StaticModel) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(table(30)))
    for versions_lost in (1, 2):
        out = tmp_path / f"{versions_lost}.lance"
        encode_files(tmp_path / "a.jsonl", out, model=model, options=OPTIONS)
        (out / "_versions" / "latest_version_hint.json").unlink(missing_ok=True)
        for manifest in sorted((out / "_versions").iterdir())[:versions_lost]:  # newest first
            manifest.rename(f"{manifest}#1")  # as Lance calls it until it is whole
        report = encode_files(tmp_path / "a.jsonl", out, model=model, options=OPTIONS)
        assert (report.embedded_rows, report.rows) == (0, 30)
        assert lance.dataset(out).count_rows() == 30


def test_killed_as_lance_began_a_file(tmp_path: Path, model: pumice.StaticModel) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(table(30)))
    out = tmp_path / "v.lance"
    encode_files(tmp_path / "a.jsonl", out, model=model, options=OPTIONS)
    before = tree(out)
    (out / "data" / ".tmps625ri").touch()
    encode_files(tmp_path / "a.jsonl", out, model=model, options=OPTIONS)
    assert tree(out) == before


def test_what_is_refused(tmp_path: Path, model: pumice.StaticModel) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(table(30)))

    def refused(out: Path | str, **changes: object) -> str:
        with pytest.raises((InputError, OutputError)) as caught:
            encode_files(
                tmp_path / "a.jsonl", out, model=model, options=replace(OPTIONS, **changes)
            )
        return str(caught.value)

    mine = tmp_path / "mine.lance"
    lance.write_dataset(table(3), mine)
    before = tree(mine)
    assert "is a Lance dataset of something else" in refused(mine)
    assert {p: h for p, h in tree(mine).items() if "_pumice" not in p} == before
    out = tmp_path / "v.lance"
    encode_files(tmp_path / "a.jsonl", out, model=model, options=OPTIONS)
    assert "holds vectors of another run, with dim 64, not 32" in refused(out, dim=32)
    assert "another run, with format" in refused(out, format="parquet")
    lance.write_dataset(lance.dataset(out).to_table(), out, mode="append")
    assert "was compacted, added to or deleted from" in refused(out)
    fewer = tmp_path / "fewer.lance"
    encode_files(tmp_path / "a.jsonl", fewer, model=model, options=OPTIONS)
    lance.dataset(fewer).delete("id = 3")
    assert "was compacted, added to or deleted from" in refused(fewer)
    assert "Lance reaches folders and s3://" in refused("memory://v.lance")
    with pytest.raises(InputError, match="holds lists of numbers"):
        replace(OPTIONS, layout="bytes")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(table(30)))
    out = str(tmp_path / "vectors.lance")  # says the format
    assert main(["encode", str(tmp_path / "a.jsonl"), "--text", "body", "-o", out]) == 0
    assert (
        capsys.readouterr().out.splitlines()[-1].startswith(f"output    {out}: 30 rows in 1 file")
    )
    assert lance.dataset(out).count_rows() == 30


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small tmpfs")
def test_a_full_disk(tmp_path: Path, model: pumice.StaticModel) -> None:
    import subprocess

    out = tmp_path / "v.lance"
    out.mkdir()
    small = ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(out)]
    if subprocess.run(small, capture_output=True).returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        (tmp_path / "a.jsonl").write_bytes(as_jsonl(table(3000)))
        options = replace(OPTIONS, rows_per_file=500)
        with pytest.raises(OutputError, match="it goes on where it was") as caught:
            encode_files(tmp_path / "a.jsonl", out, model=model, options=options)
        assert ".rs" not in str(caught.value)
        subprocess.run(["mount", "-o", "remount,size=40m", str(out)], check=True)
        report = encode_files(tmp_path / "a.jsonl", out, model=model, options=options)
        assert 0 < report.embedded_rows < 3000
        assert lance.dataset(out).count_rows() == 3000
    finally:
        subprocess.run(["umount", str(out)], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    check(tmp_path, rows=2_000, kills=2)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_twenty_kills(tmp_path: Path) -> None:
    kill_often(check, tmp_path, kills=20)


def check(folder: Path, *, rows: int, kills: int, seed: int = 0) -> int:
    """Run whole, then killed again and again; return how many kills there were."""
    source = folder / "in"
    source.mkdir(parents=True)
    (source / "a.parquet").write_bytes(as_parquet(table(rows), row_group_size=rows // 20))
    (source / "b.jsonl").write_bytes(as_jsonl(table(rows, seed=2)))
    arguments = [str(source), "--text", "body", "--keep", "id", "--dim", "64", "--threads", "1"]
    arguments += ["--rows-per-file", str(rows // 20), "--format", "lance", "-o"]
    whole = run([*arguments, str(folder / "whole")])
    idle = run([*arguments, str(folder / "whole")]).seconds
    out = folder / "killed"
    killed = run_killing(
        [*arguments, str(out)],
        Kills(idle * 0.4, idle + (whole.seconds - idle) / 4, kills, seed),
        rows_done=lambda: rows_recorded(out),
    )
    assert tree(out / "data") == tree(folder / "whole" / "data")
    assert killed.report["embedded_rows"] == 2 * rows - killed.rows_before
    found = lance.dataset(out).to_table()
    assert found == lance.dataset(folder / "whole").to_table()
    assert found["id"].to_pylist() == [*range(rows), *range(rows)]
    return killed.kills
