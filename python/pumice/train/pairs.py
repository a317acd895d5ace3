"""Pairs, hard negatives and scores from records: every value checked, columns named and never guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pumice.errors import InputError
from pumice.records import Record, checked_string, kind_of
from pumice.train.options import COLUMNS
from pumice.train.pair import Pair
from pumice.train.records import source_records
from pumice.train.sources import Source

_MOST_SCORE = 1e6  # its square is still a float32


def read_pairs(source: Source, columns: Mapping[str, str]) -> Iterator[Pair]:
    """A source's pairs in their order; InputError names the file and line of the first that is none.

    ``columns`` gives other names for "anchor", "positive", "negative", "negatives" and "scores".
    """
    if source.pairs is not None:
        yield from checked_pairs(source.pairs, name=source.path)
        return
    names = {role: columns.get(role, role) for role in COLUMNS}
    for record in source_records(source):
        anchor, positive = (_text(record, names[role]) for role in COLUMNS[:2])
        for role in COLUMNS[2:]:
            if role in columns and names[role] not in record.fields:
                raise _absent(record, names[role])
        negatives = _negatives(record, names)
        yield Pair(anchor, positive, negatives, _scores(record, names["scores"], len(negatives)))


def checked_pairs(pairs: Sequence[Pair], *, name: str = "pairs") -> Sequence[Pair]:
    """The same pairs; InputError names the number, from 0, of the first that is none."""
    if isinstance(pairs, (str, bytes)) or not isinstance(pairs, Sequence):
        raise InputError(f"{name} is {type(pairs).__name__}: give a list of Pair")
    for number, pair in enumerate(pairs):
        place = f"{name}: pair {number}"
        if not isinstance(pair, Pair):
            raise InputError(f"{place}: is {type(pair).__name__}, not a Pair")
        record = Record(place, vars(pair))
        for role in ("anchor", "positive"):
            _text(record, role)
        if not isinstance(pair.negatives, tuple) or not isinstance(pair.scores, tuple):
            raise InputError(f"{place}: negatives and scores are tuples")
        _listed_texts(record, "negatives")
        _scores(record, "scores", len(pair.negatives))
    return pairs


def _negatives(record: Record, names: Mapping[str, str]) -> tuple[str, ...]:
    one = record.fields.get(names["negative"]) is not None
    many = record.fields.get(names["negatives"]) is not None
    if one and many:
        raise InputError(
            f'{record.place}: has "{names["negative"]}" and "{names["negatives"]}": '
            "put all into the second"
        )
    if one:
        return (_text(record, names["negative"]),)
    return _listed_texts(record, names["negatives"]) if many else ()


def _listed_texts(record: Record, name: str) -> tuple[str, ...]:
    value = record.fields[name]
    if not isinstance(value, (list, tuple)):
        raise InputError(f'{record.place}: "{name}" is {kind_of(value)}, not a list of strings')
    return tuple(
        _text(Record(record.place, {f"{name}[{number}]": text}), f"{name}[{number}]")
        for number, text in enumerate(value)
    )


def _scores(record: Record, name: str, negatives: int) -> tuple[float, ...]:
    value: Any = record.fields.get(name)
    if value is None or value == ():
        return ()
    if not isinstance(value, (list, tuple)):
        raise InputError(f'{record.place}: "{name}" is {kind_of(value)}, not a list of numbers')
    if not negatives:
        raise InputError(
            f'{record.place}: has "{name}" and no negative: one candidate has nothing to compare'
        )
    if len(value) != 1 + negatives:
        raise InputError(
            f'{record.place}: "{name}" has length {len(value)} for {negatives} negatives: '
            "give the positive's, then one for each negative"
        )
    for score in value:
        if isinstance(score, bool) or not isinstance(score, (int, float)):
            raise InputError(f'{record.place}: "{name}" holds {kind_of(score)}, not a number')
        if not abs(score) <= _MOST_SCORE:
            raise InputError(
                f'{record.place}: "{name}" holds {score}: give numbers from -1e6 to 1e6'
            )
    return tuple(map(float, value))


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
