"""Files in, files out: every format, every dtype, the vectors of encode."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pumice
from pumice.batch import EncodeOptions, cutting, encode_files
from tests.batch.tables import (
    as_jsonl,
    as_parquet,
    in_every_format,
    table,
    tree,
    vectors_of,
    written,
)


def test_every_format_gives_the_same_vectors(tmp_path: Path, model: pumice.StaticModel) -> None:
    rows = table(500)
    folder = tmp_path / "in"
    folder.mkdir()
    files = in_every_format(500)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    report = encode_files(
        folder, tmp_path / "out", model=model, options=EncodeOptions(text="body", rows_per_file=200)
    )
    expected = model.encode(rows["body"].to_pylist())
    assert (report.files, report.rows, report.bad) == (len(files), 500 * len(files), {})
    assert report.text_bytes == len(files) * sum(len(t.encode()) for t in rows["body"].to_pylist())
    for name in files:
        found = [written(tmp_path / "out", f"{name}-0000{part}") for part in range(3)]
        assert [len(part) for part in found] == [200, 200, 100]
        vectors = vectors_of(pa.concat_tables(found)["vector"], "float32", 64)
        np.testing.assert_array_equal(vectors, expected, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "binary"])
@pytest.mark.parametrize("layout", ["list", "bytes"])
@pytest.mark.parametrize("on_error", ["fail", "null"])
def test_every_dtype_and_layout(
    tmp_path: Path, model: pumice.StaticModel, dtype: str, layout: str, on_error: str
) -> None:
    rows = table(70)
    if on_error == "null":
        rows = rows.set_column(1, "body", pa.array([None, *rows["body"].to_pylist()[1:]]))
    (tmp_path / "a.parquet").write_bytes(as_parquet(rows))
    chosen = None if dtype == "binary" else layout
    options = EncodeOptions(
        text="body", dim=32, dtype=dtype, layout=chosen, keep=("id",), on_error=on_error
    )
    encode_files(tmp_path / "a.parquet", tmp_path / "out", model=model, options=options)
    found = written(tmp_path / "out")
    assert found["id"].to_pylist() == list(range(70))
    assert found["vector"].null_count == (on_error == "null")
    good = found["vector"].drop_null()
    expected = model.encode(rows["body"].drop_null(), dim=32, dtype=dtype)
    np.testing.assert_array_equal(vectors_of(good, expected.dtype.name, 32), expected)
    about = json.loads(found.schema.field("vector").metadata[b"pumice"])
    assert about == {
        "model": "random-64",
        "fingerprint": model.fingerprint,
        "dim": 32,
        "dtype": dtype,
    }


@pytest.mark.parametrize("dtype", ["float32", "int8", "binary"])
def test_npy(tmp_path: Path, model: pumice.StaticModel, dtype: str) -> None:
    rows = table(500)
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(rows))
    options = EncodeOptions(text="body", dtype=dtype, format="npy", rows_per_file=300)
    encode_files(tmp_path / "a.jsonl", tmp_path / "out", model=model, options=options)
    parts = [np.load(file, mmap_mode="r") for file in sorted((tmp_path / "out").glob("*.npy"))]
    assert [len(part) for part in parts] == [300, 200]
    expected = model.encode(rows["body"].to_pylist(), dtype=dtype)
    np.testing.assert_array_equal(np.concatenate(parts), expected)


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int32(), pa.string()),
    ],
)
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_every_kind_of_string(
    tmp_path: Path, model: pumice.StaticModel, kind: pa.DataType, suffix: str
) -> None:
    from tests.batch.tables import as_arrow

    rows = table(100)
    typed = rows.set_column(
        1,
        "body",
        rows["body"].cast(kind) if "dict" not in str(kind) else rows["body"].dictionary_encode(),
    )
    data = as_parquet(typed) if suffix == "parquet" else as_arrow(typed, stream=False)
    (tmp_path / f"a.{suffix}").write_bytes(data)
    options = EncodeOptions(text="body", keep=("body",), layout="list")
    encode_files(tmp_path / f"a.{suffix}", tmp_path / "out", model=model, options=options)
    found = vectors_of(written(tmp_path / "out")["vector"], "float32", 64)
    np.testing.assert_array_equal(found, model.encode(rows["body"].to_pylist()))


def test_folders_are_mirrored_and_new_and_changed_inputs_alone_are_embedded(
    tmp_path: Path, model: pumice.StaticModel
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in (
        "year=2023/a.parquet",
        "year=2024/a.parquet",
        "year=2024/_left_out.parquet",
        "x.md",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(as_parquet(table(50)))
    options = EncodeOptions(text="body", keep=("id",))

    def run() -> Any:
        return encode_files(folder, out, model=model, options=options)

    assert (run().embedded_rows, run().embedded_rows) == (100, 0)
    assert (out / "year=2024" / "a.parquet-00000.parquet").is_file()
    before = tree(out)
    (folder / "year=2025.parquet").write_bytes(as_parquet(table(20)))
    assert (run().embedded_rows, run().rows) == (20, 120)
    (folder / "year=2024" / "a.parquet").write_bytes(as_parquet(table(70, seed=3)))
    assert (run().embedded_rows, run().rows) == (70, 140)
    after = tree(out)
    assert [n for n in before if before[n] != after[n]] == [
        "_pumice/records/year=2024/a.parquet-00000.parquet.json",
        "year=2024/a.parquet-00000.parquet",
    ]
    (out / "year=2023" / "a.parquet-00000.parquet").unlink()
    assert run().embedded_rows == 50
    assert tree(out) == after


def test_an_input_that_shrank_leaves_no_part_behind(
    tmp_path: Path, model: pumice.StaticModel
) -> None:
    options = EncodeOptions(text="body", rows_per_file=10)
    for count, files in ((35, 4), (15, 2)):
        (tmp_path / "a.jsonl").write_bytes(as_jsonl(table(count)))
        encode_files(tmp_path / "a.jsonl", tmp_path / "out", model=model, options=options)
        assert len(written(tmp_path / "out")) == count
        assert len(list((tmp_path / "out").glob("a.*"))) == files


def test_inputs_and_output_by_url(model: pumice.StaticModel) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    rows = table(100)
    store.makedirs("/bucket/crawl/day=1", exist_ok=True)
    store.pipe_file("/bucket/crawl/day=1/a.jsonl", as_jsonl(rows))
    store.pipe_file("/bucket/crawl/b.parquet", as_parquet(rows))
    options = EncodeOptions(text="body", rows_per_file=60)
    for inputs in (["memory://bucket/crawl/"], ["memory://bucket/crawl/**/*.*"]):
        report = encode_files(inputs, "memory://bucket/out", model=model, options=options)
        assert (report.rows, report.files) == (200, 2)
        names = store.find("/bucket/out")
        assert "/bucket/out/day=1/a.jsonl-00001.parquet" in names
        with store.open("/bucket/out/b.parquet-00000.parquet") as file:
            found = vectors_of(pq.read_table(file)["vector"], "float32", 64)
        np.testing.assert_array_equal(found, model.encode(rows["body"].to_pylist()))
    assert report.embedded_rows == 0
    store.rm("/bucket", recursive=True)


def test_where_files_are_cut_does_not_depend_on_batches(
    tmp_path: Path, model: pumice.StaticModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "CHUNK_BYTES", 5_000)
    monkeypatch.setattr(cutting, "PART_BYTES", 40_000)
    from pumice.batch.readers import lines

    rows = table(900)
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(rows))
    trees = []
    for block in (1_000, 7_919, 1 << 23):
        monkeypatch.setattr(lines.line_blocks, "__kwdefaults__", {"block": block})
        out = tmp_path / f"out{block}"
        encode_files(
            tmp_path / "a.jsonl",
            out,
            model=model,
            options=EncodeOptions(text="body", keep=("body",)),
        )
        trees.append(tree(out))
    assert trees[0] == trees[1] == trees[2]
    assert len(trees[0]) > 10
    groups = pq.ParquetFile(out / "a.jsonl-00000.parquet").metadata.num_row_groups
    assert groups > 5


def test_memory_is_bounded_by_bytes_not_rows(tmp_path: Path, model: pumice.StaticModel) -> None:
    """A row of a megabyte beside rows of a word: chunks hold 8 MB, not 65,536 rows."""
    body = ["word"] * 100 + ["word " * 200_000] * 40 + ["word"] * 100
    (tmp_path / "a.parquet").write_bytes(as_parquet(pa.table({"body": body}), row_group_size=1000))
    encode_files(
        tmp_path / "a.parquet", tmp_path / "out", model=model, options=EncodeOptions(text="body")
    )
    file = pq.ParquetFile(tmp_path / "out" / "a.parquet-00000.parquet")
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
    assert len(sizes) >= 5
    assert max(sizes[1:-1]) <= 9
    assert sum(sizes) == 240
