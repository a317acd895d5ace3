"""Rows of training data as they stand: of files and of hub datasets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pumice.errors import InputError
from pumice.records import Record, read_records
from pumice.train.sources import Source


def source_records(source: Source) -> Iterator[Record]:
    """The rows of a source in their order; InputError names the file and the line or row."""
    path = Path(source.path)
    yield from read_records(path) if path.is_file() else _hub_rows(source.path)


def _hub_rows(name: str) -> Iterator[Record]:
    """The "train" split of a dataset; ``datasets`` itself finds it in its cache or on the hub."""
    try:
        import datasets
    except ImportError:
        raise InputError(
            f"{name}: no such file; to read it as a Hugging Face dataset, pip install datasets"
        ) from None
    identifier, _, configuration = name.partition("@")
    try:
        rows = datasets.load_dataset(identifier, configuration or None, split="train")
    except Exception as error:  # the library raises whatever its readers and its network do
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{name}: the dataset cannot be loaded: {reason}") from error
    for number, fields in enumerate(rows, start=1):
        yield Record(f"{name}: row {number}", fields)
