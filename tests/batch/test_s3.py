"""s3:// for real: a local server of the S3 protocol, reached by s3fs as any other is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import pumice
from pumice.batch import EncodeOptions, encode_files
from pumice.errors import PumiceError
from tests.batch.tables import as_parquet, in_every_format, table, vectors_of

s3fs = pytest.importorskip("s3fs", reason="s3fs is absent")
moto = pytest.importorskip("moto.server", reason="moto[server] is absent")
OPTIONS = EncodeOptions(text="body", keep=("id",), dim=32, dtype="int8")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A bucket that holds crawl/2024/a.parquet and crawl/2024/b.jsonl.gz."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT": endpoint,  # Lance's name for it
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    found = s3fs.S3FileSystem()
    found.mkdir("bucket")
    found.pipe_file("bucket/crawl/2024/a.parquet", as_parquet(table(500)))
    found.pipe_file("bucket/crawl/2024/b.jsonl.gz", in_every_format(200)["a.jsonl.gz"])
    yield found
    found.rm("bucket", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


def test_from_a_bucket_into_a_bucket(store: Any, model: pumice.StaticModel, tmp_path: Path) -> None:
    for inputs, rows in (("s3://bucket/crawl/", 700), ("s3://bucket/crawl/**/*.parquet", 500)):
        out = f"s3://bucket/{rows}/"
        for embedded in (rows, 0):
            report = encode_files(inputs, out, model=model, options=OPTIONS)
            assert (report.rows, report.embedded_rows) == (rows, embedded)
    found = pq.read_table("bucket/700/2024/a.parquet-00000.parquet", filesystem=store)
    expected = model.encode(table(500)["body"].to_pylist(), dim=32, dtype="int8")
    np.testing.assert_array_equal(vectors_of(found["vector"], "int8", 32), expected)
    here = encode_files("s3://bucket/crawl/", tmp_path / "out", model=model, options=OPTIONS)
    file = "2024/b.jsonl.gz-00000.parquet"
    assert here.rows == 700
    assert (tmp_path / "out" / file).read_bytes() == store.cat_file(f"bucket/700/{file}")


def test_what_has_changed_is_embedded_again(store: Any, model: pumice.StaticModel) -> None:
    encode_files("s3://bucket/crawl/", "s3://bucket/v/", model=model, options=OPTIONS)
    store.pipe_file("bucket/crawl/2024/a.parquet", as_parquet(table(300, seed=2)))
    report = encode_files("s3://bucket/crawl/", "s3://bucket/v/", model=model, options=OPTIONS)
    assert (report.embedded_rows, report.rows) == (300, 500)


def test_a_part_without_its_record_is_made_again(store: Any, model: pumice.StaticModel) -> None:
    encode_files("s3://bucket/crawl/", "s3://bucket/v/", model=model, options=OPTIONS)
    before = store.cat_file("bucket/v/2024/a.parquet-00000.parquet")
    store.rm_file("bucket/v/_pumice/records/2024/a.parquet-00000.parquet.json")
    report = encode_files("s3://bucket/crawl/", "s3://bucket/v/", model=model, options=OPTIONS)
    assert report.embedded_rows == 500
    assert store.cat_file("bucket/v/2024/a.parquet-00000.parquet") == before


def test_a_lance_dataset(store: Any, model: pumice.StaticModel) -> None:
    lance = pytest.importorskip("lance")
    options = replace(OPTIONS, format="lance")
    for embedded in (700, 0):
        report = encode_files(
            "s3://bucket/crawl/", "s3://bucket/v.lance", model=model, options=options
        )
        assert report.embedded_rows == embedded
    assert lance.dataset("s3://bucket/v.lance").count_rows() == 700


def test_one_sentence_each(
    store: Any, model: pumice.StaticModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(inputs: str, out: str | Path = tmp_path / "out") -> str:
        with pytest.raises(PumiceError) as caught:
            encode_files(inputs, out, model=model, options=OPTIONS)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    nothing = "cannot be read: no such file or folder"
    assert refused("s3://absent/crawl/") == f"s3://absent/crawl/: {nothing}"
    assert refused("s3://bucket/no.parquet") == f"s3://bucket/no.parquet: {nothing}"
    assert refused("s3://bucket/nothing/") == f"s3://bucket/nothing/: {nothing}"
    assert "no file of a known format" in refused("s3://bucket/crawl/*.csv")
    said = refused("s3://bucket/crawl/", "s3://absent/v/")
    assert said.startswith("s3://absent/v/: cannot be ")
    assert store.ls("") == ["bucket"]  # no bucket of a misspelt name
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3fs.S3FileSystem.clear_instance_cache()
    assert refused("s3://bucket/crawl/") == (
        "s3://bucket/crawl/: cannot be read: Unable to locate credentials"
    )
