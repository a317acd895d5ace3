"""Near-duplicates among the texts of files, found by semhash over our vectors. The only user of semhash."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pumice.batch.arrow import arrow
from pumice.batch.cutting import Chunk, Counts, Cutter
from pumice.batch.encoding import encode_chunk, opened_model
from pumice.batch.inputs import as_locations, find_inputs
from pumice.batch.job import Job
from pumice.batch.options import EncodeOptions
from pumice.batch.readers import read_blocks
from pumice.batch.spare import SpareArrays
from pumice.batch.stores import writing
from pumice.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from pumice.model import StaticModel

THRESHOLD = 0.9


@dataclass(frozen=True)
class DedupReport:
    """Rows read and kept, the others by kind, and bad rows by reason, which are left out of all of them."""

    output: str
    rows: int
    unique: int
    exact: int
    near: int
    bad: dict[str, int]
    seconds: float


def dedup_files(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    model: StaticModel | str | os.PathLike[str] | None = None,
    options: EncodeOptions | None = None,
    threshold: float = THRESHOLD,
) -> DedupReport:
    """Write one row of each group of duplicates, and all others, to one Parquet file.

    Two texts are duplicates if they are equal, or if the cosine of their vectors is at least ``threshold``.
    The file has the columns of ``options.keep`` and the texts. Beside it lies NAME.duplicates.parquet: for
    each row left out the row kept in its place (rows count from 0 over all inputs), and their cosine; 1 for
    equal texts. Everything is held in memory: 4 bytes a dimension and about 2 KB more a row. Raises
    InputError and OutputError.
    """
    started = time.perf_counter()
    if isinstance(threshold, bool) or not 0 < threshold <= 1:
        raise InputError(f"threshold={threshold!r} is not above 0 and at most 1")
    options = options or EncodeOptions()
    sources = find_inputs(as_locations(inputs), as_format=options.input_format)
    target = Path(os.path.expanduser(output))
    if target.is_dir():
        raise InputError(f"{target}: is a folder: name a file in it, such as kept.parquet")
    if not target.parent.is_dir():
        raise InputError(f"{target.parent}: no such folder to write to: make it first")
    written = {target.resolve(), _pairs_file(target).resolve()}
    if any(source.is_local and Path(source.location).resolve() in written for source in sources):
        raise InputError(
            f"{target}: would be written over a file that is read: name another file of output"
        )
    library = _semhash()
    job = Job.of(opened_model(model), options, sources)
    chunks: list[Chunk] = []
    vectors: list[NDArray[Any]] = []
    spare = SpareArrays(job)
    for source in sources:
        job.check(source)
        cutter = Cutter(options, job.limits, place=source.location)
        for chunk in cutter.chunks(read_blocks(source, job.columns)):
            chunks.append(chunk)
            encoded = encode_chunk(job, chunk, spare)
            vectors.append(encoded.copy())  # of its rows alone, however much room the array has
            spare.give(encoded)
    counts = sum((chunk.counts for chunk in chunks), Counts())
    table = _table(job, chunks)
    found = _duplicates(library, job, table[job.columns.text], np.concatenate(vectors), threshold)
    left_out = np.zeros(len(table), bool)
    left_out[[row for row, _, _ in found]] = True
    _write(table.filter(arrow().array(~left_out)), target)
    _write(_pairs(found), _pairs_file(target))
    exact = sum(score == 1.0 for _, _, score in found)
    return DedupReport(
        str(target),
        len(table),
        len(table) - len(found),
        exact,
        len(found) - exact,
        counts.bad,
        time.perf_counter() - started,
    )


def _table(job: Job, chunks: list[Chunk]) -> Any:
    pa, columns = arrow(), job.columns
    parts = [rows for chunk in chunks for rows in chunk.rows if len(rows)]
    named = {
        name: pa.chunked_array([rows.kept[at] for rows in parts], type=kind)
        for at, (name, kind) in enumerate(zip(columns.keep, columns.types, strict=True))
    }
    texts = [rows.text.cast(pa.large_string()) for rows in parts]
    named[columns.text] = pa.chunked_array(texts, type=pa.large_string())
    return pa.table(named)


def _duplicates(
    library: Any, job: Job, texts: Any, vectors: NDArray[Any], threshold: float
) -> list[tuple[int, int, float]]:
    """Row left out, the row that stands for it, cosine; in the order of the rows."""
    if not len(texts):
        return []
    records = [{"text": text, "row": str(row)} for row, text in enumerate(texts.to_pylist())]
    index = library.SemHash.from_embeddings(
        vectors.astype(np.float32), records, model=job.model, columns=["text"]
    )
    result = index.self_deduplicate(threshold=threshold)
    found = []
    for duplicate in result.filtered:
        record, original = duplicate.record, duplicate.duplicate_of
        same = record["text"] == original["text"]
        # A cosine of 1 is kept for equal texts.
        score = 1.0 if same else min(float(duplicate.score), float(np.nextafter(1.0, 0.0)))
        found.append((int(record["row"]), int(original["row"]), score))
    return sorted(found)


def _pairs_file(target: Path) -> Path:
    return target.with_suffix(".duplicates.parquet")


def _pairs(found: list[tuple[int, int, float]]) -> Any:
    pa = arrow()
    rows, kept, scores = zip(*found, strict=True) if found else ((), (), ())
    return pa.table(
        {
            "row": pa.array(rows, pa.int64()),
            "duplicate_of": pa.array(kept, pa.int64()),
            "cosine": pa.array(scores, pa.float64()),
        }
    )


def _write(table: Any, target: Path) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with writing(target.parent):
            arrow("pyarrow.parquet").write_table(table, str(partial), compression="zstd")
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _semhash() -> Any:
    try:
        import semhash
    except ImportError as error:
        raise MissingExtraError("semhash", "dedup") from error
    return semhash
