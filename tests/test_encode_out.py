"""encode(out=) and encode_stream: the same vectors, in the caller's memory or batch by batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars
import pyarrow
import pytest

import pumice
from pumice.errors import InputError
from pumice.modelfile import ModelParts
from tests.parity import small_tokenizers as small
from tests.test_model import TEXTS


@pytest.fixture(scope="module", params=["core", "library"])
def any_model(request: pytest.FixtureRequest, parts: ModelParts) -> pumice.StaticModel:
    """A model that the core tokenises for, and one that it does not."""
    if request.param == "core":
        return pumice.StaticModel.from_parts(parts)
    tokenizer = small.wordpiece_lowercase()
    rows = parts.embeddings[: len(tokenizer["model"]["vocab"])]
    return pumice.StaticModel.from_parts(replace(parts, tokenizer=tokenizer, embeddings=rows))


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "binary"])
@pytest.mark.parametrize(
    "texts",
    ["one text", TEXTS, [], tuple(TEXTS), pyarrow.array(TEXTS), polars.Series(TEXTS)],
    ids=["str", "list", "empty", "tuple", "arrow", "polars"],
)
def test_out_is_filled_and_returned(any_model: pumice.StaticModel, texts: Any, dtype: str) -> None:
    wanted = any_model.encode(texts, dim=32, dtype=dtype)
    out = np.full_like(wanted, 7)
    assert any_model.encode(texts, dim=32, dtype=dtype, out=out) is out
    assert np.array_equal(out, wanted)


def test_out_may_be_a_part_of_an_array(model: pumice.StaticModel, tmp_path: Any) -> None:
    whole = np.full((8, 64), 7, np.float32)
    model.encode(TEXTS, out=whole[1:7])
    assert np.array_equal(whole[1:7], model.encode(TEXTS))
    assert (whole[[0, 7]] == 7).all()
    mapped = np.lib.format.open_memmap(tmp_path / "v.npy", "w+", np.float32, (6, 64))
    model.encode(TEXTS, out=mapped)
    mapped.flush()
    assert np.array_equal(np.load(tmp_path / "v.npy"), model.encode(TEXTS))


def read_only() -> Any:
    array = np.empty((6, 64), np.float32)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (
            np.empty((5, 64), np.float32),
            r"out has shape \(5, 64\) and dtype float32: pass .*\(6, 64\)",
        ),
        (np.empty(512, np.float32), r"shape \(512,\)"),
        (np.empty((6, 64)), "dtype float64"),
        (np.empty((6, 64), ">f4"), "dtype >f4"),
        (np.empty((64, 6), np.float32).T, "out is not C-contiguous"),
        (np.empty((6, 128), np.float32)[:, ::2], "out is not C-contiguous"),
        (read_only(), "out is read-only"),
        ([[0.0]], "out is list: pass a writable"),
        (bytearray(6 * 64 * 4), "out is bytearray"),
    ],
)
@pytest.mark.parametrize("texts", [TEXTS, pyarrow.array(TEXTS)], ids=["list", "arrow"])
def test_an_unfit_out_is_refused(
    any_model: pumice.StaticModel, texts: Any, out: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        any_model.encode(texts, out=out)


def test_a_str_needs_one_axis(any_model: pumice.StaticModel) -> None:
    with pytest.raises(InputError, match=r"shape \(1, 64\).*shape \(64,\)"):
        any_model.encode("a", out=np.empty((1, 64), np.float32))


@pytest.mark.parametrize("batch", [1, 4, 6, 7, 100])
def test_a_stream_gives_the_same_vectors(any_model: pumice.StaticModel, batch: int) -> None:
    texts = TEXTS * 2
    found = list(any_model.encode_stream(iter(texts), batch=batch, dim=32, dtype="int8", threads=2))
    assert [len(vectors) for vectors in found[:-1]] == [batch] * (len(found) - 1)
    assert np.array_equal(np.concatenate(found), any_model.encode(texts, dim=32, dtype="int8"))


def test_a_stream_reads_no_further_than_its_batch(model: pumice.StaticModel) -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        for number in itertools.count():
            read += 1
            yield f"text {number}"

    stream = model.encode_stream(endless(), batch=10)
    assert read == 0
    for number in range(1, 5):
        assert next(stream).shape == (10, 64)
        assert read == 10 * number


def test_a_stream_holds_one_batch(model: pumice.StaticModel) -> None:
    import tracemalloc

    tracemalloc.start()
    texts = ("a text of some length " * 50 + str(i) for i in range(20_000))
    for _ in model.encode_stream(texts, batch=500):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000  # all texts are 22 MB


def test_an_empty_stream_is_empty(model: pumice.StaticModel) -> None:
    assert list(model.encode_stream([])) == []


def test_a_bad_text_is_named_by_its_place_in_the_stream(any_model: pumice.StaticModel) -> None:
    for bad, message in (
        (7, r"texts\[1234\] is int, not str"),
        ("\ud800", r"texts\[1234\] holds a lone surrogate"),
    ):
        texts: list[Any] = ["a"] * 2000
        texts[1234] = bad
        stream = any_model.encode_stream(texts, batch=100)
        for _ in range(12):
            next(stream)
        with pytest.raises(InputError, match=message):
            next(stream)


def test_a_bad_text_ends_a_call_that_has_begun(model: pumice.StaticModel) -> None:
    """Other threads encode the first texts while the list is read."""
    good = [f"text number {i} of a list that is read while it is encoded" for i in range(20_000)]
    for bad, message in ((7, r"texts\[20000\] is int"), ("\ud800", r"texts\[20000\] holds a lone")):
        texts: list[Any] = [*good, bad]
        with pytest.raises(InputError, match=message):
            model.encode(texts, threads=4)
    assert np.array_equal(model.encode(good, threads=4), model.encode(good, threads=1))


def test_an_error_of_the_source_is_passed_on(model: pumice.StaticModel) -> None:
    def broken() -> Iterator[str]:
        yield from ["a"] * 5
        raise OSError("the disk is gone")

    stream = model.encode_stream(broken(), batch=5)
    assert next(stream).shape == (5, 64)
    with pytest.raises(OSError, match="the disk is gone"):
        next(stream)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"texts": "a str"}, "texts is str: pass an iterable of str"),
        ({"texts": b"bytes"}, "texts is bytes"),
        ({"texts": 5}, "texts is int"),
        ({"batch": 0}, "batch=0 is not a positive whole number"),
        ({"batch": 2.5}, "batch=2.5 is not"),
        ({"dim": 65}, "dim=65 is larger"),
        ({"dtype": "float64"}, "dtype='float64' is not one of"),
        ({"threads": 0}, "threads=0 is not"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_read(
    model: pumice.StaticModel, call: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        model.encode_stream(call.pop("texts", TEXTS), **call)
