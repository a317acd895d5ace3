"""Keeps an index equal to the files under some paths, doing only what changed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pumice.search.ahead import one_ahead
from pumice.search.documents.document import BadRow, Document, UnreadableError
from pumice.search.documents.formats import open_file
from pumice.search.documents.ledger import (
    UNFINISHED,
    Entry,
    FileState,
    private_of,
    read_ledger,
    write_state,
)
from pumice.search.documents.report import IndexProgress, IndexReport, Progress
from pumice.search.documents.splitting import Passage, split_document
from pumice.search.documents.walk import Found, SkippedFile, find_files
from pumice.search.embedding import Embedded
from pumice.search.filter import AnyOf, Condition, Range
from pumice.search.index import Index
from pumice.search.points import Payload, PointId, Points
from pumice.search.record import PRIVATE, Record, parse_record, stored_payload, utf8_size

_BATCH = 1024  # passages embedded and written together
_BAD_ROWS_SHOWN = 5


def index_paths(
    index: Index,
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    progress: Progress | None = None,
) -> IndexReport:
    """Bring the index up to date with the files under `paths` and report what was done.

    Reads .txt .md .rst .html .py .json .jsonl .csv .parquet .pdf, each also followed by .gz, .xz or
    .zst, splits them into passages and stores each with `source` (absolute path), `start`, `end`
    (character span), `line`, and the row or page. Unchanged files are not embedded again; passages
    of files that are gone are removed; so are those of a path that the index knows and that is
    there no more. Interrupted at any point, even by `kill -9`, running it again completes the work.
    """
    started = time.perf_counter()
    index.check_writable()
    ledger = read_ledger(index.home)
    found = find_files(
        [paths] if isinstance(paths, (str, os.PathLike)) else paths,
        known=lambda root: any(_below(source, [root]) for source in ledger),
    )
    run = _Run(index, found, ledger, progress)
    for source in found.files:
        run.file(source)
        run.files_done += 1
        run.tell(source)
    run.write_small()
    run.remove_gone()
    index.flush()
    run.report.skipped = tuple(run.skipped)
    run.report.seconds = time.perf_counter() - started
    return run.report


@dataclass(frozen=True)
class _Piece:
    """A passage with the payload it will be stored with."""

    text: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class _Small:
    """A whole file that fits into a batch, waiting to be embedded with others."""

    source: str
    state: FileState
    pieces: list[_Piece]


class _BadRows:
    """The bad rows of one file: the first few as they are, the others counted."""

    def __init__(self) -> None:
        self.count = 0
        self._shown: list[str] = []

    def add(self, bad: BadRow) -> None:
        self.count += 1
        if len(self._shown) < _BAD_ROWS_SHOWN:
            self._shown.append(bad.reason)

    def __str__(self) -> str:
        told = "; ".join(self._shown)
        if self.count == 1:
            return f"1 row left out: {told}"
        more = self.count - len(self._shown)
        return f"{self.count:,} rows left out: {told}" + (f"; and {more:,} more" if more else "")


class _Run:
    """One call of `index_paths`: what it found, has written and will report."""

    def __init__(
        self, index: Index, found: Found, ledger: dict[str, Entry], progress: Progress | None
    ) -> None:
        self.files_done = 0
        self._progress = progress
        self.report = IndexReport()
        self.skipped = list(found.skipped)
        self._index = index
        self._home = index.home
        self._found = found
        self._ledger = ledger
        self._unread: set[str] = set()
        self._small: list[_Small] = []
        self._waiting = 0
        self._bad_rows: dict[str, _BadRows] = {}
        self._empty: set[str] = set()  # of the files just read

    def tell(self, source: str, passages: int = 0) -> None:
        """Report progress; `passages` are those of a file still being written."""
        if self._progress is not None:
            passages += self.report.passages_added
            total = len(self._found.files)
            self._progress(IndexProgress(self.files_done, total, passages, source))

    def file(self, source: str) -> None:
        """Index one file if it is new or changed."""
        entry = self._ledger.get(source)
        known = entry.state if entry is not None else UNFINISHED
        try:
            stat = os.stat(source)
            if known.same_stat(stat.st_size, stat.st_mtime_ns):
                self.report.files_unchanged += 1
                return
            now = time.time_ns()
            reading = open_file(Path(source))
            state = FileState(stat.st_size, stat.st_mtime_ns, now, reading.sha256)
            if entry is not None and known.same_content(reading.sha256):
                write_state(self._home, entry, state)
                self.report.files_unchanged += 1
                return
            pieces = self._pieces(source, reading.documents)
            first = list(islice(pieces, _BATCH))
            if not first:
                self._empty.add(source)
            if len(first) < _BATCH:
                self._gather(_Small(source, state, first))
            else:
                self._write_large(source, state, first, pieces)
        except UnreadableError as error:
            self._leave_out(source, str(error), unread=error.unread)
        except OSError as error:
            reason = "vanished while indexing" if isinstance(error, FileNotFoundError) else None
            self._leave_out(source, reason or error.strerror or str(error), unread=True)

    def write_small(self) -> None:
        """Embed and store the files that wait, all of a file's passages in one write."""
        batch, self._small, self._waiting = self._small, [], 0
        embedded = self._embed_pieces([piece for small in batch for piece in small.pieces])
        known = iter(embedded.known.tolist())
        ids: list[PointId] = []
        payloads: list[Payload] = []
        for small in batch:
            kept = [piece for piece in small.pieces if next(known)]
            for at, piece in enumerate(kept):
                record = _record(small.source, at, piece)
                ids.append(record.point_id)
                payloads.append(_stored(record, at, small.state))
            if entry := self._ledger.get(small.source):
                write_state(self._home, entry, UNFINISHED)
                self._shorten(small.source, len(kept))
            self._done(small.source, len(kept))
        if ids:
            self._write(_points(ids, payloads, embedded))

    def remove_gone(self) -> None:
        """Remove passages of files that are under the roots no more, or not indexed any more."""
        present = set(self._found.files)
        for source in self._ledger:
            if source in present or not _below(source, self._found.roots):
                continue
            if _below(source, self._found.unseen):
                continue
            self._remove(source)
            self.report.files_removed += 1

    def _gather(self, small: _Small) -> None:
        self._small.append(small)
        self._waiting += len(small.pieces)
        if self._waiting >= _BATCH:
            self.write_small()

    def _write_large(
        self, source: str, state: FileState, first: list[_Piece], rest: Iterator[_Piece]
    ) -> None:
        """Store a file batch by batch, the next one embedded meanwhile.

        From its first passage to the end the file counts as unfinished.
        """
        written = 0
        head: PointId | None = None
        batches = chain([first], iter(lambda: list(islice(rest, _BATCH)), []))
        try:
            for batch, embedded in one_ahead(batches, self._embed_pieces):
                known = embedded.known.tolist()
                kept = [piece for piece, has in zip(batch, known, strict=True) if has]
                records = [_record(source, at, piece) for at, piece in enumerate(kept, written)]
                ids = [record.point_id for record in records]
                payloads = [
                    _stored(record, at, UNFINISHED) for at, record in enumerate(records, written)
                ]
                if ids:
                    self._home.upsert(_points(ids, payloads, embedded))
                    head = ids[0] if head is None else head
                    written += len(ids)
                self.tell(source, written)
        except UnreadableError as error:
            self._remove(source)
            # The file was read in part: nothing of it is in the index now.
            raise UnreadableError(str(error)) from None
        self._shorten(source, written)
        if head is not None:
            write_state(self._home, Entry(head, f"{source}#0", state), state)
        self._done(source, written)

    def _write(self, points: Points) -> None:
        """Store whole files; where a write may be stored in part, their first passages say so first."""
        first = [payload["passage"] == 0 for payload in points.payloads]
        if self._home.atomic or all(first):
            self._home.upsert(points)
            return
        heads = points.take([row for row, is_first in enumerate(first) if is_first])
        self._home.upsert(replace(heads, payloads=[_unfinished(one) for one in heads.payloads]))
        self._home.upsert(points.take([row for row, is_first in enumerate(first) if not is_first]))
        self._home.upsert(heads)

    def _leave_out(self, source: str, reason: str, *, unread: bool) -> None:
        self._bad_rows.pop(source, None)
        self.skipped.append(SkippedFile(source, reason))
        if not unread and source in self._ledger:
            self._remove(source)

    def _done(self, source: str, passages: int) -> None:
        self.report.passages_added += passages
        if passages:
            self.report.files_indexed += 1
        if bad := self._bad_rows.pop(source, None):
            self.skipped.append(SkippedFile(source, str(bad), bad.count))
        elif not passages:
            empty = source in self._empty
            reason = "empty" if empty else "no text that the model knows"
            self.skipped.append(SkippedFile(source, reason))

    def _shorten(self, source: str, passages: int) -> None:
        """Remove what an earlier, longer version of the file left behind."""
        conditions: list[Condition] = [AnyOf("source", (source,)), Range("passage", gte=passages)]
        self.report.passages_removed += self._home.count(conditions)
        self._home.delete_matching(conditions)

    def _pieces(self, source: str, documents: Iterator[Document | BadRow]) -> Iterator[_Piece]:
        for given in documents:
            fault: BadRow | None = None
            if isinstance(given, Document) and given.kind == "record":
                fault = _unicode_fault(given)
            document = fault or given
            if isinstance(document, BadRow):
                self._bad_rows.setdefault(source, _BadRows()).add(document)
                continue
            for passage in split_document(document):
                yield _Piece(passage.text, _payload(source, document, passage))

    def _remove(self, source: str) -> None:
        self._shorten(source, 0)

    def _embed_pieces(self, pieces: list[_Piece]) -> Embedded:
        texts = [piece.text for piece in pieces]
        started = time.perf_counter()
        result = self._index.embed(texts)
        self.report.embedding_seconds += time.perf_counter() - started
        self.report.embedded_bytes += sum(map(utf8_size, texts))
        return result


def _unicode_fault(document: Document) -> BadRow | None:
    """JSON can spell lone surrogates, which neither the model nor the store can take."""
    try:
        json.dumps([document.text, document.payload], ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return BadRow(f"row {document.payload['row']} holds a lone surrogate, no valid Unicode")
    return None


def _payload(source: str, document: Document, passage: Passage) -> dict[str, Any]:
    payload = {**document.payload, "source": source, "start": passage.start, "end": passage.end}
    if document.kind != "record" and "page" not in payload:
        payload["line"] = passage.line
    return payload


def _points(ids: Sequence[PointId], payloads: Sequence[Payload], embedded: Embedded) -> Points:
    """The points of the texts that have a vector."""
    known = embedded.of_known()
    return Points(ids, known.dense, known.terms, payloads)


def _stored(record: Record, passage: int, state: FileState) -> Payload:
    return stored_payload(record, private_of(state) if passage == 0 else None)


def _unfinished(payload: dict[str, Any]) -> dict[str, Any]:
    return {**payload, PRIVATE: {**payload[PRIVATE], **private_of(UNFINISHED)}}


def _record(source: str, passage: int, piece: _Piece) -> Record:
    fields = {"id": f"{source}#{passage}", "text": piece.text, "passage": passage}
    record = parse_record({**piece.payload, **fields}, position=passage)
    return record._replace(text=piece.text)


def _below(source: str, folders: Sequence[str]) -> bool:
    return any(
        source == folder or source.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders
    )
