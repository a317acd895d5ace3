"""Pairs from every kind of file; each thing that is no pair is one sentence with its file and line."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.errors import InputError
from pumice.train.dataset import tokenize_sources
from pumice.train.options import TrainOptions
from pumice.train.pair import Pair
from pumice.train.pairs import read_pairs
from pumice.train.sources import Source, listed_sources, parse_source
from pumice.train.tokens import TokenMemory
from tests.train.conftest import make_pairs, write_jsonl

PAIRS = [
    {"anchor": "naïve ภาษา", "positive": "العربية\n", "negative": "한국어 👩‍👩‍👧"},
    {"anchor": "a", "positive": 'b, "c"', "negative": None},
]
EXPECTED = [Pair("naïve ภาษา", "العربية\n", ("한국어 👩‍👩‍👧",)), Pair("a", 'b, "c"')]


def as_jsonl() -> bytes:
    return "".join(json.dumps(pair) + "\n" for pair in PAIRS).encode()


def as_csv(folder: Path) -> bytes:
    file = folder / "made.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, ["anchor", "positive"])
        writer.writeheader()
        writer.writerows({name: pair[name] for name in ("anchor", "positive")} for pair in PAIRS)
    return file.read_bytes()


def as_parquet(folder: Path) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(PAIRS), folder / "made.parquet")
    return (folder / "made.parquet").read_bytes()


def zst(data: bytes) -> bytes:
    return bytes(pytest.importorskip("zstandard").compress(data))


def unpacked(data: bytes) -> bytes:
    return data


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [("", unpacked), (".xz", lzma.compress), (".gz", gzip.compress), (".zst", zst)],
)
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_every_format(
    tmp_path: Path, kind: str, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    data = {"jsonl": lambda _: as_jsonl(), "csv": as_csv, "parquet": as_parquet}[kind](tmp_path)
    file = tmp_path / f"pairs.{kind}{suffix}"
    file.write_bytes(pack(data))
    expected = EXPECTED
    if kind == "csv":
        expected = [Pair(pair.anchor, pair.positive) for pair in EXPECTED]
    assert list(read_pairs(Source(str(file)), {})) == expected


def test_columns_are_named_and_never_guessed(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", [{"query": "a", "passage": "b", "hard": "c"}])
    with pytest.raises(
        InputError, match=r':1: has no "anchor"; its columns are "query", "passage"'
    ):
        list(read_pairs(Source(str(file)), {}))
    named = {"anchor": "query", "positive": "passage", "negative": "hard"}
    assert list(read_pairs(Source(str(file)), named)) == [Pair("a", "b", ("c",))]
    with pytest.raises(InputError, match='has no "worst"'):
        list(read_pairs(Source(str(file)), {**named, "negative": "worst"}))


HOSTILE = [
    ("p.jsonl", b'{"anchor": "a"}', 'p.jsonl:1: has no "positive"; its columns are "anchor"'),
    ("p.jsonl", b'{"anchor": null, "positive": "b"}', '"anchor" is null, not a string'),
    ("p.jsonl", b'{"anchor": 1, "positive": "b"}', '"anchor" is a number, not a string'),
    ("p.jsonl", b'{"anchor": "a", "positive": ["b"]}', '"positive" is a list, not a string'),
    ("p.jsonl", b'{"anchor": "a", "positive": {}}', '"positive" is an object, not a string'),
    ("p.jsonl", b'{"anchor": true, "positive": "b"}', '"anchor" is true or false, not a string'),
    ("p.jsonl", b'\n\n{"anchor": " \\n", "positive": "b"}', 'p.jsonl:3: "anchor" is empty'),
    ("p.jsonl", b'{"anchor": "\\ud800", "positive": "b"}', "holds a lone surrogate"),
    ("p.jsonl", b'{"anchor": "a", "positive": "b", "negative": 3}', '"negative" is a number'),
    ("p.jsonl", b'["a", "b"]', "p.jsonl:1: not a JSON object: put one object on each line"),
    ("p.jsonl", b'{"anchor": "a"', "p.jsonl:1: not a JSON object: "),
    ("p.jsonl", b"[" * 100_000, "p.jsonl:1: not a JSON object: nested too deeply"),
    ("p.jsonl", b'{"a": ' + b"9" * 5_000 + b"}", "p.jsonl:1: not a JSON object: a number too long"),
    ("p.csv", b"anchor,positive,anchor\na,b,c\n", 'p.csv:1: the header names "anchor" twice'),
    ("p.jsonl", b"\xff\xfe", "p.jsonl:1: is not UTF-8 text: convert it"),
    ("p.jsonl", b"", "p.jsonl: holds no pair"),
    ("p.csv", b"anchor,positive\na\n", "p.csv:2: has 1 fields, the header 2"),
    ("p.csv", b'anchor,positive\n"a,b\n', "p.csv:2: not CSV: "),
    ("p.csv", b"anchor,positive\na,\n", 'p.csv:2: "positive" is empty'),
    ("p.csv", b"\xff", "p.csv: is not UTF-8 text: convert it"),
    ("p.csv", b"", "p.csv: holds no pair"),
    ("p.jsonl.gz", b"not gzip", "p.jsonl.gz: cannot be read: "),
    ("p.jsonl.gz", gzip.compress(as_jsonl(), mtime=0)[:-9], "p.jsonl.gz: cannot be read: "),
    ("p.jsonl.xz", b"not xz", "p.jsonl.xz: cannot be read: "),
    ("p.jsonl.xz", lzma.compress(as_jsonl())[:-9], "p.jsonl.xz: cannot be read: "),
    ("p.jsonl.zst", b"not zst", "p.jsonl.zst: cannot be read: "),
    ("p.parquet", b"PAR1 not parquet PAR1", "p.parquet: not Parquet: "),
    (
        "p.jsonl",
        b'{"anchor": "bata", "positive": "of"}',
        "p.jsonl: has 1 usable pairs to train on",
    ),
]


@pytest.mark.parametrize(("name", "data", "message"), HOSTILE)
def test_hostile_files(
    start: pumice.StaticModel,
    inside: Callable[[str], Path],
    name: str,
    data: bytes,
    message: str,
) -> None:
    if name.endswith(".zst"):
        pytest.importorskip("zstandard")
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    inside(name).write_bytes(data)
    memory = TokenMemory(1000, Path())
    with pytest.raises(InputError) as raised:
        tokenize_sources(listed_sources(name), start, TrainOptions(), memory)
    told = str(raised.value)
    assert message in told
    assert "\n" not in told


def test_sources_are_files_folders_and_ids(inside: Callable[[str], Path]) -> None:
    for name in ("b.jsonl", "a.csv.xz", "notes.txt", "odd:2.0"):
        inside(name).write_text("")
    listed = listed_sources([Source(".", 0.5), "owner/name@sub"])
    assert [(Path(s.path).name, s.weight) for s in listed] == [
        ("a.csv.xz", 0.5),
        ("b.jsonl", 0.5),
        ("name@sub", 1.0),
    ]
    assert [s.name for s in listed] == ["a", "b", "owner/name@sub"]
    assert parse_source("b.jsonl:2.5") == Source("b.jsonl", 2.5)
    assert parse_source("odd:2.0") == Source("odd:2.0")
    assert parse_source("hf:name") == Source("hf:name")
    for text in ("b.jsonl:0", "b.jsonl:-1", "b.jsonl:nan", "b.jsonl:inf"):
        with pytest.raises(InputError, match="give a number above 0"):
            parse_source(text)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("gone.jsonl", "gone.jsonl: no such file or folder, and not a dataset's id"),
        ("notes.txt", r"notes.txt: pairs are read from .jsonl, .csv, .parquet files"),
        (["b.jsonl", "./b.jsonl"], "is given twice: use a weight instead"),
        ([], "pairs is empty"),
        (3, "pairs is int"),
        ([3], "pairs holds 3"),
        ("empty", "empty: holds no .jsonl, .csv, .parquet file"),
    ],
)
def test_sources_that_are_none(inside: Callable[[str], Path], given: object, message: str) -> None:
    inside("empty").mkdir()
    for name in ("b.jsonl", "notes.txt"):
        inside(name).write_text("")
    with pytest.raises(InputError, match=message):
        listed_sources(given)


def test_a_dataset_needs_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r"owner/name: no such file; .* pip install datasets"):
        list(read_pairs(Source("owner/name"), {}))


def test_tokens_equal_the_models_and_spill_to_files(
    start: pumice.StaticModel, tmp_path: Path
) -> None:
    pairs = make_pairs(500, negatives=True)
    pairs += [pairs[0], {"anchor": "zzz", "positive": "ba ta"}]
    file = write_jsonl(tmp_path / "p.jsonl", pairs)
    again = write_jsonl(tmp_path / "q.jsonl", [*pairs[:5], *make_pairs(9, seed=4)])
    options = TrainOptions(hold_out=0.1, max_tokens=6)
    made = []
    for limit in (1 << 40, 1000):
        memory = TokenMemory(limit, tmp_path / "t")
        sources = tokenize_sources(listed_sources([file, again]), start, options, memory)
        made.append(sources)
        assert any(tmp_path.glob("t/tokens-*")) == (limit == 1000)
        memory.close()
    assert not (tmp_path / "t").exists()
    for kept, mapped in zip(*made, strict=True):
        for one, other in (
            (kept.anchors, mapped.anchors),
            (kept.positives, mapped.positives),
            (kept.negatives.texts, mapped.negatives.texts),
        ):
            assert (one.ids == other.ids).all()
        assert (kept.held_out == mapped.held_out).all()
    first, second = made[0]
    assert first.counts == {"pairs": 500, "triplets": 250, "duplicates": 1, "without_tokens": 1}
    assert second.counts["duplicates"] == 5  # of the source before
    expected = [ids[:6] for ids in start.tokenize([pair["positive"] for pair in pairs])]
    assert [one.tolist() for one in first.positives.take(np.arange(502))] == expected
    held = {pairs[i]["anchor"] for i in first.held_out}
    assert 10 < len(first.held_out) < 100
    assert not held & {pairs[i]["anchor"] for i in first.train}


def test_a_full_disk_is_one_sentence(start: pumice.StaticModel, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")

    class Full(TokenMemory):
        def new_file(self) -> Path:
            return Path("/dev/full")

    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(500))
    with pytest.raises(InputError, match="/dev/full: tokens cannot be kept there: No space left"):
        tokenize_sources(listed_sources(file), start, TrainOptions(), Full(0, tmp_path))


def test_a_line_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumice.records.LONGEST_LINE", 30)
    path = tmp_path / "p.jsonl"
    path.write_text('{"anchor": "a", "positive": "something long"}\n')
    with pytest.raises(InputError, match=r"p\.jsonl:1: is a line of more than .* MB: cut it$"):
        list(read_pairs(Source(str(path)), {}))
