"""Many Python threads share one model: the same bits as one after another, with and without the GIL.

Needs numpy and pytest alone, so that ``make test-free-threaded`` can run it where other wheels do not exist.
"""

from __future__ import annotations

import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pumice

TESTDATA = Path(__file__).parents[1] / "testdata"
THREADS = 8
TEXTS = [
    f"Text {n} of many: naïve café, 東京 {n * n}, don't stop\t{'ab' * (n % 40)}" for n in range(600)
]


def at_once(work: Callable[[], Any]) -> list[Any]:
    """What ``work`` gives in each of THREADS threads that begin together; an error of one is raised."""
    gate = threading.Barrier(THREADS)
    results: list[Any] = [None] * THREADS
    errors: list[BaseException] = []

    def run(place: int) -> None:
        gate.wait()
        try:
            results[place] = work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


@pytest.fixture(params=sorted(TESTDATA.glob("golden-*.pumice")), ids=lambda path: path.stem[7:])
def path(request: pytest.FixtureRequest) -> Path:
    """A model file of each tokenizer family and kind of row."""
    found: Path = request.param
    return found


@pytest.fixture
def golden(path: Path) -> pumice.StaticModel:
    """Freshly opened: no cache knows a word yet."""
    return pumice.load(path)


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL for ever"
)
def test_the_native_module_leaves_the_gil_off() -> None:
    assert not sys._is_gil_enabled()  # an extension that does not declare itself switches it on


@pytest.mark.parametrize("dtype", ["float32", "int8", "binary"])
def test_calls_at_once_give_the_same_bits(
    path: Path, golden: pumice.StaticModel, dtype: Any
) -> None:
    results = at_once(lambda: golden.encode(TEXTS, dtype=dtype))
    expected = pumice.load(path).encode(TEXTS, dtype=dtype, threads=1)
    assert expected.any()
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_single_texts_at_once(golden: pumice.StaticModel) -> None:
    expected = golden.encode(TEXTS, threads=1)
    for result in at_once(lambda: np.stack([golden.encode(text) for text in TEXTS])):
        np.testing.assert_array_equal(result, expected)


def test_tokens_and_explanations_at_once(golden: pumice.StaticModel) -> None:
    query, document = TEXTS[1], TEXTS[2]
    alone = golden.explain(query, document)

    def work() -> Any:
        return [golden.tokenize(text) for text in TEXTS], golden.explain(query, document).shares

    for ids, shares in at_once(work):
        assert ids == golden.tokenize(TEXTS)
        np.testing.assert_array_equal(shares, alone.shares)


def test_a_list_that_others_change_is_read_as_it_was_at_some_moment() -> None:
    model = pumice.load(TESTDATA / "golden-int8.pumice")
    shared = list(TEXTS)
    known = {model.encode(text).tobytes() for text in (*TEXTS, "")}
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            shared.append(shared.pop(0))
            shared[:] = shared[::-1]

    changing = threading.Thread(target=change)
    changing.start()
    try:
        results = at_once(lambda: [model.encode(shared) for _ in range(20)])
    finally:
        done.set()
        changing.join()
    for vectors in (vectors for result in results for vectors in result):
        assert len(TEXTS) - 1 <= len(vectors) <= len(TEXTS)
        assert all(row.tobytes() in known for row in vectors)
