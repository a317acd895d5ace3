"""pumice tune --data TEXTS --target "recall@10 >= 0.98": the least that is enough, as a configuration."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pumice.commands.output import check_output
from pumice.errors import InputError
from pumice.evaluate import RetrievalSet, open_model
from pumice.evaluate.beir import is_beir
from pumice.evaluate.report.tuning_page import tuning_page
from pumice.evaluate.report.tuning_table import tuning_lines
from pumice.evaluate.rows import read_texts
from pumice.evaluate.tuning import Target, TuneOptions, parse_target, tune
from pumice.evaluate.tuning.held_out import held_out_queries
from pumice.evaluate.tuning.tuning import MINIMIZED
from pumice.evaluate.user_texts import Files, read_user_texts
from pumice.modelfile.writing import write_whole
from pumice.search.rendering import as_json
from pumice.terminal import printable

_DOCUMENTS, _QUERIES = 20_000, 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help='a folder in BEIR layout, .jsonl or .parquet with "text", or .txt with a text on each line',
    )
    parser.add_argument(
        "--queries",
        type=Path,
        metavar="FILE",
        help="of texts alone (default: sentences taken out of the texts)",
    )
    parser.add_argument(
        "--target",
        type=_target,
        default=parse_target("recall@10 >= 0.98"),
        metavar="TARGET",
        help='such as "recall@10 >= 0.98", of exact search\'s ten; with qrels "nDCG@10 >= 97%%" too',
    )
    parser.add_argument(
        "--minimize", choices=MINIMIZED, default="memory", help="default: %(default)s"
    )
    parser.add_argument(
        "--model", metavar="M", help="file, folder or hub id (default: the shipped model)"
    )
    parser.add_argument(
        "--documents",
        type=_count,
        default=_DOCUMENTS,
        metavar="N",
        help="how many are searched, drawn at random (default %(default)s)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="write what is chosen, for pumice index --config: .json or .toml",
    )
    parser.add_argument("--offline", action="store_true", help="never ask the hub")
    parser.add_argument("--json", action="store_true", help="print all trials as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots")


def run(args: argparse.Namespace) -> int:
    """Try, print, write; 1 where nothing reaches the target."""
    for example, file in (("index.json", args.output), ("trials.html", args.html)):
        if file is not None:
            check_output(file, what="the result", example=example)
    model = open_model(args.model, offline=args.offline)
    if model is None:
        raise InputError("bm25 has no vectors to be kept: tune an embedding model")
    data = _read(args.data, args.queries)
    options = TuneOptions(args.target, args.minimize, documents=args.documents, queries=_QUERIES)
    found = tune(model, data, options=options, tell=_tell)
    if args.json:
        print(as_json(found.as_json()))
    else:
        for line in tuning_lines(found):
            print(printable(line))
    if args.html is not None:
        write_whole(args.html, tuning_page(found).encode())
    if found.chosen is None:
        return 1
    if args.output is not None:
        write_whole(args.output, written(found.chosen.config(), args.output).encode())
        if not args.json:
            print(f"next     pumice index PATH --config {args.output}")
    return 0


def written(settings: Mapping[str, Any], file: Path) -> str:
    """As `pumice index --config` reads a file of that name."""
    if file.suffix != ".toml":
        return json.dumps(settings, indent=1) + "\n"
    said = ((name, value) for name, value in settings.items() if value is not None)
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in said)


def _read(data: Path, queries: Path | None) -> RetrievalSet:
    if queries is not None or is_beir(data):
        return read_user_texts(Files(data, queries))
    if data.is_dir():
        raise InputError(f"{data}: has no corpus.jsonl: name a folder in BEIR layout, or a file")
    name = data.name.partition(".")[0]
    return held_out_queries(name, read_texts(data, titled=True), queries=_QUERIES)


def _target(given: str) -> Target:
    try:
        return parse_target(given)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(given: str) -> int:
    number = int(given)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{given} is not at least 1")
    return number


_count.__name__ = "int"


def _tell(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)
