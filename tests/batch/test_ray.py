"""On a real Ray cluster of this machine, its workers killed in flight: the same bytes as without Ray."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import pumice
from pumice.batch import EncodeOptions, EncodeProgress, encode_files
from pumice.errors import InputError
from tests.batch.tables import as_jsonl, as_parquet, in_every_format, table, tree, vectors_of
from tests.search.test_server import Backend, backend  # noqa: F401  # a fixture

ray = pytest.importorskip("ray", reason='ray is absent (pip install "pumice[ray]")')
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def inputs(folder: Path, rows: int) -> Path:
    folder.mkdir()
    for name, data in in_every_format(200).items():
        if name.count(".") == 1:
            (folder / name).write_bytes(data)
    (folder / "large.parquet").write_bytes(as_parquet(table(rows), row_group_size=rows // 20))
    (folder / "large.jsonl").write_bytes(as_jsonl(table(rows, seed=2)))
    return folder


def test_workers_killed_in_flight(cluster: None, tmp_path: Path, model: pumice.StaticModel) -> None:
    from pumice.batch.ray import encode_files as encode_on_ray

    source = inputs(tmp_path / "in", 40_000)
    options = EncodeOptions(
        text="body", keep=("body",), rows_per_file=2_000, on_error="null", threads=1
    )
    whole = encode_files(source, tmp_path / "whole", model=model, options=options)
    killed: set[int] = set()
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.1):
            working = ray_workers() - killed
            if working and len(killed) < 8:
                process = working.pop()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                    killed.add(process)

    told: list[EncodeProgress] = []
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        report = encode_on_ray(
            source, tmp_path / "out", model=model, options=options, progress=told.append
        )
    finally:
        over.set()
        killer.join()
    assert len(killed) >= 3
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert (report.rows, report.output_files) == (whole.rows, whole.output_files)
    assert report.bad == whole.bad
    assert told[-1].files_done == told[-1].files == report.files
    again = encode_on_ray(source, tmp_path / "out", model=model, options=options)
    assert (again.embedded_rows, again.rows) == (0, whole.rows)
    (tmp_path / "out" / "large.parquet-00003.parquet").unlink()
    again = encode_on_ray(source, tmp_path / "out", model=model, options=options)
    assert again.embedded_rows == 2_000
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def ray_workers() -> set[int]:
    """Processes of this cluster that run tasks of ours."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if (
                command.startswith(b"ray::")
                and b"IDLE" not in command
                and b"pumice-encode" in command
            ):
                found.add(int(folder.name))
    return found


def test_a_stage_of_a_pipeline(cluster: None, model: pumice.StaticModel, tmp_path: Path) -> None:
    from pumice.batch.ray import Encoder

    model.save(tmp_path / "m.pumice")
    rows = table(500)
    for given in (model, tmp_path / "m.pumice"):
        stage = Encoder("body", model=given, dim=32, dtype="int8")
        data = ray.data.from_arrow([rows.slice(0, 300), rows.slice(300)])
        encoded = data.map_batches(stage, batch_format="pyarrow", batch_size=100)
        found = pa.concat_tables(ray.get(encoded.to_arrow_refs())).sort_by("id")
        vectors = vectors_of(found["vector"], "int8", 32)
        expected = model.encode(rows["body"].to_pylist(), dim=32, dtype="int8")
        np.testing.assert_array_equal(vectors, expected)


def test_errors_are_ours(cluster: None, tmp_path: Path, model: pumice.StaticModel) -> None:
    from pumice.batch.ray import encode_files as encode_on_ray

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_bytes(as_jsonl(table(10)))
    (tmp_path / "in" / "b.parquet").write_bytes(as_parquet(table(10))[:500])
    options = EncodeOptions(text="body")
    with pytest.raises(InputError, match=r"b\.parquet: cannot be read as Parquet"):
        encode_on_ray(tmp_path / "in", tmp_path / "out", model=model, options=options)
    options = EncodeOptions(text="body", on_error="null")
    report = encode_on_ray(tmp_path / "in", tmp_path / "out2", model=model, options=options)
    assert list(report.failed) == [f"{tmp_path}/in/b.parquet"]
    assert report.rows == 10


def test_the_command(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "a.jsonl").write_bytes(as_jsonl(table(10)))
    command = [sys.executable, "-m", "pumice.cli", "encode", str(tmp_path / "a.jsonl"), "--text"]
    command += ["body", "--engine", "ray", "-o", str(tmp_path / "out")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("embedded  10 rows")


def test_rows_go_into_a_server_from_every_task(
    cluster: None,
    tmp_path: Path,
    model: pumice.StaticModel,
    backend: Backend,  # noqa: F811
) -> None:
    from pumice.batch.ray import store_files

    model.save(tmp_path / "m.pumice")
    (tmp_path / "a.parquet").write_bytes(as_parquet(table(900), row_group_size=100))
    (tmp_path / "b.jsonl").write_bytes(as_jsonl(table(50, seed=3)))
    url = backend.url  # type: ignore[attr-defined]
    pumice.Index(url, tmp_path / "m.pumice", dim=32).close()
    backend.failures = iter(["drop", "503", "store and drop"])
    options = EncodeOptions(text="body", rows_per_file=300)
    inputs = [tmp_path / "a.parquet", tmp_path / "b.jsonl"]
    texts = [text for rows in (table(900), table(50, seed=3)) for text in rows["body"].to_pylist()]
    known = int(model.encode(texts, dim=32).any(axis=1).sum())
    assert 900 < known < 950
    place = str(tmp_path / "state")
    for state, embedded in ((None, 950), (None, 950), (place, 950), (place, 0)):
        report = store_files(
            inputs, url, model=tmp_path / "m.pumice", options=replace(options, state=state)
        )
        assert (report.embedded_rows, report.rows) == (embedded, 950)
        with pumice.Index(url, tmp_path / "m.pumice") as index:
            assert len(index) == known
    with pytest.raises(InputError, match="belongs to one process"):
        store_files(inputs, tmp_path / "folder")
