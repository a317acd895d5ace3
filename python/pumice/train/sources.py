"""Where pairs come from: files, folders of files and Hugging Face datasets, each with its weight."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pumice.compression import COMPRESSIONS
from pumice.errors import InputError
from pumice.hub import is_repository_id
from pumice.records import FORMATS, format_of
from pumice.train.pair import Pair


@dataclass(frozen=True)
class Source:
    """Pairs of one kind: batches never mix sources, so in-batch negatives are of the same kind."""

    path: str
    """A file, a folder of files, or a dataset's id: owner/name, owner/name@configuration."""
    weight: float = 1.0
    """How many times each pair is seen in an epoch; 0.5 takes another half each epoch."""
    pairs: Sequence[Pair] | None = field(default=None, repr=False)
    """Pairs in memory; ``path`` is then only what they are called."""

    def __post_init__(self) -> None:
        if not isinstance(self.path, str) or not self.path:
            raise InputError(f"a source's path is {self.path!r}: give a file, a folder or an id")
        usable = isinstance(self.weight, (int, float)) and 0 < self.weight <= 1000
        if isinstance(self.weight, bool) or not usable:
            raise InputError(f"{self.path}: weight {self.weight!r}: give a number above 0, to 1000")

    @property
    def name(self) -> str:
        """The file's name without its suffixes, or the dataset's id."""
        if self.pairs is not None:
            return self.path
        name = Path(self.path).name
        file_format = format_of(name)
        return self.path if file_format is None else name[: name.lower().rindex(file_format)]


def parse_source(text: str) -> Source:
    """`pairs.jsonl` or `pairs.jsonl:2.0`; what exists under the whole text is taken as it is."""
    path, colon, weight = text.rpartition(":")
    if not colon or os.path.exists(text):
        return Source(text)
    try:
        number = float(weight)
    except ValueError:
        return Source(text)
    if not math.isfinite(number) or not 0 < number <= 1000:
        raise InputError(f"{text}: weight {weight}: give a number above 0, to 1000")
    return Source(path, number)


def listed_sources(given: object) -> list[Source]:
    """Every file on its own, folders opened, in order of their names; InputError for what is not there."""
    if isinstance(given, (str, os.PathLike, Source)):
        given = [given]
    if not isinstance(given, Iterable):
        raise InputError(f"pairs is {type(given).__name__}: give files, folders or dataset ids")
    sources: list[Source] = []
    for one in given:
        if not isinstance(one, (str, os.PathLike, Source)):
            raise InputError(f"pairs holds {one!r}: give files, folders, dataset ids or Source")
        source = one if isinstance(one, Source) else Source(os.fspath(one))
        sources += _opened(source)
    if not sources:
        raise InputError("pairs is empty: give at least one file of pairs")
    paths = [s.path if s.pairs is not None else os.path.realpath(s.path) for s in sources]
    for path, source in zip(paths, sources, strict=True):
        if paths.count(path) > 1:
            raise InputError(f"{source.path}: is given twice: use a weight instead")
    return sources


def _opened(source: Source) -> Sequence[Source]:
    if source.pairs is not None:
        return [source]
    path = Path(source.path)
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.is_file() and format_of(p.name))
        if not files:
            raise InputError(f"{path}: holds no {', '.join(FORMATS)} file, compressed or not")
        return [Source(str(file), source.weight) for file in files]
    if path.is_file():
        if format_of(path.name) is None:
            raise InputError(
                f"{path}: pairs are read from {', '.join(FORMATS)} files, also with "
                f"{', '.join(COMPRESSIONS[1:])} after it: convert or rename it"
            )
        return [source]
    check_dataset_id(source.path)
    return [source]


def check_dataset_id(given: str) -> None:
    """InputError for what is neither file nor folder, unless it is owner/name, perhaps @configuration."""
    if os.path.exists(given):
        raise InputError(f"{given}: is neither a file nor a folder")
    if not is_repository_id(given.partition("@")[0]):
        raise InputError(f"{given}: no such file or folder, and not a dataset's id (owner/name)")
