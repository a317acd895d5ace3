"""The same rows written in every format that is read, and outputs read back."""

from __future__ import annotations

import bz2
import csv
import gzip
import hashlib
import io
import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq

_ENGLISH = "stone light water passport bread glacier renew open file"
WORDS = [*_ENGLISH.split(), "Müller", "서울", "ภาษา", "🌋", "e\u0301", "naïve"]


def texts(count: int, *, seed: int = 1) -> list[str]:
    """Texts of 0 to 60 words, no line breaks."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 60, count)
    return [" ".join(np.array(WORDS)[rng.integers(0, len(WORDS), n)]) for n in lengths]


def table(count: int, *, seed: int = 1) -> pa.Table:
    """Columns "id" and "body"."""
    return pa.table({"id": pa.array(range(count), pa.int64()), "body": texts(count, seed=seed)})


def as_jsonl(rows: pa.Table) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows.to_pylist()).encode()


def as_delimited(rows: pa.Table, delimiter: str) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(rows.column_names)
    writer.writerows(zip(*rows.to_pydict().values(), strict=True))
    return file.getvalue().encode()


def as_text(rows: pa.Table) -> bytes:
    return "".join(f"{text}\n" for text in rows["body"].to_pylist()).encode()


def as_parquet(rows: pa.Table, *, row_group_size: int = 200) -> bytes:
    file = io.BytesIO()
    pq.write_table(rows, file, row_group_size=row_group_size)
    return file.getvalue()


def as_arrow(rows: pa.Table, *, stream: bool) -> bytes:
    file = io.BytesIO()
    opener = pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file
    with opener(file, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=200)
    return file.getvalue()


@cache
def in_every_format(count: int) -> dict[str, bytes]:
    """File names, and ``table(count)`` as their content."""
    rows = table(count)
    plain = {
        "a.parquet": as_parquet(rows),
        "a.arrow": as_arrow(rows, stream=False),
        "a.arrows": as_arrow(rows, stream=True),
        "a.jsonl": as_jsonl(rows),
        "a.csv": as_delimited(rows, ","),
        "a.tsv": as_delimited(rows, "\t"),
        "a.txt": as_text(rows),
    }
    zstd = pa.Codec("zstd")
    packed = {}
    for name, data in plain.items():
        packed[f"{name}.gz"] = gzip.compress(data[: len(data) // 2], 1) + gzip.compress(
            data[len(data) // 2 :], 1
        )  # two members: as appended to
        packed[f"{name}.xz"] = lzma.compress(data, preset=0)
        packed[f"{name}.bz2"] = bz2.compress(data)
        packed[f"{name}.zst"] = zstd.compress(data, asbytes=True)
    return {**plain, **packed}


def written(folder: Path, name: str = "", *, column: str = "vector") -> pa.Table:
    """Every output of an input (of all of them by default), in order."""
    files = sorted(f for f in folder.rglob(f"{name}*.parquet") if "_pumice" not in f.parts)
    return pa.concat_tables([pq.read_table(file, partitioning=None) for file in files])


def vectors_of(column: Any, dtype: str, dim: int) -> np.ndarray[Any, Any]:
    """A column of vectors without nulls as an array."""
    if pa.types.is_fixed_size_binary(column.type):
        return np.frombuffer(b"".join(column.to_pylist()), dtype).reshape(len(column), -1)
    return np.array(column.to_pylist(), dtype).reshape(len(column), dim)


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder and the hash of its content."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
