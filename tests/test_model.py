"""StaticModel's face: shapes, dtypes, prefixes, inputs of every kind, threads, forks, pickles."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow
import pytest
from sentence_transformers import quantize_embeddings

import pumice
from pumice.errors import InputError
from pumice.modelfile import ModelParts

TEXTS = [
    "A static model",
    "keeps one vector per token",
    "",
    "naïve Ωmega 北京 한국어 🏔️",
    "!",
    "z" * 300,
]


def test_shapes(model: pumice.StaticModel) -> None:
    assert model.encode("one text").shape == (64,)
    assert model.encode(TEXTS).shape == (6, 64)
    assert model.encode([]).shape == (0, 64)
    assert model.encode([], dim=32, dtype="binary").shape == (0, 4)
    assert model.encode("", dtype="int8").tolist() == [0] * 64
    assert not model.encode(TEXTS)[2].any()


def test_a_vector_is_the_normalised_mean_of_its_tokens_rows(
    model: pumice.StaticModel, parts: ModelParts
) -> None:
    for text in TEXTS:
        ids = model.tokenize(text)
        mean = parts.embeddings[ids].mean(axis=0) if ids else np.zeros(64)
        norm = np.linalg.norm(mean)
        assert np.allclose(model.encode(text), mean / (norm or 1), atol=1e-6)


def test_a_batch_gives_the_same_bits_as_single_texts_on_any_number_of_threads(
    model: pumice.StaticModel,
) -> None:
    texts = [f"{text} number {i}" for i in range(3000) for text in TEXTS[:4]]
    wanted = np.stack([model.encode(text) for text in texts])
    for threads in (1, 2, 3, 16):
        assert np.array_equal(model.encode(texts, threads=threads), wanted)
    assert np.array_equal(model.encode(texts), wanted)


@pytest.mark.parametrize("dim", [16, 32, 64])
def test_a_prefix_is_cut_then_normalised(model: pumice.StaticModel, dim: int) -> None:
    full = model.encode(TEXTS)[:, :dim]
    norms = np.linalg.norm(full, axis=1, keepdims=True)
    assert np.allclose(model.encode(TEXTS, dim=dim), full / np.where(norms, norms, 1), atol=1e-6)


@pytest.mark.parametrize("dim", [16, 64])
def test_dtypes_follow_numpy_and_sentence_transformers(model: pumice.StaticModel, dim: int) -> None:
    full = model.encode(TEXTS, dim=dim)
    assert np.array_equal(model.encode(TEXTS, dim=dim, dtype="float16"), full.astype(np.float16))
    binary = model.encode(TEXTS, dim=dim, dtype="binary")
    assert np.array_equal(binary, np.packbits(full > 0, axis=1))
    assert np.array_equal(binary, quantize_embeddings(full, precision="ubinary"))
    largest = np.abs(full).max(axis=1, keepdims=True)
    wanted = np.rint(full / np.where(largest, largest, 1) * np.float32(127)).astype(np.int8)
    assert np.array_equal(model.encode(TEXTS, dim=dim, dtype="int8"), wanted)


def test_float16_output_rounds_as_numpy_does(parts: ModelParts) -> None:
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2**32, 30522 * 64, dtype=np.uint32)
    rows = np.where(np.isfinite(bits.view(np.float32)), bits.view(np.float32), 0).reshape(30522, 64)
    model = pumice.StaticModel.from_parts(replace(parts, embeddings=rows, normalize=False))
    words = [t for i, t in enumerate(model.tokens[:6000]) if model.tokenize(t) == [i]]
    with np.errstate(over="ignore"):
        wanted = model.encode(words).astype(np.float16)
    assert np.array_equal(model.encode(words, dtype="float16"), wanted)


@pytest.mark.parametrize(
    "column",
    [
        pyarrow.array(TEXTS),
        pyarrow.array(TEXTS, pyarrow.large_string()),
        pyarrow.array(TEXTS, pyarrow.string_view()),
        pyarrow.array(["cut", *TEXTS, "off"])[1:-1],
        pyarrow.chunked_array([TEXTS[:2], [], TEXTS[2:]], pyarrow.string()),
        polars.Series("text", TEXTS),
        polars.Series("text", [*TEXTS, *TEXTS])[6:],
    ],
    ids=["string", "large_string", "string_view", "slice", "chunked", "polars", "polars slice"],
)
def test_columns_are_read_in_place(model: pumice.StaticModel, column: Any) -> None:
    assert np.array_equal(model.encode(column), model.encode(TEXTS))
    assert model.encode(column, dtype="binary").shape == (6, 8)
    assert model.tokenize(column) == model.tokenize(TEXTS)


def test_columns_that_are_not_strings_are_refused(model: pumice.StaticModel) -> None:
    with pytest.raises(InputError, match=r"texts\[1\] is null"):
        model.encode(pyarrow.array(["a", None]))
    with pytest.raises(InputError, match=r"texts\[2\] is null"):
        model.encode(polars.Series(["a", "b", None]))
    with pytest.raises(InputError, match="not a string type"):
        model.encode(pyarrow.array([1, 2]))
    with pytest.raises(InputError, match="dictionary-encoded"):
        model.encode(pyarrow.array(["a"]).dictionary_encode())
    with pytest.raises(InputError, match="texts is a table: pass one of its columns"):
        model.encode(polars.DataFrame({"text": ["a"]}))


def test_other_sequences(model: pumice.StaticModel) -> None:
    wanted = model.encode(TEXTS)
    assert np.array_equal(model.encode(tuple(TEXTS)), wanted)
    assert np.array_equal(model.encode(np.array(TEXTS)), wanted)
    assert np.array_equal(model.encode(text for text in TEXTS), wanted)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"texts": ["a", 3]}, r"texts\[1\] is int, not str"),
        ({"texts": [None]}, r"texts\[0\] is NoneType, not str"),
        ({"texts": ["a", b"b"]}, r"texts\[1\] is bytes, not str"),
        ({"texts": b"bytes"}, "texts is bytes: pass a str"),
        ({"texts": {"a": 1}}, "texts is dict"),
        ({"texts": 7}, "texts is int"),
        ({"texts": np.array("abc")}, "texts is ndarray: pass a str"),
        ({"texts": ["ok", "half \ud800 pair"]}, r"texts\[1\] holds a lone surrogate"),
        ({"texts": "\udfff"}, "the text holds a lone surrogate"),
        ({"dim": 65}, "dim=65 is larger than the model's 64 dimensions"),
        ({"dim": 17}, "dim=17 is not among the prefixes that the model keeps valid: 16, 32, 64"),
        ({"dim": 0}, "dim=0 is not a positive whole number"),
        ({"dim": True}, "dim=True is not a positive"),
        ({"dim": 16.0}, "dim=16.0 is not a positive"),
        ({"dtype": "float64"}, "dtype='float64' is not one of float32, float16, int8, binary"),
        ({"threads": 0}, "threads=0 is not a whole number from 1"),
    ],
)
def test_bad_arguments_get_one_sentence(
    model: pumice.StaticModel, call: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        model.encode(call.pop("texts", TEXTS), **call)


def test_a_model_without_listed_prefixes_takes_any(parts: ModelParts) -> None:
    anyone = replace(parts, metadata=replace(parts.metadata, prefixes=None))
    assert pumice.StaticModel.from_parts(anyone).encode("a b", dim=17).shape == (17,)


def test_a_list_changed_by_another_thread_is_safe(model: pumice.StaticModel) -> None:
    texts = [f"text {i} " * 20 for i in range(20000)]
    wanted = model.encode(texts)
    victim = list(texts)
    encoding = threading.Thread(target=victim.clear)
    results: list[np.ndarray[Any, Any]] = []
    caller = threading.Thread(target=lambda: results.append(model.encode(victim)))
    caller.start()
    encoding.start()
    caller.join()
    encoding.join()
    assert len(results[0]) in (0, len(texts))
    assert np.array_equal(results[0], wanted[: len(results[0])])


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this platform"
)
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_encodes(model: pumice.StaticModel) -> None:
    texts = TEXTS * 2000
    wanted = model.encode(texts)
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        for found in pool.imap(model.encode, [texts, texts]):
            assert np.array_equal(found, wanted)


def test_a_model_pickles(model: pumice.StaticModel, tmp_path: Path) -> None:
    model.save(tmp_path / "m.pumice")
    loaded = pumice.load(tmp_path / "m.pumice")
    for original in (model, loaded):
        copied = pickle.loads(pickle.dumps(original))
        assert copied.fingerprint == original.fingerprint
        assert np.array_equal(copied.encode(TEXTS), model.encode(TEXTS))
    pickled = pickle.dumps(loaded)
    for content in (b"", b"something else"):
        os.replace(tmp_path / "m.pumice", tmp_path / "kept")  # the mapped file stays as it is
        (tmp_path / "m.pumice").write_bytes(content)
        assert pickle.loads(pickled).fingerprint == model.fingerprint


def test_save_keeps_the_bytes_and_converts_rows(model: pumice.StaticModel, tmp_path: Path) -> None:
    model.save(tmp_path / "same.pumice")
    assert pumice.load(tmp_path / "same.pumice").fingerprint == model.fingerprint
    model.save(tmp_path / "small.pumice", dtype="int8")
    small = pumice.load(tmp_path / "small.pumice")
    assert small.metadata["dtype"] == "int8"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["same.pumice", "small.pumice"]
    with pytest.raises(InputError, match="cannot be written"):
        model.save(tmp_path / "no such folder" / "m.pumice")
    with pytest.raises(InputError, match="path is None: pass a path"):
        model.save(None)  # type: ignore[arg-type]


def test_save_follows_links_and_replaces_files_only(
    model: pumice.StaticModel, tmp_path: Path
) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    model.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert pumice.load(tmp_path / "target").fingerprint == model.fingerprint
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: cannot be written: not a regular file"):
        model.save(tmp_path / "pipe")
    with pytest.raises(InputError, match="target: is a file: name a folder"):
        model.save_pretrained(tmp_path / "target")


def test_threads_save_to_one_path(model: pumice.StaticModel, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: model.save(tmp_path / "m.pumice"), range(12)))
    assert pumice.load(tmp_path / "m.pumice").fingerprint == model.fingerprint
    assert [p.name for p in tmp_path.iterdir()] == ["m.pumice"]


def test_a_single_text_is_named_as_such(model: pumice.StaticModel) -> None:
    with pytest.raises(InputError, match="the text holds a lone surrogate"):
        model.tokenize("\ud800")


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    resource = pytest.importorskip("resource", reason="no file size limits on this platform")
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_fills_up_leaves_the_old_file(
    model: pumice.StaticModel, full_disk: Path
) -> None:
    path = full_disk / "m.pumice"
    path.write_bytes(b"the old file")
    with pytest.raises(InputError, match="cannot be written: File too large"):
        model.save(path)
    assert path.read_bytes() == b"the old file"
    assert [p.name for p in full_disk.iterdir()] == ["m.pumice"]
