"""pumice eval MODEL… --data FOLDER|NAME…: what models find, and what each way of keeping vectors costs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from pumice.commands.output import check_output
from pumice.evaluate import evaluate, open_model, open_sets
from pumice.evaluate.evaluation import Evaluation
from pumice.evaluate.metrics import METRICS
from pumice.evaluate.report.evaluation_page import evaluation_page
from pumice.evaluate.report.table import table
from pumice.evaluate.sets import found_folders
from pumice.modelfile.writing import write_whole
from pumice.terminal import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="a .pumice file, a folder, a hub id, st:ID for a transformer, or bm25 "
        "(default: the shipped model)",
    )
    parser.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="FOLDER|NAME",
        help="folders in BEIR layout, folders of them, or names such as scifact, fetched from the hub",
    )
    parser.add_argument("--split", help="which qrels (default: test, or the only ones)")
    parser.add_argument(
        "--metric",
        choices=METRICS,
        default="nDCG@10",
        help="which the table shows (default %(default)s)",
    )
    parser.add_argument(
        "--vectors", type=Path, metavar="FOLDER", help="keep a transformer's vectors here"
    )
    parser.add_argument("--offline", action="store_true", help="never ask the hub")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page with tables and plots"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write the reports."""
    for kind, file in (("json", args.json), ("html", args.html)):
        if file is not None:
            check_output(file, what="the report", example=f"report.{kind}")
    for place in args.data:  # a wrong name is told before anything takes minutes
        found_folders(place, offline=args.offline)
    models = [
        open_model(name, vectors=args.vectors, offline=args.offline)
        for name in args.models or [None]
    ]
    sets = open_sets(args.data, split=args.split, offline=args.offline)
    evaluation = evaluate(models, sets, tell=_tell)
    for line in table(evaluation, args.metric):
        print(printable(line))
    write_reports(evaluation, args)
    return 0


def write_reports(evaluation: Evaluation, args: argparse.Namespace) -> None:
    """The files that were asked for, each whole or not at all."""
    if args.json is not None:
        content = json.dumps(evaluation.as_json(), indent=1, ensure_ascii=False)
        write_whole(args.json, content.encode() + b"\n")
    if args.html is not None:
        write_whole(args.html, evaluation_page(evaluation, args.metric).encode())


def _tell(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)
