"""Records on their way in, checked one by one, and hits on their way out."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from pumice.errors import InputError
from pumice.search.filter import is_unaddressable
from pumice.search.home import Scored
from pumice.search.points import Payload, PointId

# str ids become UUIDv5 under this name space. Fixed for ever: it names points in stored indexes.
_ID_NAMESPACE = uuid.UUID("6f1d4a52-3c0e-5b8e-9a57-0d9c8f3b7e21")
TEXT = "text"
PRIVATE = "_pumice"  # what pumice itself keeps with a point; never shown in a Hit
_MAX_DEPTH = 32

RecordId = int | uuid.UUID | str


class Record(NamedTuple):
    """A checked record: `id` as the user gave it, `point_id` as the vector store wants it."""

    id: RecordId
    point_id: PointId
    text: str
    payload: Payload


@dataclass(frozen=True)
class Skipped:
    """A record that was not stored, and why."""

    id: RecordId
    reason: str


@dataclass(frozen=True)
class AddReport:
    """What became of the records given to `Index.add`."""

    added: int
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A record that a search found.

    `score` is the cosine with the query's vector, BM25's sum over its words, or what fusion made of
    the two lists: comparable within one search, not between modes.
    """

    id: RecordId
    score: float
    text: str
    payload: Payload = field(default_factory=dict)


@dataclass(frozen=True)
class Ranking:
    """The best records of a query, best first."""

    ids: tuple[RecordId, ...]
    scores: tuple[float, ...]


def parse_record(record: Any, *, position: int) -> Record:
    """The record at `position`, or an InputError that names the position and what is wrong."""
    if type(record) is dict and (found := _as_it_stands(record)) is not None:
        return found
    where = f"record {position}"
    if not isinstance(record, Mapping):
        raise InputError(f'{where} is a {type(record).__name__}: give a dict with "id" and "text"')
    for key in ("id", TEXT):
        if key not in record:
            raise InputError(f'{where} has no "{key}": give a dict with "id" and "text"')
    point_id = point_id_of(record["id"], where=where)
    text = record[TEXT]
    if not isinstance(text, str):
        raise InputError(f"{where}: text is a {type(text).__name__}: it must be a str")
    check_unicode(text, f"{where}: text")
    if PRIVATE in record:
        raise InputError(f'{where}: the key "{PRIVATE}" is kept for pumice: rename it')
    payload = {
        key: _checked(value, f"{where}: {key}", 1)
        for key, value in _string_keys(record, where)
        if key not in ("id", TEXT)
    }
    given = record["id"]
    return Record(given if isinstance(given, str) else point_id, point_id, text, payload)


def _as_it_stands(record: dict[Any, Any]) -> Record | None:
    """A record of the commonest kind, at a third of the time; None for one that has to be looked at."""
    given, text = record.get("id"), record.get(TEXT)
    if not (type(text) is str and _is_unicode(text)):
        return None
    point_id: PointId
    if type(given) is int and 0 <= given < 2**64:
        point_id = given
    elif type(given) is str and given.isascii():
        point_id = point_id_of_str(given)
    else:
        return None
    payload: Payload = {}
    if len(record) == 2:
        return Record(given, point_id, text, payload)
    for key, value in record.items():
        if key in ("id", TEXT):
            continue
        if not (type(key) is str and key.isidentifier() and key.isascii() and key != PRIVATE):
            return None
        kind = type(value)
        if kind is str:
            plain = _is_unicode(value)
        elif kind is int:
            plain = -(2**63) <= value < 2**64
        elif kind is float:
            plain = math.isfinite(value)
        else:
            plain = kind is bool or value is None
        if not plain:
            return None
        payload[key] = value
    return Record(given, point_id, text, payload)


def point_id_of(given: Any, *, where: str) -> PointId:
    """The id of the point: ints and UUIDs stand for themselves, a str gives a UUIDv5."""
    if isinstance(given, uuid.UUID):
        return given
    if isinstance(given, str):
        check_unicode(given, f"{where}: id")
        return point_id_of_str(given)
    if isinstance(given, Integral) and not isinstance(given, bool):
        if not 0 <= int(given) < 2**64:
            raise InputError(f"{where}: id {given} is outside 0 to 2^64 - 1: give it as a str")
        return int(given)
    raise InputError(
        f"{where}: id {given!r} is a {type(given).__name__}: use an int, a UUID or a str"
    )


def point_id_of_str(given: str) -> uuid.UUID:
    """UUIDv5."""
    return uuid.uuid5(_ID_NAMESPACE, given)


def stored_payload(record: Record, private: Mapping[str, Any] | None = None) -> Payload:
    """The payload as it is stored: the user's fields, the text, and pumice's own beside them."""
    kept = dict(private or {})
    if isinstance(record.id, str):
        kept["id"] = record.id
    payload = {**record.payload, TEXT: record.text}
    if kept:
        payload[PRIVATE] = kept
    return payload


def hit_of(found: Scored) -> Hit:
    """The hit as the user sees it: the original id, and the payload without text and privates."""
    payload = dict(found.payload)
    text = payload.pop(TEXT, "")
    private = payload.pop(PRIVATE, {})
    return Hit(private.get("id", found.id), found.score, text, payload)


def field_names(payload: Payload, prefix: str = "") -> Iterator[str]:
    """The user's own fields of a stored payload, those of dicts within as `a.b`."""
    for key, value in payload.items():
        if prefix or key not in (TEXT, PRIVATE):
            yield prefix + key
            if isinstance(value, dict):
                yield from field_names(value, f"{prefix}{key}.")


def ranking_of(found: Sequence[Scored]) -> Ranking:
    """The original ids and the scores."""
    ids = (one.payload.get(PRIVATE, {}).get("id", one.id) for one in found)
    return Ranking(tuple(ids), tuple(one.score for one in found))


def _string_keys(mapping: Mapping[Any, Any], where: str) -> Iterator[tuple[str, Any]]:
    for key, value in mapping.items():
        if not isinstance(key, str) or not key:
            raise InputError(f"{where}: payload key {key!r} is not a non-empty str")
        check_unicode(key, f"{where}: a payload key")
        if is_unaddressable(key):
            raise InputError(
                f"{where}: payload key {key!r} holds a double quote or a backslash, which no "
                "filter can spell: rename it"
            )
        yield key, value


def _checked(value: Any, where: str, depth: int) -> Any:
    """`value` as plain JSON; Edge would store bytes as lists and 2**70 as a rounded float."""
    if depth > _MAX_DEPTH:
        raise InputError(f"{where} is nested deeper than {_MAX_DEPTH} levels: flatten it")
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return check_unicode(value, where)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise InputError(f"{where} is {value}: integers must fit 64 bits; give it as a str")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError(f"{where} is {value}: JSON has no such number; use None")
        return float(value)
    if isinstance(value, (list, tuple)):
        return [_checked(item, where, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {
            key: _checked(item, f"{where}.{key}", depth + 1)
            for key, item in _string_keys(value, where)
        }
    raise InputError(
        f"{where} is a {type(value).__name__}: payloads hold str, int, float, bool, None, "
        "lists and dicts (dates as ISO 8601 strings)"
    )


def utf8_size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_unicode(text: str, where: str) -> str:
    """The text, as a plain str; InputError for a lone surrogate, which no store takes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where} holds a lone surrogate at character {error.start}: it is no valid Unicode"
        ) from None
    return str(text)
