"""pumice index PATH…: keep an index equal to the files under some paths."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import cast

from pumice.commands.opening import add_place_argument, index_place, open_index, told
from pumice.commands.output import check_output
from pumice.commands.storing import add_storage_arguments, storage_asked
from pumice.search import Index, IndexProgress, IndexReport, Server, index_paths, pack, unpack
from pumice.search.documents.report import Progress
from pumice.search.documents.walk import SkippedFile
from pumice.search.index import GRAPH_FROM
from pumice.search.rendering import as_json, counted
from pumice.terminal import printable

_PLAIN_LINE_SECONDS = 5.0
_SKIPPED_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a file or a folder")
    parser.add_argument(
        "--pack", metavar="FILE", help="write the index to one file too, which opens like a folder"
    )
    parser.add_argument("--unpack", metavar="FILE", help="put a packed index into --index first")
    add_place_argument(parser)
    parser.add_argument("--into", dest="index", help=argparse.SUPPRESS)  # --index in old scripts
    parser.add_argument(
        "--model", metavar="M", help="file, folder or hub id (default: the shipped model)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_storage_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Unpack, index, report, pack, say what to try next."""
    if not (args.paths or args.pack or args.unpack):
        args.parser.error("name a PATH to index")
    place = index_place(args.index)
    if args.pack or args.unpack:
        if isinstance(place, Server):
            args.parser.error("a server's collection is neither packed nor unpacked")
        if args.pack:
            check_output(Path(args.pack), what="the index", example="notes.index")
        if args.unpack:
            folder = unpack(args.unpack, cast(Path, place))
            if not args.json:
                print(f"unpacked {args.unpack} into {folder}")
                if not args.paths:
                    print(f'next     pumice search{_option(args)} "your question"')
    code = _index(args, place) if args.paths else 0
    if args.pack:
        size = pack(cast(Path, place), args.pack)
        if not args.json:
            print(f"packed   {args.pack}: {size / 1e6:.1f} MB")
    return code


def _index(args: argparse.Namespace, place: Path | Server) -> int:
    with open_index(place, args.model, **storage_asked(args)) as index:
        if not args.json and (encoder := index.model.document_encoder) is not None:
            print(
                f"passages are encoded by {printable(encoder.name)}, a transformer: "
                "this takes minutes where a static model takes seconds",
                file=sys.stderr,
                flush=True,
            )
        with _shown_progress(quiet=args.json) as progress:
            report = index_paths(index, args.paths, progress=progress)
        if not isinstance(place, Server):  # a server builds what it needs by itself
            _build(index, report, quiet=args.json)
        total, model = len(index), index.model.name
    # Asked to index and nothing could be: a script should not go on as if it had worked.
    worked = report.files_indexed or report.files_unchanged or report.files_removed
    code = 1 if report.skipped and not worked else 0
    if args.json:
        print(as_json({**asdict(report), "index": told(place), "passages": total}))
        return code
    for line in _summary(report):
        print(line)
    print(f"index    {told(place)}: {counted(total, 'passage')}, model {model}")
    if total:
        print(f'next     pumice search{_option(args)} "your question"')
    return code


def _option(args: argparse.Namespace) -> str:
    return f" --index {shlex.quote(args.index)}" if args.index else ""


def _build(index: Index, report: IndexReport, *, quiet: bool) -> None:
    """Codes that are made afterwards, and a graph where a scan would be slow."""
    changed = report.passages_added or report.passages_removed
    if not (len(index) >= GRAPH_FROM or (index.storage.coded_later and changed)):
        return
    if not quiet and len(index) >= GRAPH_FROM:
        print(
            f"building a search graph for {len(index):,} passages in a process of its own; "
            "this takes minutes, and interrupting it loses nothing",
            file=sys.stderr,
        )
    index.optimize()


def _summary(report: IndexReport) -> Iterator[str]:
    megabytes = report.embedded_bytes / 1e6
    yield (
        f"indexed  {counted(report.files_indexed, 'file')}, "
        f"{counted(report.passages_added, 'passage')}, "
        f"{megabytes:.1f} MB of text in {report.seconds:.1f} s"
    )
    if report.files_unchanged or report.files_removed:
        yield (
            f"kept     {counted(report.files_unchanged, 'unchanged file')}, "
            f"removed {report.files_removed:,}"
        )
    whole = [skipped for skipped in report.skipped if not skipped.rows]
    if whole:
        reasons = Counter(skipped.reason for skipped in whole).most_common()
        told = "; ".join(f"{count:,} {reason}" for reason, count in reasons[:_SKIPPED_SHOWN])
        more = "; …" if len(reasons) > _SKIPPED_SHOWN else ""
        yield printable(f"skipped  {len(whole):,}: {told}{more}")
        yield from _listed(whole)
    in_parts = [skipped for skipped in report.skipped if skipped.rows]
    if in_parts:
        rows = counted(sum(skipped.rows for skipped in in_parts), "row")
        yield f"left out {rows} of {counted(len(in_parts), 'file')}"
        yield from _listed(in_parts)


def _listed(skipped: Sequence[SkippedFile]) -> Iterator[str]:
    if len(skipped) > _SKIPPED_SHOWN:
        yield "         (--json lists them all)"
        return
    for one in skipped:
        yield printable(f"         {one.path}: {one.reason}")


@contextmanager
def _shown_progress(*, quiet: bool) -> Iterator[Progress | None]:
    """A bar on a terminal, a line every few seconds elsewhere."""
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield _PlainLines()
        return
    from tqdm import tqdm

    with tqdm(unit=" files", leave=False) as bar:

        def show(progress: IndexProgress) -> None:
            bar.total = progress.files_total
            bar.set_postfix(passages=f"{progress.passages:,}", refresh=False)
            bar.update(progress.files_done - bar.n)

        yield show


class _PlainLines:
    def __init__(self) -> None:
        self._next = time.monotonic() + _PLAIN_LINE_SECONDS

    def __call__(self, progress: IndexProgress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _PLAIN_LINE_SECONDS
            print(
                f"{progress.files_done:,} of {progress.files_total:,} files, "
                f"{progress.passages:,} passages",
                file=sys.stderr,
                flush=True,
            )
