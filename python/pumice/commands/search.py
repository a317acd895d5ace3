"""pumice search "question": the passages that answer it, from an index made by pumice index."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pumice.commands.opening import open_index
from pumice.errors import InputError
from pumice.search import Hit
from pumice.search.filter import parse_filter
from pumice.search.highlight import Match, best_sentences
from pumice.search.index import MAX_K
from pumice.search.location import default_index_folder
from pumice.search.rendering import as_json, marked_lines, marks_for_output, place_of

_FILTER = re.compile(r"([^=<>!]+)(>=|<=|=|>|<)(?![=<>])(.*)", re.DOTALL)
_BOUNDS = {">=": "gte", ">": "gt", "<=": "lte", "<": "lt"}


class _AddFilter(argparse.Action):
    """Checks each --filter with those before it, so that a wrong one is wrong usage."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        given = [*getattr(namespace, self.dest), values]
        try:
            parse_filter(parse_filters(given))
        except InputError as error:
            raise argparse.ArgumentError(self, str(error)) from None
        setattr(namespace, self.dest, given)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("question", nargs="+", help="in your own words")
    parser.add_argument("-k", type=_count, default=5, help="how many passages (default 5)")
    parser.add_argument("--index", metavar="FOLDER", help="the index (default: your own, per user)")
    parser.add_argument(
        "--model", metavar="M", help="where the index's model is now (default: where it was)"
    )
    parser.add_argument(
        "--filter",
        action=_AddFilter,
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
    question = " ".join(args.question)
    with open_index(folder, args.model, create=False) as index:
        hits = index.search(question, k=args.k, filter=wanted)
        model = index.model
    matches = best_sentences(hits, query=question, model=model)
    if args.json:
        print(as_json([_as_json(*pair) for pair in zip(hits, matches, strict=True)]))
        return 0
    if not hits:
        print("nothing found" + (" with this filter" if wanted else ""))
    marks = marks_for_output()
    for rank, (hit, match) in enumerate(zip(hits, matches, strict=True), start=1):
        print(f"{rank}  {hit.score:.3f}  {place_of(hit)}")
        for line in marked_lines(hit.text, match, marks=marks):
            print(f"   {line}")
        print()
    return 0


def parse_filters(given: Sequence[str]) -> dict[str, Any] | None:
    """`["year>=2020", "tag=a", "tag=b"]` as the filter that Index.search takes."""
    wanted: dict[str, Any] = {}
    for one in given:
        parts = _FILTER.fullmatch(one)
        key = parts[1].strip() if parts else ""
        if parts is None or not key:
            raise InputError(f"{one!r}: write KEY=VALUE, KEY>=NUMBER, <=, > or <")
        operator, value = parts[2], parts[3].strip()
        is_range = operator != "="
        if isinstance(wanted.get(key, {} if is_range else []), dict) != is_range:
            raise InputError(f"{one!r}: {key} has a range and a value; use one of them")
        if is_range:
            wanted.setdefault(key, {})[_BOUNDS[operator]] = _number(value)
        else:
            wanted.setdefault(key, []).extend(_readings(value))
    return wanted or None


def _count(given: str) -> int:
    k = int(given)
    if not 1 <= k <= MAX_K:
        raise argparse.ArgumentTypeError(f"{given} is not between 1 and {MAX_K:,}")
    return k


_count.__name__ = "int"  # argparse's "invalid int value" names the type by it


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
