"""pumice compare STATIC TRANSFORMER --corpus DOCS --queries Q: which of the two, on one's own texts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pumice.evaluate.comparison import CompareOptions, compare
from pumice.evaluate.report.comparison_table import comparison_lines
from pumice.evaluate.user_texts import Files, read_user_texts
from pumice.search.rendering import as_json
from pumice.terminal import printable

_DEFAULTS = CompareOptions()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("static", help="a .pumice file, a folder, a hub id, or pumice-base-en")
    parser.add_argument("transformer", help="a sentence-transformers folder or hub id")
    parser.add_argument(
        "--corpus",
        type=Path,
        required=True,
        metavar="PATH",
        help='.jsonl or .parquet with "text" (and "_id", "title"), .txt with a text on each line, or a '
        "folder in BEIR layout, which brings queries and qrels",
    )
    parser.add_argument(
        "--queries", type=Path, metavar="FILE", help='.jsonl or .parquet with "text", or .txt'
    )
    parser.add_argument(
        "--qrels", type=Path, metavar="FILE", help=".tsv of query-id, corpus-id, score"
    )
    parser.add_argument(
        "--documents",
        type=_count,
        default=_DEFAULTS.documents,
        metavar="N",
        help="how many documents are searched (default %(default)s)",
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=_DEFAULTS.seconds,
        metavar="S",
        help="how long each model encodes for the clock (default %(default)s)",
    )
    parser.add_argument(
        "--price", type=_price, metavar="X", help="of one processor for an hour, in your currency"
    )
    parser.add_argument(
        "--vectors", type=Path, metavar="FOLDER", help="keep the transformer's vectors here"
    )
    parser.add_argument("--offline", action="store_true", help="never ask the hub")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(args: argparse.Namespace) -> int:
    """Measure, print, recommend."""
    data = read_user_texts(Files(args.corpus, args.queries, args.qrels))
    options = CompareOptions(
        documents=args.documents,
        seconds=args.seconds,
        price=args.price,
        vectors=args.vectors,
        offline=args.offline,
    )
    found = compare(args.static, args.transformer, data, options=options, tell=_tell)
    if args.json:
        print(as_json(found.as_json()))
        return 0
    for line in comparison_lines(found):
        print(printable(line))
    return 0


def _tell(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)


def _count(given: str) -> int:
    number = int(given)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{given} is not at least 1")
    return number


def _seconds(given: str) -> float:
    number = float(given)
    if not 0.1 <= number <= 3600:
        raise argparse.ArgumentTypeError(f"{given} is not between 0.1 and 3600")
    return number


def _price(given: str) -> float:
    number = float(given)
    if not 0 <= number < 1e9:
        raise argparse.ArgumentTypeError(f"{given} is no price")
    return number


_count.__name__, _seconds.__name__, _price.__name__ = "int", "number", "number"
