"""Records on their way into an index: checked, in columns, and cut into batches that are stored together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pumice.errors import InputError
from pumice.search.points import Payload, PointId
from pumice.search.record import (
    PRIVATE,
    TEXT,
    Record,
    RecordId,
    parse_record,
    point_id_of_str,
    stored_payload,
)

_BATCH_CHARACTERS = 8_000_000
_PLAIN = {str, int, float, bool, type(None)}


@dataclass(frozen=True)
class Batch:
    """Checked records in columns; `first` is the place of the first one among those given."""

    first: int
    ids: Sequence[RecordId]
    """As the user gave them."""
    point_ids: Sequence[PointId]
    texts: Sequence[str]
    payloads: Sequence[Payload]
    """As they are stored: the text and pumice's own fields among them."""

    @classmethod
    def of(cls, first: int, records: Sequence[Record]) -> Batch:
        """Of records that are checked."""
        ids, point_ids, texts, _ = zip(*records, strict=True)
        return cls(first, ids, point_ids, list(texts), list(map(stored_payload, records)))

    def __len__(self) -> int:
        """How many records."""
        return len(self.ids)

    def take(self, rows: Sequence[int]) -> Batch:
        """Some of the records, in this order."""
        return Batch(
            self.first,
            [self.ids[row] for row in rows],
            [self.point_ids[row] for row in rows],
            [self.texts[row] for row in rows],
            [self.payloads[row] for row in rows],
        )


def batches_of_records(
    records: Iterable[Mapping[str, Any]], *, size: int, first: int = 0
) -> Iterator[Batch]:
    """Read no further than the batch that is wanted. InputError for a record that cannot be stored."""
    batch: list[Record] = []
    characters = 0
    at = first - 1
    for at, given in enumerate(records, first):
        record = parse_record(given, position=at)
        batch.append(record)
        characters += len(record.text)
        if len(batch) == size or characters > _BATCH_CHARACTERS:
            yield Batch.of(at + 1 - len(batch), batch)
            batch, characters = [], 0
    if batch:
        yield Batch.of(at + 1 - len(batch), batch)


def batches_of_columns(columns: Mapping[str, Sequence[Any]], *, size: int) -> Iterator[Batch]:
    """The same of records in columns, which are checked a column at a time where their values are plain."""
    count = length_of(columns)
    # What a record may not have is told, and named, where records are checked one by one.
    named = all(map(_is_plain_name, columns))
    for first in range(0, count, size):
        part = {name: _listed(column[first : first + size]) for name, column in columns.items()}
        plain = _plain_batch(first, part) if named else None
        if plain is not None:
            yield plain
        else:
            rows = zip(*part.values(), strict=True)
            yield from batches_of_records(
                (dict(zip(part, row, strict=True)) for row in rows), size=size, first=first
            )


def length_of(columns: Mapping[str, Any]) -> int:
    """How many records the columns hold; InputError unless they are columns of one length."""
    if not isinstance(columns, Mapping):
        raise InputError(
            f'columns is a {type(columns).__name__}: give a dict of lists, "id" and "text" among them'
        )
    for name in ("id", TEXT):
        if name not in columns:
            raise InputError(f'columns has no "{name}": give a list with a value for each record')
    for name, column in columns.items():
        if isinstance(column, (str, bytes, Mapping)) or not hasattr(column, "__getitem__"):
            raise InputError(f"columns: {name!r} is a {type(column).__name__}: give a list")
        if len(column) != len(columns["id"]):
            raise InputError(
                f'columns: {name!r} has {len(column)} values and "id" {len(columns["id"])}'
            )
    return len(columns["id"])


def _listed(column: Any) -> Sequence[Any]:
    """Python's own values: Arrow, Polars and numpy each have a name for that."""
    for name in ("to_pylist", "to_list", "tolist"):
        if (listed := getattr(column, name, None)) is not None:
            found: list[Any] = listed()
            return found
    given: Sequence[Any] = column
    return given


def _is_plain_name(name: Any) -> bool:
    return type(name) is str and name.isidentifier() and name.isascii() and name != PRIVATE


def _plain_batch(first: int, columns: Mapping[str, Sequence[Any]]) -> Batch | None:
    """None for columns that have to be looked at record by record."""
    columns = dict(columns)
    ids, texts = columns.pop("id"), columns.pop(TEXT)
    if set(map(type, texts)) != {str} or sum(map(len, texts)) > _BATCH_CHARACTERS:
        return None
    if not (_are_plain(texts) and all(map(_are_plain, columns.values()))):
        return None
    payloads: list[Payload]
    if columns:
        names, rows = (*columns, TEXT), zip(*columns.values(), texts, strict=True)
        payloads = [dict(zip(names, row, strict=True)) for row in rows]
    else:
        payloads = [{TEXT: text} for text in texts]
    kinds = set(map(type, ids))
    if kinds == {int} and min(ids) >= 0 and max(ids) < 2**64:
        return Batch(first, ids, ids, texts, payloads)
    if kinds == {str} and all(map(str.isascii, ids)):
        for payload, given in zip(payloads, ids, strict=True):
            payload[PRIVATE] = {"id": given}
        return Batch(first, ids, list(map(point_id_of_str, ids)), texts, payloads)
    return None


def _are_plain(column: Sequence[Any]) -> bool:
    kinds = set(map(type, column))
    if not kinds <= _PLAIN:
        return False
    if str in kinds:
        texts = column if kinds == {str} else [value for value in column if type(value) is str]
        if not all(map(str.isascii, texts)):
            try:
                "".join(texts).encode()
            except UnicodeEncodeError:
                return False
    if int in kinds:
        numbers = column if kinds == {int} else [value for value in column if type(value) is int]
        if min(numbers) < -(2**63) or max(numbers) >= 2**64:
            return False
    if float in kinds:
        return all(math.isfinite(value) for value in column if type(value) is float)
    return True
