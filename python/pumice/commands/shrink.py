"""pumice shrink: a smaller model, and what each way of making it smaller costs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pumice.commands.output import check_output
from pumice.errors import InputError
from pumice.loading import load
from pumice.model import StaticModel
from pumice.modelfile.rows import ROW_DTYPES
from pumice.shrink.agreement import Quality, agreement
from pumice.shrink.ladder import Rung, Setting, climb, model_of, neighbours_of, whole_setting
from pumice.shrink.limit import Limit, Range, fit
from pumice.shrink.shrinking import Shrinker
from pumice.shrink.sizes import COMPRESSIONS, check_compression, parsed_size
from pumice.terminal import printable
from pumice.text_files import read_texts

_WRONG_USAGE = 2  # what argparse exits with too


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help="a .pumice file, a folder or a hub id (default: the shipped model)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="where the model goes (without it the ladder alone is printed)",
    )
    parser.add_argument("--tokens", type=int, metavar="N", help="tokens to keep, the most frequent")
    parser.add_argument("--dim", type=int, metavar="D", help="dimensions to keep, a valid prefix")
    parser.add_argument(
        "--dtype", choices=ROW_DTYPES, help="how rows are stored (default: as they are)"
    )
    parser.add_argument(
        "--max-size",
        metavar="SIZE",
        help="choose what is best of all that is no larger, such as 4MB; --dim, --dtype and --tokens then "
        "say what to choose from (needs --eval or --corpus)",
    )
    parser.add_argument(
        "--compressed",
        choices=COMPRESSIONS,
        default="none",
        help="--max-size counts bytes after this (default: %(default)s)",
    )
    parser.add_argument(
        "--corpus",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="texts to count tokens in: .txt, .md, .rst, .jsonl, packed or not, or folders of these",
    )
    parser.add_argument(
        "--eval",
        nargs="+",
        metavar="FOLDER",
        help="test collections in BEIR layout, or folders of them: quality is their mean nDCG@10; "
        "without them it is the share of neighbours that a model has in common with the whole one, "
        "among texts of the corpus",
    )
    parser.add_argument("--offline", action="store_true", help="never ask the hub")
    parser.add_argument("--json", action="store_true", help="print the ladder as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Measure the ladder, print it, write the chosen model."""
    try:
        limit = _limit(args)
    except InputError as error:  # it comes from flags alone: this is wrong usage
        print(f"pumice shrink: error: {error}", file=sys.stderr)
        return _WRONG_USAGE
    if args.output is not None:
        check_output(args.output)
    whole = load(args.model, offline=args.offline)
    shrinker = Shrinker(whole, corpus=None if args.corpus is None else read_texts(args.corpus))
    asked = Setting(
        shrinker.total if args.tokens is None else args.tokens,
        shrinker.checked_dim(args.dim),
        shrinker.checked_dtype(args.dtype),
    )
    if asked.tokens > shrinker.total:
        raise InputError(f"--tokens {asked.tokens}: the model has {shrinker.total} tokens")
    quality = _quality(args, whole)
    table = _Table(args, whole)
    if limit is None:
        model = model_of(shrinker, asked)
        if args.output is not None:
            model.save(args.output)  # it is there before anything is measured for minutes
        settings = neighbours_of(shrinker, asked)
        rungs = climb(shrinker, settings, quality=quality, tell=table.add)
        chosen = next(rung for rung in rungs if rung.setting == asked)
    else:
        assert quality is not None
        rungs = climb(shrinker, [whole_setting(shrinker)], quality=quality, tell=table.add)
        best = fit(shrinker, limit, quality=quality, within=_range(args, shrinker), tell=table.add)
        rungs, chosen = [*rungs, *best], best[0]
        model = model_of(shrinker, chosen.setting)
        if args.output is not None:
            model.save(args.output)
    table.close(rungs, chosen, model)
    return 0


def _limit(args: argparse.Namespace) -> Limit | None:
    chooses = any(value is not None for value in (args.tokens, args.dim, args.dtype, args.max_size))
    if args.output is not None and not chooses:
        raise InputError("give --tokens, --dim, --dtype or --max-size: what shall be smaller?")
    for name, count in (("--tokens", args.tokens), ("--dim", args.dim)):
        if count is not None and count < 1:
            raise InputError(f"{name} {count}: give a positive whole number")
    if args.max_size is None:
        if args.compressed != "none":
            raise InputError("--compressed says how --max-size is counted: give --max-size")
        return None
    if args.eval is None and args.corpus is None:
        raise InputError("--max-size chooses by quality: give --eval or --corpus to measure it on")
    check_compression(args.compressed)
    return Limit(parsed_size(args.max_size), args.compressed)


def _range(args: argparse.Namespace, shrinker: Shrinker) -> Range:
    dims = shrinker.dims if args.dim is None else (args.dim,)
    given = {} if args.dtype is None else {"dtypes": (args.dtype,)}
    return Range(dims, tokens=args.tokens, **given)


def _quality(args: argparse.Namespace, whole: StaticModel) -> Quality | None:
    if args.eval is not None:
        from pumice.evaluate import open_sets
        from pumice.evaluate.metrics import check_installed
        from pumice.evaluate.ndcg import exact_ndcg

        check_installed()
        sets = list(open_sets(args.eval, offline=args.offline))

        def mean_ndcg(model: StaticModel) -> float:
            found = exact_ndcg(model, sets)
            return sum(found.values()) / len(found)

        return mean_ndcg
    return None if args.corpus is None else agreement(whole, read_texts(args.corpus))


class _Table:
    """The ladder as it is climbed, for people; or all of it, as JSON."""

    def __init__(self, args: argparse.Namespace, whole: StaticModel) -> None:
        self._args = args
        self._whole = whole
        self._first: Rung | None = None
        self._measure = "nDCG@10" if args.eval else "neighbours" if args.corpus else ""

    def add(self, rung: Rung) -> None:
        """Print a rung; the first one is the whole model."""
        if self._args.json:
            return
        if self._first is None:
            self._first = rung
            print(f"tokens   dim  rows       stored      gzip    brotli  {self._measure}".rstrip())
        print(self._line(rung), flush=True)

    def close(self, rungs: list[Rung], chosen: Rung, model: StaticModel) -> None:
        """Say which one was chosen, and where it went."""
        output = None if self._args.output is None else str(self._args.output)
        if self._args.json:
            made: dict[str, Any] = {
                "model": output,
                "fingerprint": model.fingerprint,
                "quality": {"nDCG@10": "nDCG@10", "neighbours": "agreement"}.get(self._measure),
                "chosen": asdict(chosen),
                "ladder": [asdict(rung) for rung in rungs],
            }
            print(json.dumps(made))
        elif output is not None:
            print(printable(f"{output}: {self._line(chosen).strip()}"))

    def _line(self, rung: Rung) -> str:
        setting, sizes = rung.setting, rung.sizes
        cells = [f"{setting.tokens:>6}  {setting.dim:>4}  {setting.dtype:7}"]
        cells += [f"{_megabytes(size):>8}" for size in (sizes.stored, sizes.gzip, sizes.brotli)]
        return "  ".join([*cells, *self._qualities(rung)])

    def _qualities(self, rung: Rung) -> Iterator[str]:
        if rung.quality is None:
            return
        yield f"{rung.quality:.4f}"
        if self._first is not None and self._first.quality and self._measure == "nDCG@10":
            yield f"{rung.quality / self._first.quality:6.1%}"


def _megabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.2f} MB"
