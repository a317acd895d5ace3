"""pumice search "question": the passages that answer it, from an index made by pumice index."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pumice.errors import InputError
from pumice.search import Hit, Index
from pumice.search.highlight import Match, best_sentences
from pumice.search.location import default_index_folder
from pumice.search.rendering import ASTERISKS, BOLD, marked_lines, place_of

_FILTER = re.compile(r"([^=<>]+)(>=|<=|=|>|<)(.*)", re.DOTALL)
_BOUNDS = {">=": "gte", ">": "gt", "<=": "lte", "<": "lt"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("question", help="in your own words")
    parser.add_argument("-k", type=int, default=5, help="how many passages (default 5)")
    parser.add_argument("--index", metavar="FOLDER", help="the index (default: your own, per user)")
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="keep passages whose payload matches; also KEY>=NUMBER, <=, >, < and ISO dates; "
        "a KEY=VALUE given twice means either",
    )
    parser.add_argument("--json", action="store_true", help="print the hits as JSON")


def run(args: argparse.Namespace) -> int:
    """Search and print; finding nothing is no failure."""
    folder = Path(args.index) if args.index else default_index_folder()
    wanted = parse_filters(args.filter)
    with Index(folder, create=False) as index:
        hits = index.search(args.question, k=args.k, filter=wanted)
        matches = best_sentences(hits, query=args.question, model=index.model)
    if args.json:
        print(
            json.dumps(
                [_as_json(*pair) for pair in zip(hits, matches, strict=True)], ensure_ascii=False
            )
        )
        return 0
    if not hits:
        print("nothing found" + (" with this filter" if wanted else ""))
    styled = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for rank, (hit, match) in enumerate(zip(hits, matches, strict=True), start=1):
        print(f"{rank}  {hit.score:.3f}  {place_of(hit)}")
        for line in marked_lines(hit.text, match, marks=BOLD if styled else ASTERISKS):
            print(f"   {line}")
        print()
    return 0


def parse_filters(given: Sequence[str]) -> dict[str, Any] | None:
    """`["year>=2020", "tag=a", "tag=b"]` as the filter that Index.search takes."""
    wanted: dict[str, Any] = {}
    for one in given:
        parts = _FILTER.fullmatch(one)
        if parts is None:
            raise InputError(f"--filter {one!r}: write KEY=VALUE, KEY>=NUMBER, <=, > or <")
        key, operator, value = parts[1].strip(), parts[2], parts[3].strip()
        is_range = operator != "="
        if isinstance(wanted.get(key, {} if is_range else []), dict) != is_range:
            raise InputError(f"--filter {one!r}: {key} has a range and a value; use one of them")
        if is_range:
            wanted.setdefault(key, {})[_BOUNDS[operator]] = _number(value)
        else:
            wanted.setdefault(key, []).extend(_readings(value))
    return wanted or None


def _readings(value: str) -> list[Any]:
    """The shell has strings only: 2024 may be stored as a number or as text, so look for both."""
    meant = {"true": True, "false": False}.get(value.lower(), _number(value))
    return [value] if isinstance(meant, str) else [value, meant]


def _number(value: str) -> Any:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _as_json(hit: Hit, match: Match) -> dict[str, Any]:
    return {
        "id": hit.id if isinstance(hit.id, (int, str)) else str(hit.id),
        "score": hit.score,
        "text": hit.text,
        "match": {
            "start": match.start,
            "end": match.end,
            "text": hit.text[match.start : match.end],
        },
        "payload": hit.payload,
    }
