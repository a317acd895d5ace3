"""pumice encode INPUT… -o OUT: files of texts become files of vectors; a killed run goes on where it was."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace

from pumice.batch import (
    EncodeOptions,
    EncodeProgress,
    EncodeReport,
    check_inputs,
    encode_files,
    store_files,
)
from pumice.batch.inputs import INPUT_FORMATS
from pumice.batch.options import DEFAULT_MEMORY, FORMATS, LAYOUTS, ON_ERROR
from pumice.batch.report import Progress
from pumice.errors import MissingExtraError
from pumice.terminal import printable

_PLAIN_LINE_SECONDS = 5.0
_FAILED_SHOWN = 10
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="a file, a folder, a glob or a URL (s3://, https://)",
    )
    parser.add_argument("-o", "--output", metavar="OUT", help="a folder, or a URL")
    parser.add_argument(
        "--to-qdrant",
        metavar="INDEX",
        help="store rows in a search index instead: a folder, or http://host:6333/collection",
    )
    parser.add_argument(
        "--no-words",
        action="store_true",
        help="of a new index: vectors alone, for no hybrid search",
    )
    parser.add_argument("--id", metavar="COLUMN", help="the column of ids, for --to-qdrant")
    parser.add_argument("--text", metavar="COLUMN", help="the column of texts")
    parser.add_argument(
        "--keep",
        metavar="A,B",
        default="",
        help="columns that go beside the vectors, such as an id",
    )
    parser.add_argument(
        "--model", metavar="M", help="file, folder or hub id (default: the shipped model)"
    )
    parser.add_argument("--dim", type=int, metavar="D", help="keep the first D dimensions")
    parser.add_argument(
        "--dtype", choices=("float32", "float16", "int8", "binary"), default="float32"
    )
    parser.add_argument(
        "--column", metavar="NAME", default="vector", help="what the vectors are called"
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="of the output (default: parquet; lance where OUT ends in .lance)",
    )
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        help="of vectors in Parquet: a list, or fixed-size bytes (default for int8 and binary; faster)",
    )
    parser.add_argument(
        "--on-error",
        choices=ON_ERROR,
        default="fail",
        help="for a text that is null, not UTF-8 or not a string: end, give a null vector, leave it out",
    )
    parser.add_argument(
        "--input-format",
        choices=tuple(dict.fromkeys(INPUT_FORMATS.values())),
        help="where file names do not tell",
    )
    parser.add_argument(
        "--rows-per-file", type=int, metavar="N", help="the most rows of an output file"
    )
    parser.add_argument(
        "--memory",
        type=_size,
        metavar="SIZE",
        default=DEFAULT_MEMORY,
        help="what the process should stay under, such as 2GB (default: 512MB)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="(default: every processor; one into an index, which takes a tenth of it)",
    )
    parser.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="this process, or a Ray cluster (RAY_ADDRESS names it; default: this machine)",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Embed, report; 1 where an input could not be read."""
    if args.output is None and args.to_qdrant is None:
        args.parser.error("say where the vectors go: -o OUT or --to-qdrant INDEX")
    options = EncodeOptions(
        text=args.text,
        id=args.id,
        dim=args.dim,
        dtype=args.dtype,
        keep=tuple(name for name in args.keep.split(",") if name),
        column=args.column,
        format=args.format or ("lance" if str(args.output).endswith(".lance") else "parquet"),
        layout=args.layout,
        on_error=args.on_error,
        input_format=args.input_format,
        rows_per_file=args.rows_per_file,
        memory=args.memory,
        threads=args.threads,
    )
    with _shown_progress(quiet=args.json) as progress:
        if args.to_qdrant is not None:
            report = _into_index(args, options, progress)
        else:
            encode = encode_files
            if args.engine == "ray":
                from pumice.batch.ray import encode_files as encode
            report = encode(
                args.inputs, args.output, model=args.model, options=options, progress=progress
            )
    if args.json:
        print(json.dumps({**asdict(report), "mb_per_second": report.megabytes_per_second}))
    else:
        for line in _summary(report):
            print(printable(line))
    return 1 if report.failed else 0


def _into_index(
    args: argparse.Namespace, options: EncodeOptions, progress: Progress | None
) -> EncodeReport:
    from pumice import Index
    from pumice.search import Server, Storage

    place = args.to_qdrant
    target = Server(place, wait=False) if "://" in place else place  # a part is awaited at its end
    storage = Storage(sparse=False) if args.no_words else None
    options = replace(options, state=args.output)
    check_inputs(args.inputs, options=options)  # before an index is made, which would stay
    with Index(target, args.model, dim=args.dim, storage=storage) as index:
        model = index.model
        if args.engine == "local":
            report = store_files(args.inputs, index, options=options, progress=progress)
    if args.engine == "ray":
        from pumice.batch.ray import store_files as store_on_ray

        report = store_on_ray(args.inputs, target, model=model, options=options, progress=progress)
    return replace(report, output=args.to_qdrant)


def _summary(report: EncodeReport) -> Iterator[str]:
    yield (
        f"embedded  {_counted(report.embedded_rows, 'row')}, {report.embedded_bytes / 1e6:,.1f} MB of text in "
        f"{report.seconds:.1f} s ({report.megabytes_per_second:.1f} MB/s)"
    )
    if report.files_unchanged:
        yield f"kept      {report.files_unchanged:,} of {report.files:,} inputs were done before"
    if report.bad:
        told = ", ".join(f"{count:,} {reason}" for reason, count in report.bad.items())
        yield f"bad rows  {told}"
    for location, reason in list(report.failed.items())[:_FAILED_SHOWN]:
        yield f"failed    {reason if location in reason else f'{location}: {reason}'}"
    if len(report.failed) > _FAILED_SHOWN:
        yield f"          and {len(report.failed) - _FAILED_SHOWN:,} more (--json lists them all)"
    size = f"{report.output_bytes / 1e6:,.1f} MB"
    files = f" in {_counted(report.output_files, 'file')}, {size}" if report.output_bytes else ""
    yield f"output    {report.output}: {_counted(report.rows, 'row')}{files}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _size(text: str) -> int:
    """Bytes, of 512MB, 2G or a plain number."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write one such as 512MB or 2GB")
    return int(float(found[1]) * _UNITS[found[2].upper()])


@contextmanager
def _shown_progress(*, quiet: bool) -> Iterator[Progress | None]:
    """A bar on a terminal, a line every few seconds elsewhere."""
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield _PlainLines()
        return
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise MissingExtraError("tqdm", "batch") from error
    with tqdm(unit="B", unit_scale=True, leave=False, file=sys.stderr) as bar:

        def show(progress: EncodeProgress) -> None:
            bar.total = progress.input_bytes
            bar.set_postfix_str(
                f"{progress.files_done:,}/{progress.files:,} files, {progress.rows:,} rows, "
                f"{_rate(progress):.0f} MB/s of text",
                refresh=False,
            )
            if not bar.n:  # what an earlier run has done must not count as this one's speed
                bar.initial = progress.input_bytes_done
            bar.update(progress.input_bytes_done - bar.n)

        yield show


def _rate(progress: EncodeProgress) -> float:
    return progress.text_bytes / 1e6 / progress.seconds if progress.seconds else 0.0


class _PlainLines:
    def __init__(self) -> None:
        self._next = time.monotonic() + _PLAIN_LINE_SECONDS
        self._first: tuple[int, float] | None = None

    def __call__(self, progress: EncodeProgress) -> None:
        if self._first is None:
            self._first = progress.input_bytes_done, progress.seconds
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _PLAIN_LINE_SECONDS
        done, since = progress.input_bytes_done - self._first[0], progress.seconds - self._first[1]
        left = ""
        if done > 0:
            remaining = progress.input_bytes - progress.input_bytes_done
            left = f", {_clock(remaining * since / done)} left"
        print(
            f"{progress.files_done:,} of {progress.files:,} files, {progress.rows:,} rows, "
            f"{_rate(progress):.0f} MB/s{left}",
            file=sys.stderr,
            flush=True,
        )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
