"""pumice eval MODEL… --data FOLDER|NAME…: what models find, and what each way of keeping vectors costs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pumice.commands.output import check_output
from pumice.errors import InputError
from pumice.evaluate import evaluate, open_model, open_sets
from pumice.evaluate.embedder import Model
from pumice.evaluate.metrics import METRICS
from pumice.evaluate.report.evaluation_page import evaluation_page
from pumice.evaluate.report.table import aligned, table
from pumice.evaluate.sets import found_folders
from pumice.modelfile.writing import write_whole
from pumice.search.rendering import as_json
from pumice.terminal import printable

Show = Callable[[Iterable[str]], None]


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
        default=[],
        metavar="FOLDER|NAME",
        help="folders in BEIR layout, folders of them, or names such as scifact, fetched from the hub",
    )
    parser.add_argument(
        "--sts",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="pairs with scores: sentence1, sentence2, score in .tsv, .csv, .jsonl or .parquet",
    )
    parser.add_argument(
        "--mteb",
        nargs="+",
        default=[],
        metavar="NAME",
        help="tasks or benchmarks of mteb, such as NanoBEIR or NanoSciFactRetrieval",
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
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page with tables and plots (of --data)"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, write the reports."""
    if not (args.data or args.sts or args.mteb):
        args.parser.error("give --data, --sts or --mteb: what shall be measured?")
    if args.html is not None and not args.data:
        args.parser.error("--html is the report of --data")
    if args.html is not None:
        check_output(args.html, what="the report", example="report.html")
    for place in args.data:  # a wrong name is told before anything takes minutes
        found_folders(place, offline=args.offline)
    models = [
        open_model(name, vectors=args.vectors, offline=args.offline)
        for name in args.models or [None]
    ]
    content: dict[str, Any] = {}
    show = _quiet if args.json else _print
    if args.sts:
        content["sts"] = _sts(_embedding(models), args.sts, show=show)
    if args.mteb:
        content["mteb"] = _mteb(_embedding(models), args.mteb, show=show)
    if args.data:
        sets = open_sets(args.data, split=args.split, offline=args.offline)
        evaluation = evaluate(models, sets, tell=_tell)
        show(table(evaluation, args.metric))
        content = {**evaluation.as_json(), **content}
        if args.html is not None:
            write_whole(args.html, evaluation_page(evaluation, args.metric).encode())
    if args.json:
        print(as_json(content))
    return 0


def _sts(models: Sequence[Model], paths: Sequence[Path], *, show: Show) -> list[dict[str, Any]]:
    from pumice.evaluate.sts import measure_sts, read_pairs

    figures = []
    for path in paths:
        pairs = read_pairs(path)
        for model in models:
            figures += measure_sts(model, pairs)
    rows = [
        [one.data, one.model, f"{one.dim:,}", f"{one.spearman:.4f}", f"{one.pairs:,}"]
        for one in figures
    ]
    show([*aligned([["sts", "model", "dim", "Spearman", "pairs"], *rows]), ""])
    return [asdict(one) for one in figures]


def _mteb(models: Sequence[Model], names: Sequence[str], *, show: Show) -> list[dict[str, Any]]:
    from pumice.evaluate.mteb_tasks import run_tasks

    figures = [figure for model in models for figure in run_tasks(model, names)]
    rows = [[one.task, one.model, one.metric, f"{one.score:.4f}"] for one in figures]
    show([*aligned([["task", "model", "metric", "score"], *rows]), ""])
    return [asdict(one) for one in figures]


def _embedding(models: Sequence[Model | None]) -> list[Model]:
    if None in models:
        raise InputError("bm25 has no vectors: --sts and --mteb take embedding models")
    return [model for model in models if model is not None]


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(printable(line))


def _quiet(lines: Iterable[str]) -> None:
    """Where JSON is printed, a table is not."""


def _tell(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)
