"""A Ray cluster of several nodes, raylets of this machine each, whose nodes are killed in flight."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pumice
from pumice.batch import EncodeOptions, EncodeReport, encode_files
from tests.batch.tables import as_jsonl, as_parquet, table, tree
from tests.batch.test_ray import ray_workers

ray = pytest.importorskip("ray", reason='ray is absent (pip install "pumice[ray]")')
pytestmark = pytest.mark.slow
NODE = {"num_cpus": 1, "object_store_memory": 100 << 20}


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    ray.init(address=found.address, log_to_driver=False)
    yield found
    ray.shutdown()
    found.shutdown()


def raylet(node: Any) -> int:
    return int(node.all_processes["raylet"][0].process.pid)


def works(node: Any) -> bool:
    """Whether a task of ours runs there now: workers are a raylet's children."""
    for worker in ray_workers():
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{worker}/status").read_text()
            if f"PPid:\t{raylet(node)}\n" in status:
                return True
    return False


def until(holds: Callable[[], bool], over: threading.Event) -> bool:
    while not holds():
        if over.wait(0.02):
            return False
    return True


def test_nodes_killed_in_flight(cluster: Any, tmp_path: Path, model: pumice.StaticModel) -> None:
    from pumice.batch.ray import encode_files as encode_on_ray

    source, rows = tmp_path / "in", 40_000
    source.mkdir()
    for seed in range(3):
        data = as_parquet(table(rows, seed=seed), row_group_size=rows // 20)
        (source / f"{seed}.parquet").write_bytes(data)
    (source / "d.jsonl").write_bytes(as_jsonl(table(rows // 4, seed=4)))
    options = EncodeOptions(text="body", keep=("id",), rows_per_file=rows // 20, threads=1)
    whole = encode_files(source, tmp_path / "whole", model=model, options=options)
    out = tmp_path / "out"
    nodes = [cluster.add_node(**NODE) for _ in range(2)]
    cluster.wait_for_nodes()
    told: list[object] = []
    over = threading.Event()

    def encode() -> None:
        try:
            told.append(encode_on_ray(source, out, model=model, options=options))
        except BaseException as error:
            told.append(error)
        over.set()

    running = threading.Thread(target=encode)  # nodes can be added by the main thread alone
    running.start()
    killed = []
    for node in nodes:
        if until(functools.partial(works, node), over):
            killed.append(len(list(out.rglob("*.parquet"))))
            os.kill(raylet(node), signal.SIGKILL)
            if node is nodes[0]:
                cluster.add_node(**NODE)
    running.join()
    (report,) = told
    assert isinstance(report, EncodeReport), report
    assert killed
    assert killed[0] < whole.output_files  # there was something left to do
    assert tree(out) == tree(tmp_path / "whole")
    assert (report.rows, report.output_files) == (whole.rows, whole.output_files)
