"""Records on their way into an index: the quick ways check what the slow one does, record by record."""

from __future__ import annotations

import math
import re
import uuid
from collections import OrderedDict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumice.errors import InputError
from pumice.search import Index, incoming
from pumice.search import record as record_module

PLAIN = st.integers() | st.text(max_size=5) | st.floats() | st.booleans() | st.none()
ODD = (
    st.lists(PLAIN, max_size=2)
    | st.binary(max_size=2)
    | st.just(np.float32(1.5))
    | st.just(uuid.UUID(int=7))
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "text", "year", "a b", "é", '"', "_pumice", ""])
        | st.text(max_size=3),
        PLAIN | ODD,
    )
)
def test_records_as_they_stand_are_what_checking_makes_of_them(fields: dict[str, Any]) -> None:
    record = {"id": 1, "text": "snow", **fields}
    quick = record_module._as_it_stands(record)
    try:
        # A dict of another type takes the long way.
        checked = record_module.parse_record(OrderedDict(record), position=0)
    except InputError:
        assert quick is None
    else:
        assert quick is None or repr(quick) == repr(checked)


def test_a_plain_record_takes_the_quick_path() -> None:
    plain = {"id": "a", "text": "sn\u00f6", "year": 2024, "share": 0.5, "new": True, "by": None}
    quick = record_module._as_it_stands(plain)
    assert quick is not None
    assert repr(quick) == repr(record_module.parse_record(OrderedDict(plain), position=0))
    assert record_module._as_it_stands({"id": 1, "text": "snow"}) is not None
    assert record_module._as_it_stands({**plain, "tags": ["a"]}) is None


@given(st.data())
@settings(deadline=None)
def test_columns_are_what_their_records_are(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 5))
    ids = st.integers(-1, 2**64) | st.text(max_size=3)
    kinds = [ids, st.text(max_size=3), PLAIN | ODD, st.integers(), st.floats() | st.none()]
    names = ["id", "text", "_pumice", "year", "a b"]
    columns = {
        name: data.draw(st.lists(kind, min_size=count, max_size=count))
        for name, kind in zip(names, kinds, strict=True)
        if name in ("id", "text") or data.draw(st.booleans())
    }
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def told(batches: Any) -> Any:
        try:
            found = list(batches)
        except InputError as error:
            return str(error)
        return repr([(list(b.ids), list(b.point_ids), b.texts, b.payloads) for b in found])

    assert told(incoming.batches_of_columns(columns, size=7)) == told(
        incoming.batches_of_records(records, size=7)
    )


def test_plain_columns_take_the_quick_path(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {
        "id": ["a", "b"],
        "text": ["sn\u00f6", "x"],
        "year": np.arange(2),
        "by": [None, 0.5],
        "of": pa.array(["q", None]),
    }
    slowly = next(incoming.batches_of_columns({**columns, "tags": [["a"], ["b"]]}, size=7))
    monkeypatch.setattr(incoming, "parse_record", None)
    quick = next(incoming.batches_of_columns(columns, size=7))
    for one, other in zip(quick.payloads, slowly.payloads, strict=True):
        assert one == {key: value for key, value in other.items() if key != "tags"}
    assert list(quick.point_ids) == list(slowly.point_ids)


def test_columns_are_added(index: Index, sentences: list[str]) -> None:
    numbers = np.arange(1500)
    texts = [f"{sentences[at % 300]} {at}" for at in range(1500)]
    texts[1200] = ""
    report = index.add_columns({"id": numbers, "text": texts, "half": numbers / 2})
    assert (report.added, [one.id for one in report.skipped]) == (1499, [1200])
    hit = index.search(texts[1499], k=1, filter={"half": 749.5})[0]
    assert (hit.id, hit.text, hit.payload) == (1499, texts[1499], {"half": 749.5})


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([{"id": 1, "text": "a"}], "columns is a list: give a dict of lists"),
        ({"id": [1]}, 'columns has no "text"'),
        ({"id": [1], "text": "a"}, "columns: 'text' is a str: give a list"),
        ({"id": [1, 2], "text": ["a"]}, "columns: 'text' has 1 values and \"id\" 2"),
        ({"id": [1, 2], "text": ["a", None]}, "record 1: text is a NoneType"),
        ({"id": [1, 2], "text": ["a", "b"], "x": [0.5, math.nan]}, "record 1: x is nan"),
    ],
)
def test_columns_that_cannot_be_stored(index: Index, columns: Any, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        index.add_columns(columns)
    assert len(index) == 0
