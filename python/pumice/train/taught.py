"""The teacher of a training: loaded, run over texts that it has not read yet, its vectors mapped."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.errors import InputError
from pumice.loading import load
from pumice.teachers.options import TeacherOptions
from pumice.teachers.sentences import SentenceEncoder
from pumice.teachers.static import StaticEncoder
from pumice.teachers.teacher import load_teacher
from pumice.train.corpus_texts import longest_of, strings_of, text_hashes
from pumice.train.dataset import TokenizedSource
from pumice.train.options import RunOptions
from pumice.train.pairs import read_pairs
from pumice.train.sources import Source
from pumice.train.teacher_vectors import TeacherVectors, Window, cut_into_windows

_BATCH = 8192
_SILENT_SECONDS = 15.0
"""At most so long does a reading teacher say nothing, but for a batch that takes longer."""


def load_encoder(
    teacher: str | os.PathLike[str], options: RunOptions, *, prompt: str | None = None
) -> SentenceEncoder:
    """A sentence-transformers or Hugging Face model: a folder, or a hub id; its default prompt for None.

    A .pumice file is a static model as the teacher of another.
    """
    if str(teacher).endswith(".pumice"):
        return StaticEncoder(load(teacher))
    asked = TeacherOptions(
        precision=options.teacher_dtype,
        prompt=prompt,
        device=options.device,
        offline=options.offline,
        trust_remote_code=options.trust_remote_code,
    )
    given = Path(teacher) if os.path.isdir(teacher) else str(teacher)
    limit = options.teacher_tokens or options.max_tokens
    return SentenceEncoder(load_teacher(given, asked), max_tokens=limit)


@dataclass(frozen=True)
class Reader:
    """A teacher that reads texts once, whoever asks."""

    encoder: SentenceEncoder
    vectors: TeacherVectors
    options: RunOptions
    threads: int
    files: Path
    """A folder that goes with the run."""

    @classmethod
    def of(
        cls,
        encoder: SentenceEncoder,
        options: RunOptions,
        *,
        threads: int,
        kept: Path | None,
        files: Path,
    ) -> Reader:
        """Vectors lie where the options say, else with the run's state."""
        vectors = TeacherVectors(
            Path(options.teacher_vectors or (kept or files) / "teacher"),
            identity=encoder.identity,
            width=encoder.teacher.width,
        )
        return cls(encoder, vectors, options, threads, files)

    def read(self, strings: Callable[[], Iterator[str]], windows: list[Window]) -> None:
        """Make the windows that are missing; ``strings`` gives the texts, from the first, each time."""
        missing = self.vectors.missing(windows)
        total, new = (sum(w.last - w.first for w in some) for some in (windows, missing))
        if new < total:
            self._tell(f"teacher: {total - new:,} texts were read before")
        if missing:
            self._tell(f"teacher: {self.encoder.teacher.name} reads {new:,} texts")
        done, began = 0, time.monotonic()
        told = began

        def tell(of_window: int) -> None:
            nonlocal told
            if time.monotonic() - told >= _SILENT_SECONDS:
                told = time.monotonic()
                # No speed: a window's short texts come first.
                self._tell(f"teacher: {done + of_window:,} of {new:,} texts")

        before = torch.get_num_threads()
        try:
            for window, texts in strings_of(strings(), missing):
                made = self.encoder.encode(texts, threads=self.threads, progress=tell)
                self.vectors.write(window, made)
                done, told = done + len(texts), time.monotonic()
                speed = done / max(told - began, 1e-9)
                self._tell(f"teacher: {done:,} of {new:,} texts, {speed:,.0f} texts/s")
        finally:
            torch.set_num_threads(before)

    def mapped(self, windows: list[Window], projection: Any = None) -> NDArray[np.float16]:
        """All vectors, projected, in one file. Written, not mapped, so that a full disk is an error."""
        path = self.files / f"targets-{os.getpid()}.f16"
        try:
            self.files.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for window in windows:
                    rows = self.vectors.read(window)
                    made = rows if projection is None else projection(rows).astype(np.float16)
                    file.write(made.tobytes())
            mapped: NDArray[np.float16] = np.memmap(path, np.float16, mode="r")
        except OSError as error:
            path.unlink(missing_ok=True)
            raise InputError(
                f"{path}: targets cannot be kept there: {error.strerror}: free some space and start the "
                "same command again"
            ) from None
        with suppress(OSError):  # it lives on while it is mapped; Windows keeps its name until then
            path.unlink()
        return mapped.reshape(sum(window.last - window.first for window in windows), -1)

    def _tell(self, line: str) -> None:
        if self.options.progress is not None:
            self.options.progress(0, 0, line)


@dataclass(frozen=True)
class TaughtPairs:
    """What a teacher makes of one source's pairs."""

    queries: NDArray[np.float16]
    """Of all sources' texts, each once: unit vectors, mapped."""
    documents: NDArray[np.float16]
    """The same, where the teacher reads queries and documents alike."""
    anchors: NDArray[np.int64]
    """The row of each pair's anchor."""
    positives: NDArray[np.int64]

    def take(self, pairs: NDArray[np.int64], *, device: str) -> tuple[Tensor, Tensor]:
        """Anchors' and positives' vectors, float32."""
        sides = (self.queries[self.anchors[pairs]], self.documents[self.positives[pairs]])
        anchors, positives = (torch.from_numpy(side.astype(np.float32)) for side in sides)
        return anchors.to(device), positives.to(device)


def taught_pairs(
    sources: Sequence[Source],
    data: Sequence[TokenizedSource],
    readers: tuple[Reader, Reader],
    options: RunOptions,
) -> list[TaughtPairs]:
    """The teacher's vectors of every source's pairs, as ``data`` numbers them.

    ``readers`` read anchors and positives; the same one for both reads no text twice. Files are read again,
    since strings do not stay in memory. Raises InputError where one has changed.
    """
    longest = longest_of(options.max_tokens)

    def column(source: Source, side: slice) -> Callable[[], Iterator[str]]:
        return lambda: _strings_of_pairs(source, options, longest, side)

    if readers[0] is readers[1]:
        columns = [column(source, slice(2)) for source in sources]
        vectors, rows = _read_columns(columns, readers[0])
        _check_counts(sources, data, [len(one) // 2 for one in rows])
        return [TaughtPairs(vectors, vectors, one[::2], one[1::2]) for one in rows]
    sides = []
    for reader, side in zip(readers, (slice(0, 1), slice(1, 2)), strict=True):
        sides.append(_read_columns([column(source, side) for source in sources], reader))
        _check_counts(sources, data, [len(one) for one in sides[-1][1]])
    (queries, anchors), (documents, positives) = sides
    return [TaughtPairs(queries, documents, *both) for both in zip(anchors, positives, strict=True)]


def taught_texts(texts: Sequence[str], reader: Reader) -> NDArray[np.float32]:
    """The teacher's vectors of texts in memory, kept like those of a corpus."""
    vectors, (rows,) = _read_columns([lambda: iter(texts)], reader)
    return vectors[rows].astype(np.float32)


def _read_columns(
    columns: Sequence[Callable[[], Iterator[str]]], reader: Reader
) -> tuple[NDArray[np.float16], list[NDArray[np.int64]]]:
    """The vectors of all columns' texts, each once, and the rows of each column's texts in them."""
    hashes = [np.concatenate([np.empty(0, np.uint64), *_hashes(column())]) for column in columns]
    unique, first, places = np.unique(
        np.concatenate(hashes), return_index=True, return_inverse=True
    )
    order = np.argsort(first)  # as they come, which is how windows are cut
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    windows = cut_into_windows(unique[order])

    def strings() -> Iterator[str]:
        for column in columns:
            yield from column()

    reader.read(strings, windows)
    ends = np.cumsum([len(one) for one in hashes])
    return reader.mapped(windows), np.split(rank[places], ends[:-1])


def _check_counts(
    sources: Sequence[Source], data: Sequence[TokenizedSource], counts: Sequence[int]
) -> None:
    for source, tokenized, count in zip(sources, data, counts, strict=True):
        if count != len(tokenized.anchors):
            raise InputError(f"{source.path}: has changed since it was read: start again")


def _strings_of_pairs(
    source: Source, options: RunOptions, longest: int, side: slice
) -> Iterator[str]:
    for pair in read_pairs(source, options.columns):
        for text in (pair.anchor, pair.positive)[side]:
            yield text[:longest]


def _hashes(strings: Iterator[str]) -> Iterator[NDArray[np.uint64]]:
    while batch := list(islice(strings, _BATCH)):
        yield text_hashes(batch)
