"""pumice dedup INPUT… -o unique.parquet: leave out texts that repeat others, word for word or nearly."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from pumice.batch.dedup import THRESHOLD, dedup_files
from pumice.batch.inputs import INPUT_FORMATS
from pumice.batch.options import EncodeOptions
from pumice.terminal import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="a file, a folder, a glob or a URL"
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="a Parquet file of the rows that stay"
    )
    parser.add_argument("--text", metavar="COLUMN", help="the column of texts")
    parser.add_argument(
        "--keep", metavar="A,B", default="", help="columns that go beside the texts"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="T",
        default=THRESHOLD,
        help=f"the cosine from which two texts are duplicates (default: {THRESHOLD})",
    )
    parser.add_argument(
        "--model", metavar="M", help="file, folder or hub id (default: the shipped model)"
    )
    parser.add_argument("--dim", type=int, metavar="D", help="compare the first D dimensions")
    parser.add_argument(
        "--on-error",
        choices=("fail", "skip"),
        default="fail",
        help="for a text that is null, not UTF-8 or not a string: end, or leave it out",
    )
    parser.add_argument(
        "--input-format",
        choices=tuple(dict.fromkeys(INPUT_FORMATS.values())),
        help="where file names do not tell",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Find, write, report."""
    options = EncodeOptions(
        text=args.text,
        dim=args.dim,
        keep=tuple(name for name in args.keep.split(",") if name),
        on_error=args.on_error,
        input_format=args.input_format,
    )
    report = dedup_files(
        args.inputs, args.output, model=args.model, options=options, threshold=args.threshold
    )
    if args.json:
        print(json.dumps(asdict(report)))
        return 0
    print(
        f"read    {report.rows:,} rows in {report.seconds:.1f} s: {report.exact:,} repeat another, "
        f"{report.near:,} nearly"
    )
    if report.bad:
        print("bad     " + ", ".join(f"{count:,} {what}" for what, count in report.bad.items()))
    print(printable(f"output  {report.output}: {report.unique:,} rows"))
    return 0
