"""pumice search "question": the passages that answer it, from an index made by pumice index."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from pumice.commands.opening import add_place_argument, index_place, open_index
from pumice.commands.words import coloured
from pumice.errors import InputError
from pumice.explanation import Word
from pumice.search import Hit, SearchParams, rerank
from pumice.search.earned import Earned, Explainer
from pumice.search.filter import parse_filter
from pumice.search.highlight import Match, best_sentences
from pumice.search.index import MAX_K
from pumice.search.rendering import as_json, marked_lines, marks_for_output, place_of
from pumice.search.search_params import MODES
from pumice.terminal import printable, wants_colours

_FILTER = re.compile(r"([^=<>!]+)(>=|<=|=|>|<)(?![=<>])(.*)", re.DOTALL)
_RERANKED = 50  # at least so many are read
_EARNERS = 5  # words that are named where they cannot be coloured
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
    add_place_argument(parser)
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
    parser.add_argument(
        "--mode", choices=MODES, help="by meaning, by words, or by both (default: both)"
    )
    parser.add_argument(
        "--oversample", type=float, metavar="N", help="candidates of an index with codes, times k"
    )
    parser.add_argument(
        "--exact", action="store_true", help="compare with every vector, without codes and graph"
    )
    parser.add_argument(
        "--rerank",
        metavar="M",
        help="a cross-encoder, folder or hub id, that reads the fifty best, or ten times -k",
    )
    parser.add_argument(
        "--explain", action="store_true", help="show which words of each passage earned its place"
    )
    parser.add_argument("--json", action="store_true", help="print the hits as JSON")


def run(args: argparse.Namespace) -> int:
    """Search and print; finding nothing is no failure."""
    wanted = parse_filters(args.filter)
    question = " ".join(args.question)
    params = SearchParams(oversampling=args.oversample, exact=args.exact)
    with open_index(index_place(args.index), args.model, create=False) as index:
        k = max(_RERANKED, 10 * args.k) if args.rerank else args.k
        hits = index.search(question, k=k, filter=wanted, mode=args.mode, params=params)
        model, is_empty = index.model, not hits and not len(index)
    if args.rerank:
        hits = rerank(question, hits, model=args.rerank, k=args.k)
    earned: list[list[Earned] | None] = [None] * len(hits)
    if args.explain:
        explainer = Explainer(question, model=model, dim=index.dim, words=args.mode != "dense")
        earned = [explainer.earned(hit.text) for hit in hits]
    matches = best_sentences(hits, query=question, model=model)
    found = list(zip(hits, matches, earned, strict=True))
    if args.json:
        print(as_json([_as_json(*one) for one in found]))
        return 0
    if not hits:
        why = ": the index is empty (pumice index PATH fills it)" if is_empty else ""
        print("nothing found" + (" with this filter" if wanted else "") + why)
    for rank, (hit, match, words) in enumerate(found, start=1):
        print(f"{rank}  {hit.score:.3f}  {place_of(hit)}")
        for line in _body(hit, match, words):
            print(f"   {line}")
        print()
    return 0


def _body(hit: Hit, match: Match, words: list[Earned] | None) -> Iterator[str]:
    """The passage, its best sentence marked, or its words coloured by what they earned."""
    if words is None:
        yield from marked_lines(hit.text, match, marks=marks_for_output())
        return
    if wants_colours():
        shades = [Word(one.begin, one.end, (), one.shade) for one in words]
        yield from (line for line in coloured(hit.text, shades).splitlines() if line.strip())
        return
    yield from marked_lines(hit.text, match, marks=marks_for_output())
    best: dict[str, Earned] = {}
    for one in sorted(words, key=lambda one: -one.shade):
        best.setdefault(" ".join(printable(hit.text[one.begin : one.end]).split()), one)
    told = ", ".join(
        f"{word} {one.share:.3f}" + (" (the same word)" if one.matched else "")
        for word, one in list(best.items())[:_EARNERS]
        if one.shade > 0
    )
    yield f"earned by: {told}" if told else "earned by: nothing of it alone"


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


def _as_json(hit: Hit, match: Match, words: list[Earned] | None) -> dict[str, Any]:
    explained = {} if words is None else {"words": [asdict(one) for one in words]}
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
        **explained,
    }
