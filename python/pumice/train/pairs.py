"""Pairs and triplets from records: every text checked, columns named and never guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pumice.errors import InputError
from pumice.train.options import COLUMNS
from pumice.train.records import Record, checked_string, read_records
from pumice.train.sources import Source


@dataclass(frozen=True)
class Pair:
    """Two texts that belong together, and perhaps one that looks as if it did."""

    anchor: str
    positive: str
    negative: str | None = None


def read_pairs(source: Source, columns: Mapping[str, str]) -> Iterator[Pair]:
    """A source's pairs in their order; InputError names the file and line of the first that is none.

    ``columns`` gives other names for "anchor", "positive" and "negative".
    """
    names = {role: columns.get(role, role) for role in COLUMNS}
    for record in read_records(source):
        anchor, positive = (_text(record, names[role]) for role in COLUMNS[:2])
        negative = None
        if record.fields.get(names["negative"]) is not None:
            negative = _text(record, names["negative"])
        elif "negative" in columns and names["negative"] not in record.fields:
            raise _absent(record, names["negative"])
        yield Pair(anchor, positive, negative)


def _text(record: Record, name: str) -> str:
    if name not in record.fields:
        raise _absent(record, name)
    value = checked_string(record, name)
    if not value.strip():
        raise InputError(f'{record.place}: "{name}" is empty: remove the pair')
    return value


def _absent(record: Record, name: str) -> InputError:
    found = ", ".join(f'"{field}"' for field in list(record.fields)[:10]) or "none"
    return InputError(
        f'{record.place}: has no "{name}"; its columns are {found}: '
        "say which one it is with columns (--columns anchor=… positive=…)"
    )
