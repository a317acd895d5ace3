"""Hits for people: the passage with its best sentence marked, safe to print on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pumice.search.highlight import Match
from pumice.search.record import Hit
from pumice.terminal import printable

BOLD = ("\033[1m", "\033[0m")
ASTERISKS = ("**", "**")  # for a terminal that wants no styles
PLAIN = ("", "")


def counted(number: int, noun: str) -> str:
    """`1 file`, `2,000 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def as_json(value: Any) -> str:
    """One line of JSON that standard output can encode."""
    unicode = (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    return json.dumps(value, ensure_ascii=not unicode)


def marks_for_output() -> tuple[str, str]:
    """What stands around the best sentence: nothing where no person reads it from a terminal."""
    if not sys.stdout.isatty():
        return PLAIN
    return ASTERISKS if "NO_COLOR" in os.environ else BOLD


def marked_lines(text: str, match: Match, *, marks: tuple[str, str]) -> Iterator[str]:
    """The passage's lines without blank ones; each line of the match is marked by itself."""
    begin, end = marks
    at = 0
    for line in text.splitlines(keepends=True):
        low, high = (min(max(edge - at, 0), len(line)) for edge in (match.start, match.end))
        at += len(line)
        middle = line[low:high]
        inner = middle.strip()
        if inner:
            lead = len(middle) - len(middle.lstrip())
            before, after = line[: low + lead], line[low + lead + len(inner) :]
            line = f"{printable(before)}{begin}{printable(inner)}{end}{printable(after)}"
        else:
            line = printable(line)
        if line.strip():
            yield line.rstrip()


def place_of(hit: Hit) -> str:
    """Where the hit comes from, as short as it stays clear: notes/passport.md:12."""
    source = hit.payload.get("source")
    if not isinstance(source, str):
        return printable(str(hit.id))
    for name, label in (("line", ":"), ("page", ", page "), ("row", ", row ")):
        if name in hit.payload:
            return printable(f"{_short(source)}{label}{hit.payload[name]}")
    return printable(_short(source))


def _short(source: str) -> str:
    path = Path(source)
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    home = os.path.expanduser("~")
    if home != os.sep and path.is_relative_to(home):
        return os.path.join("~", path.relative_to(home))
    return source
