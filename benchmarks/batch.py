"""Batch embedding beside its peers: share of the in-memory rate, memory, Ray, model2vec under Ray, Qdrant Edge.

Text: 500-byte slices of ``encode.py``'s prose at random places. Every part runs its peers in turn, so that
the machine's other work hits both. Run ``python benchmarks/batch.py --megabytes 1000``; ``--only NAME`` runs
one part.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from encode import prose
from report import print_machine

import pumice
from pumice.batch import EncodeOptions, encode_files
from pumice.batch.cutting import Cutter
from pumice.batch.encoding import encode_chunk
from pumice.batch.inputs import find_inputs
from pumice.batch.job import Job
from pumice.batch.parts import new_part
from pumice.batch.readers import pieces_of, read_blocks
from pumice.batch.spare import SpareArrays

ROUNDS = 3
TURN = 1.0
FILE_MB = 64
IN_MEMORY_FILES = 4
LARGE = 3_000_000_000
OPTIONS = EncodeOptions(text="text", keep=("id",), dim=256, dtype="int8")
COMMAND = [sys.executable, "-m", "pumice.cli", "encode"]
SETTINGS = ["--text", "text", "--keep", "id", "--dim", "256", "--dtype", "int8", "--json"]


def generate(folder: Path, megabytes: int) -> None:
    """Parquet files of some 64 MB of text each, as pyarrow writes them."""
    text, _ = prose([])
    flat = " ".join(text.split())
    rng = np.random.default_rng(7)
    number = 0
    for at in range(max(1, megabytes // FILE_MB)):
        starts = rng.integers(0, len(flat) - 600, FILE_MB * 2000)
        rows = [flat[flat.find(" ", s) + 1 : flat.rfind(" ", s, s + 512)] for s in starts.tolist()]
        ids = pa.array(range(number, number + len(rows)), pa.int64())
        pq.write_table(pa.table({"id": ids, "text": rows}), folder / f"{at:04}.parquet")
        number += len(rows)


def text_bytes(folder: Path) -> int:
    """Bytes of all texts."""
    files = sorted(folder.glob("*.parquet"))
    return sum(text_bytes_of(pq.read_table(file, columns=["text"])["text"]) for file in files)


def text_bytes_of(column: Any) -> int:
    """Bytes of a column's texts."""
    return sum(len(chunk.buffers()[2]) for chunk in column.chunks)


def run(
    arguments: list[str],
    out: Path,
    *,
    cores: int | None = None,
    between: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """pumice encode in a process of its own: its report, wall and processor time, peak memory.

    ``between`` is called every second, the process stopped meanwhile: its seconds do not count. Those do in
    which the disk takes what the process has written by then, which would else go on beside ``between``.
    """
    shutil.rmtree(out, ignore_errors=True)
    command = [*COMMAND, *arguments, *SETTINGS, "-o", str(out)]
    if cores is not None:
        command = ["taskset", "-c", ",".join(map(str, range(cores))), *command]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, stdout=told)
        peak = stopped = 0.0
        turn = time.perf_counter()
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.05)
            if between is not None and time.perf_counter() - turn > TURN:
                process.send_signal(signal.SIGSTOP)
                os.sync()
                now = time.perf_counter()
                between()
                process.send_signal(signal.SIGCONT)
                turn = time.perf_counter()
                stopped += turn - now
        told.seek(0)
        report = json.load(told)
    _, status, usage = ended
    assert status == 0, report
    return {
        **report,
        "seconds": report["seconds"] - stopped,
        "wall": time.perf_counter() - started - stopped,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": peak,
    }


def peak_memory(pid: int) -> float:
    """MB. Not the maximum that wait4 tells: that begins with this process, which was forked."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return max((int(ln.split()[1]) / 1024 for ln in lines if ln.startswith("VmHWM")), default=0.0)


def rounds_of(size: int) -> int:
    """Once is enough for a job of half a minute."""
    return 1 if size > LARGE else ROUNDS


def in_memory(
    model: pumice.StaticModel, column: Any, threads: int, out: Any = None
) -> dict[str, float]:
    """Encoding an Arrow column that lies in memory, into a new array or ``out``: MB/s, core-seconds a GB."""
    size = text_bytes_of(column)
    wall, cpu = time.perf_counter(), time.process_time()
    model.encode(column, dim=256, dtype="int8", threads=threads, out=out)
    return {
        "rate": size / 1e6 / (time.perf_counter() - wall),
        "cpu": (time.process_time() - cpu) / size * 1e9,
    }


class InMemory:
    """Encodes in memory turn after turn: into a new array, then into one that is used again."""

    def __init__(self, model: pumice.StaticModel, column: Any, cores: int) -> None:
        self._model, self._column, self._cores = model, column, cores
        self._out = model.encode(column, dim=256, dtype="int8", threads=cores)
        self.told: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])

    def turn(self) -> None:
        """The one that was not the last."""
        new, again = self.told
        out = None if len(new) == len(again) else self._out
        told = in_memory(self._model, self._column, self._cores, out)
        (new if out is None else again).append(told)


def packed(data: Path, packing: str) -> Path:
    """The same files with their text packed otherwise; as pyarrow writes them, Snappy packs it."""
    if packing == "snappy":
        return data
    folder = data.with_name(f"{data.name}-{packing}")
    if not folder.is_dir():
        folder.mkdir()
        for file in sorted(data.glob("*.parquet")):
            pq.write_table(pq.read_table(file), folder / file.name, compression=packing)
    return folder


def share(model: pumice.StaticModel, data: Path, scratch: Path, packing: str = "snappy") -> None:
    """Parquet to Parquet against ``model.encode`` of the same texts in memory, on one core and on two.

    A machine that others share has another speed every second, so they take turns of a second.
    """
    data = packed(data, packing)
    size = text_bytes(data)
    files = sorted(data.glob("*.parquet"))[:IN_MEMORY_FILES]
    column = pa.concat_tables([pq.read_table(f, columns=["text"]) for f in files])["text"]
    everything = os.sched_getaffinity(0)
    for cores in (1, 2):
        if len(everything) < cores:
            continue
        os.sched_setaffinity(0, set(sorted(everything)[:cores]))
        memory = InMemory(model, column, cores)
        job = [
            run([str(data)], scratch / "out", cores=cores, between=memory.turn)
            for _ in range(rounds_of(size))
        ]
        os.sched_setaffinity(0, everything)
        rates = [size / 1e6 / one["seconds"] for one in job]
        rate = statistics.median(rates)
        cpu = statistics.median(one["cpu"] for one in job) / size * 1e9
        print(
            f"\nParquet ({packing}) to Parquet, {cores} core(s), {size / 1e9:.2f} GB of text, 256-d int8"
        )
        print(
            f"  pumice encode      {rate:8.1f} MB/s   {cpu:6.2f} core-seconds a GB   "
            f"({min(rates):.1f} to {max(rates):.1f}); peak memory {max(j['memory'] for j in job):.0f} MB"
        )
        for name, told in zip(("into new arrays", "into one array"), memory.told, strict=True):
            if not told:
                continue
            # Of all seconds together, as the job's are.
            alone = len(told) / sum(1 / one["rate"] for one in told)
            spread = sorted(one["rate"] for one in told)
            print(
                f"  {name:18} {alone:8.1f} MB/s   {statistics.mean(one['cpu'] for one in told):6.2f} "
                f"core-seconds a GB   ({spread[0]:.1f} to {spread[-1]:.1f}, {len(told)} times); "
                f"the job has {rate / alone:.0%} of it"
            )


def stages(model: pumice.StaticModel, data: Path, scratch: Path) -> None:
    """Processor seconds a GB of text of each stage, one after the other on one thread: the cost model."""
    sources = find_inputs([str(data)])[:4]
    options = EncodeOptions(text="text", keep=("id",), dim=256, dtype="int8", threads=1)
    job = Job.of(model, options, sources)
    spare = SpareArrays(job)
    spent = {"read and decode": 0.0, "encode": 0.0, "write": 0.0}
    size = 0
    for source in sources:
        cutter = Cutter(options, job.limits, place=source.location)
        for piece in pieces_of(source, piece_bytes=1 << 40, piece_rows=None) or []:
            part = new_part(scratch / "part.parquet", options, job.schema, width=job.width)
            chunks = cutter.chunks(read_blocks(source, job.columns, piece), one_part=True)
            while True:
                clock = [time.process_time()]
                chunk = next(chunks, None)
                clock.append(time.process_time())
                if chunk is None:
                    break
                vectors = encode_chunk(job, chunk, spare)
                clock.append(time.process_time())
                kept = pa.chunked_array([rows.kept[0] for rows in chunk.rows]).combine_chunks()
                part.write([kept], vectors, None)
                spare.give(vectors)
                clock.append(time.process_time())
                for name, seconds in zip(spent, np.diff(clock).tolist(), strict=True):
                    spent[name] += seconds
                size += chunk.counts.text_bytes
            part.close()
    print(f"\nCore-seconds a GB of text, by stage ({size / 1e6:.0f} MB)")
    for name, seconds in spent.items():
        print(f"  {name:18} {seconds / size * 1e9:6.2f}")
    print(f"  {'together':18} {sum(spent.values()) / size * 1e9:6.2f}")


def workers(model: pumice.StaticModel, data: Path, scratch: Path) -> None:
    """1, 2, 4 and 8 processes of one thread, each with its share of the files.

    Processor time a GB says whether they are in each other's way; wall time also how busy the machine was.
    """
    files = sorted(map(str, data.glob("*.parquet")))
    size = text_bytes(data) / 1e9
    print(f"\nProcesses of one thread side by side, {len(files)} files, {size:.2f} GB of text")
    for count in (1, 2, 4, 8):
        shares = [files[at::count] for at in range(min(count, len(files)))]
        started = time.perf_counter()
        running = []
        for at, share_ in enumerate(shares):
            out = scratch / f"out{at}"
            shutil.rmtree(out, ignore_errors=True)
            command = [*COMMAND, *share_, *SETTINGS, "--threads", "1", "-o", str(out)]
            running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        cpu = 0.0
        for process in running:
            _, status, usage = os.wait4(process.pid, 0)
            assert status == 0
            cpu += usage.ru_utime + usage.ru_stime
        seconds = time.perf_counter() - started
        print(
            f"  {len(shares)} process(es)  {size * 1e3 / seconds:8.1f} MB/s   "
            f"{cpu / size:6.2f} core-seconds a GB"
        )


def files(model: pumice.StaticModel, data: Path, scratch: Path, count: int = 1000) -> None:
    """What a file costs beside its rows: many files of ten rows."""
    rows = pq.read_table(sorted(data.glob("*.parquet"))[0]).slice(0, 10)
    small = scratch / "small"
    small.mkdir()
    for at in range(count):
        pq.write_table(rows, small / f"{at}.parquet")
    told = run([str(small)], scratch / "out")
    print(f"\n{count} files of ten rows: {told['cpu'] / count * 1e3:.1f} core-ms and ", end="")
    print(f"{told['wall'] / count * 1e3:.1f} ms a file, synchronising to the disk included")


def on_ray(model: pumice.StaticModel, data: Path, scratch: Path) -> None:
    """The plain command and --engine ray in turn; then the same job with model2vec on Ray Data."""
    import ray
    import ray.data

    from pumice.batch.ray import encode_files as encode_on_ray

    size = text_bytes(data)
    started = time.perf_counter()
    ray.init(include_dashboard=False, log_to_driver=False)
    beginning = time.perf_counter() - started
    plain, rays = [], []
    encode_on_ray(
        sorted(data.glob("*.parquet"))[:2], scratch / "warm", model=model, options=OPTIONS
    )
    for _ in range(rounds_of(size)):
        for times, encode in ((plain, encode_files), (rays, encode_on_ray)):
            shutil.rmtree(scratch / "out", ignore_errors=True)
            began = time.perf_counter()
            encode(data, scratch / "out", model=model, options=OPTIONS)
            times.append(time.perf_counter() - began)
    a, b = statistics.median(plain), statistics.median(rays)
    print(
        f"\nRay on this machine, {size / 1e9:.2f} GB of text (a cluster starts in {beginning:.1f} s)"
    )
    print(
        f"  plain             {size / 1e6 / a:8.1f} MB/s   ({', '.join(f'{t:.1f}' for t in plain)} s)"
    )
    print(
        f"  --engine ray      {size / 1e6 / b:8.1f} MB/s   ({', '.join(f'{t:.1f}' for t in rays)} s)"
    )
    print(
        f"  overhead          {b / a - 1:8.0%}, with the cluster's start {(b + beginning) / a - 1:.0%}"
    )
    model2vec_on_ray(model, data, scratch, size / 1e6 / b)
    ray.shutdown()


class Model2vec:
    """A stage of Ray Data, as its documentation shows one."""

    def __init__(self, folder: str) -> None:
        from model2vec import StaticModel

        self.model = StaticModel.from_pretrained(folder)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        vectors = self.model.encode(batch["text"].tolist())
        scales = np.abs(vectors).max(axis=1, keepdims=True)
        codes = np.rint(vectors * (127 / np.where(scales, scales, 1))).astype(np.int8)
        return {"id": batch["id"], "vector": codes}


def model2vec_on_ray(
    model: pumice.StaticModel, data: Path, scratch: Path, ours: float, megabytes: int = 24
) -> None:
    """The same job on a sample: read Parquet, embed, write Parquet; two actors, warm."""
    import ray

    cut(model, 256).save_pretrained(scratch / "model2vec", format="model2vec")
    rows = pq.read_table(sorted(data.glob("*.parquet"))[0])
    sample = scratch / "sample"
    sample.mkdir()
    count = min(rows.num_rows, megabytes * 2000)
    for at in range(4):
        pq.write_table(rows.slice(at * count // 4, count // 4), sample / f"{at}.parquet")
    size = text_bytes(sample) / 1e6
    times = []
    for turn in range(3):
        shutil.rmtree(scratch / "m2v", ignore_errors=True)
        began = time.perf_counter()
        ray.data.read_parquet(str(sample), override_num_blocks=8).map_batches(
            Model2vec,
            fn_constructor_args=[str(scratch / "model2vec")],
            batch_size=4096,
            num_cpus=0.5,  # room for the tasks that read and write
            concurrency=os.cpu_count() or 2,
        ).write_parquet(str(scratch / "m2v"))
        if turn:
            times.append(time.perf_counter() - began)
    rate = size / statistics.median(times)
    print(
        f"  model2vec {version('model2vec')} on Ray Data {rate:6.2f} MB/s ({size:.0f} MB); "
        f"pumice on Ray is {ours / rate:.0f} times it"
    )


def cut(model: pumice.StaticModel, dim: int) -> pumice.StaticModel:
    """The model with its rows cut."""
    from dataclasses import replace

    from pumice.modelfile.rows import widen_rows

    parts = model.parts()
    rows = np.ascontiguousarray(widen_rows(parts.embeddings, parts.row_scales)[:, :dim])
    metadata = replace(parts.metadata, prefixes=None)
    return pumice.StaticModel.from_parts(
        replace(parts, embeddings=rows, row_scales=None, metadata=metadata)
    )


def edge(model: pumice.StaticModel, data: Path, scratch: Path, count: int = 120_000) -> None:
    """Points into Qdrant Edge: the engine's own upserts of the same points, and ``--to-qdrant``."""
    import qdrant_edge

    from pumice.batch import store_files
    from pumice.search import Index, Storage
    from pumice.search.edge.config import edge_config
    from pumice.search.points import slices

    rows = pq.read_table(sorted(data.glob("*.parquet"))[0]).slice(0, count)
    pq.write_table(rows, scratch / "edge.parquet")
    texts, ids = rows["text"].to_pylist(), rows["id"].to_pylist()
    vectors = model.encode(texts, dim=256)
    storage = Storage(sparse=False)
    rates: dict[str, list[tuple[float, float]]] = {}
    for turn in range(ROUNDS):
        for name, cut_rows in (("lists", lambda rows: rows.tolist()), ("views", slices)):
            folder = scratch / f"shard-{name}{turn}"
            folder.mkdir()
            shard = qdrant_edge.EdgeShard.create(str(folder), edge_config(storage, dim=256))
            clock = [time.perf_counter(), time.process_time()]
            for at in range(0, count, 1024):
                end = at + 1024
                points = [
                    qdrant_edge.Point(number, {"dense": vector}, {"text": text})
                    for number, vector, text in zip(
                        ids[at:end], cut_rows(vectors[at:end]), texts[at:end], strict=True
                    )
                ]
                shard.update(qdrant_edge.UpdateOperation.upsert_points(points))
            shard.flush()
            took = (time.perf_counter() - clock[0], time.process_time() - clock[1])
            rates.setdefault(f"the engine, vectors as {name}", []).append(took)
            shard.close()
        with Index(scratch / f"index{turn}", model, dim=256, storage=storage) as index:
            clock = [time.perf_counter(), time.process_time()]
            options = EncodeOptions(text="text", id="id")
            assert store_files(scratch / "edge.parquet", index, options=options).rows == count
            took = (time.perf_counter() - clock[0], time.process_time() - clock[1])
            rates.setdefault("pumice encode, all of it", []).append(took)
    print(f"\nInto Qdrant Edge, {count:,} points of 256 dimensions with their text")
    ours = statistics.median(wall for wall, _ in rates["pumice encode, all of it"])
    for name, times in rates.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        print(
            f"  {name:28} {count / wall:9,.0f} points/s   {cpu / count * 1e6:6.1f} core-µs a point   "
            f"pumice has {wall / ours:.0%} of it"
        )


PARTS: dict[str, Callable[[pumice.StaticModel, Path, Path], None]] = {
    "share": share,
    "share-zstd": partial(share, packing="zstd"),
    "share-none": partial(share, packing="none"),
    "stages": stages,
    "workers": workers,
    "files": files,
    "ray": on_ray,
    "edge": edge,
}


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--only", action="append", choices=list(PARTS))
    parser.add_argument("--data", type=Path, help="a folder to keep the generated files in")
    args = parser.parse_args()
    model = pumice.load()
    absent = []
    for name in ("ray", "model2vec", "qdrant-edge-py"):
        try:
            version(name)
        except PackageNotFoundError:
            absent.append(f"{name} is not installed and not measured")
    print_machine(model, absent)
    print(
        ", ".join(
            f"{n} {version(n)}"
            for n in ("pyarrow", "ray", "model2vec")
            if f"{n} is" not in "".join(absent)
        )
    )
    print(f"text: slices of {prose([])[1]}; load when it began: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        data = args.data or scratch / "in"
        if not data.is_dir():
            data.mkdir()
            generate(data, args.megabytes)
        for part in args.only or PARTS:
            PARTS[part](model, data, scratch)


if __name__ == "__main__":
    main()
