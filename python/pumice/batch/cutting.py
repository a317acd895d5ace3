"""Rows become chunks, which are embedded together, and chunks become parts, which are files of output.

Where a cut falls depends on the rows and the options alone, never on how a reader delivered them or how fast: a
run that begins again with a later part cuts as the uninterrupted one did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from pumice.batch.options import EncodeOptions
from pumice.batch.rows import FAULTS, GOOD, MALFORMED, Block, Rows
from pumice.errors import InputError

CHUNK_BYTES = 8 << 20
CHUNK_ROWS = 65_536
PART_BYTES = 256 << 20


@dataclass(frozen=True)
class Limits:
    """The most rows and bytes of a chunk, and the rows and bytes from which a part is full."""

    chunk_rows: int
    chunk_bytes: int
    part_rows: int
    part_bytes: int

    @classmethod
    def of(cls, options: EncodeOptions, *, vector_bytes: int) -> Limits:
        """Chunks of at most 8 MB of text and 8 MB of vectors; parts of about 256 MB of either."""
        rows = max(1, min(CHUNK_ROWS, CHUNK_BYTES // vector_bytes))
        part_rows = options.rows_per_file or max(rows, PART_BYTES // vector_bytes)
        return cls(min(rows, part_rows), CHUNK_BYTES, part_rows, PART_BYTES)


@dataclass(frozen=True)
class Counts:
    """Rows read of the source, rows written, bytes of texts embedded, and bad rows by reason."""

    source_rows: int = 0
    rows: int = 0
    text_bytes: int = 0
    bad: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: Counts) -> Counts:
        """Both together."""
        bad = dict(sorted((Counter(self.bad) + Counter(other.bad)).items()))
        return Counts(
            self.source_rows + other.source_rows,
            self.rows + other.rows,
            self.text_bytes + other.text_bytes,
            bad,
        )


@dataclass(frozen=True)
class Chunk:
    """Rows that are embedded and written together; bad ones are gone or emptied."""

    rows: tuple[Rows, ...]
    counts: Counts
    nbytes: int
    fraction: float
    ends_part: bool = False
    ends_input: bool = False

    def pieces(self, most: int) -> Iterator[Chunk]:
        """The rows in chunks of at most so many; the last one counts and ends all that the others do not."""
        slices = [
            rows.slice(start, min(most, len(rows) - start))
            for rows in self.rows
            for start in range(0, len(rows), most)
        ]
        counts, size = self.counts, self.nbytes
        for rows in slices[:-1]:
            piece = Chunk(
                (rows,), Counts(0, len(rows), good_bytes(rows)), size_of(rows), self.fraction
            )
            counts = replace(
                counts,
                rows=counts.rows - len(rows),
                text_bytes=counts.text_bytes - piece.counts.text_bytes,
            )
            size -= piece.nbytes
            yield piece
        yield replace(self, rows=tuple(slices[-1:]), counts=counts, nbytes=size)


class Cutter:
    """Cuts the rows of one input, or of one piece of it."""

    def __init__(self, options: EncodeOptions, limits: Limits, *, place: str) -> None:
        self._options = options
        self._limits = limits
        self._place = place
        self.malformed = 0
        """Rows that a reader had to leave out."""

    def chunks(
        self, blocks: Iterable[Block], *, first_row: int = 0, skip: int = 0, one_part: bool = False
    ) -> Iterator[Chunk]:
        """Every row after ``skip`` of them; ``first_row`` is where the blocks begin in the file, for errors.

        There is at least one chunk, perhaps empty; the last one ends its part and the input. ``one_part``
        means that no part ends before.
        """
        limits = self._limits
        held: list[Rows] = []
        rows = size = part_rows = part_size = 0
        pending: Chunk | None = None
        checked = self._checked(blocks, first_row, skip)
        while True:
            try:
                block = next(checked, None)
            except InputError:
                if pending is not None:  # what is complete before the fault is not lost
                    yield pending
                raise
            if block is None:
                break
            ends = np.cumsum(block.weights)
            start = 0
            while start < len(block):
                room = limits.chunk_rows - rows
                if not one_part:
                    room = min(room, limits.part_rows - part_rows)
                before = int(ends[start - 1]) if start else 0
                fits = int(np.searchsorted(ends, before + limits.chunk_bytes - size)) + 1
                end = min(len(block), start + room, fits)
                held.append(block.slice(start, end - start))
                more = int(ends[end - 1]) - before
                rows, part_rows = rows + end - start, part_rows + end - start
                size, part_size, start = size + more, part_size + more, end
                rows_are_full = not one_part and part_rows >= limits.part_rows
                if rows_are_full or rows >= limits.chunk_rows or size >= limits.chunk_bytes:
                    # Only here: the end of a block is no place to decide anything.
                    ends_part = not one_part and (rows_are_full or part_size >= limits.part_bytes)
                    if pending is not None:
                        yield pending
                    pending = replace(self._chunk(held), ends_part=ends_part)
                    held, rows, size = [], 0, 0
                    if ends_part:
                        part_rows = part_size = 0
        if held or pending is None:
            if pending is not None:
                yield pending
            pending = self._chunk(held)
        yield replace(pending, ends_part=True, ends_input=True)

    def _checked(self, blocks: Iterable[Block], first_row: int, skip: int) -> Iterator[Rows]:
        seen = 0
        for block in blocks:
            rows = Rows.of(block)
            seen += len(rows)
            if seen <= skip and len(rows):
                continue
            if seen - len(rows) < skip:
                rows = rows.slice(skip - (seen - len(rows)))
            if self._options.on_error == "fail" and (block.malformed or rows.faults is not None):
                yield from self._good_then_refused(rows, block, first_row + seen - len(rows))
            self.malformed += block.malformed
            yield rows

    def _good_then_refused(self, rows: Rows, block: Block, before: int) -> Iterator[Rows]:
        """The rows before the first fault, then an InputError that names it; nothing where there is none."""
        if rows.faults is not None and rows.faults.any():
            at = int(np.flatnonzero(rows.faults)[0])
            where, reason = f"row {before + at + 1}", FAULTS[int(rows.faults[at])]
            yield rows.slice(0, at)
        elif block.malformed:
            where, reason = f"near row {before + 1}", FAULTS[MALFORMED]
        else:
            return
        raise InputError(
            f"{self._place}: {where}: the text is {reason}: mend it, or go on past such rows with "
            'on_error="null" or "skip" (--on-error)'
        )

    def _chunk(self, held: list[Rows]) -> Chunk:
        bad: Counter[str] = Counter()
        for rows in held:
            if rows.faults is not None:
                found, counted = np.unique(rows.faults[rows.faults > GOOD], return_counts=True)
                bad.update(
                    dict(
                        zip(map(FAULTS.__getitem__, found.tolist()), counted.tolist(), strict=True)
                    )
                )
        skips = self._options.on_error == "skip"
        kept = tuple(rows.without_bad() if skips else rows.with_bad_emptied() for rows in held)
        good = sum(map(good_bytes, kept))
        counts = Counts(sum(map(len, held)), sum(map(len, kept)), good, dict(sorted(bad.items())))
        size = sum(map(size_of, kept))
        return Chunk(kept, counts, size, held[-1].fraction if held else 1.0)


def good_bytes(rows: Rows) -> int:
    """Bytes of the texts that are embedded."""
    sizes = rows.sizes if rows.faults is None else rows.sizes[rows.faults == GOOD]
    return int(sizes.sum())


def size_of(rows: Rows) -> int:
    """About how many bytes of memory rows take."""
    return int(rows.weights.sum()) + 16 * len(rows)
