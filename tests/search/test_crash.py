"""kill -9 at random moments of adding, deleting and optimizing: what was acknowledged is there, nothing else.

`make test-crash` runs CRASHES rounds (PUMICE_CRASHES, 100); the default suite a few.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pumice.search import Index, Storage

CRASHES = int(os.environ.get("PUMICE_CRASHES", "100"))
FEW = 6
STORAGES = (
    Storage(),
    Storage(quantize="binary", stages=(16,)),
    Storage(quantize="int8", m=0),
)
# Says what it is about to do and, once the call has returned, that it is done; never ends by itself.
WORKER = """
import itertools, json, random, sys
from pumice.search import Index
folder, model, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
dice = random.Random(seed)
index = Index(folder, model)
def say(**what):
    print(json.dumps(what), flush=True)
say(open=True)
for step in itertools.count():
    kind = dice.choices(["add", "delete", "where", "optimize"], [8, 3, 1, 2])[0]
    if kind == "add":
        ids = [dice.randrange(4000) for _ in range(dice.choice([1, 40, 300, 1500]))]
        say(begin="add", ids=ids, step=f"{seed}.{step}")
        index.add({"id": i, "text": f"bread {i}", "step": f"{seed}.{step}"} for i in ids)
    elif kind == "delete":
        ids = [dice.randrange(4000) for _ in range(dice.choice([1, 30, 500]))]
        say(begin="delete", ids=ids)
        index.delete(ids)
    elif kind == "where":
        low = dice.randrange(4000)
        gone = list(range(low, low + 200))
        say(begin="delete", ids=gone)
        index.delete(gone)
    else:
        say(begin="optimize")
        index.optimize()
    say(done=True)
"""


class Expected:
    """What must be in the index, and what a call that was cut short may have changed."""

    def __init__(self) -> None:
        self.stored: dict[int, str] = {}
        self.pending: dict[str, Any] | None = None

    def read(self, line: str) -> None:
        said = json.loads(line)
        if "begin" in said:
            self.pending = said
        elif "done" in said and self.pending is not None:
            self._apply(self.pending)
            self.pending = None

    def _apply(self, call: dict[str, Any]) -> None:
        if call["begin"] == "add":
            self.stored.update(dict.fromkeys(call["ids"], call["step"]))
        elif call["begin"] == "delete":
            for one in call["ids"]:
                self.stored.pop(one, None)

    def check(self, found: dict[int, str]) -> None:
        """Then take what was found as the truth, for the next round."""
        call = self.pending or {"begin": "nothing", "ids": []}
        touched = set(call.get("ids", ()))
        for one in self.stored.keys() | found.keys():
            if one not in touched:
                assert found.get(one) == self.stored.get(one), (one, call["begin"])
            elif call["begin"] == "add":
                assert found.get(one) in (self.stored.get(one), call["step"])
            else:
                assert found.get(one) in (self.stored.get(one), None)
        self.stored, self.pending = dict(found), None


def content(index: Index) -> dict[int, str]:
    return {
        int(point): payload["step"]  # type: ignore[arg-type]
        for point, payload in index.home.scroll([], keys=["step"])
    }


def crash(folder: Path, model: Path, expected: Expected, seed: int) -> None:
    dice = random.Random(seed)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), str(model), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert worker.stdout is not None
    try:
        assert json.loads(worker.stdout.readline())["open"]
        time.sleep(dice.choice([0, dice.uniform(0, 0.1), dice.uniform(0, 2)]))
    finally:
        worker.send_signal(signal.SIGKILL)
        for line in worker.stdout:
            if line.endswith("\n"):
                expected.read(line)
        worker.wait()
        worker.stdout.close()


def opened(folder: Path, model: Any) -> Index:
    """A killed process's optimizer, which holds the folder, may have to finish first."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return Index(folder, model, create=False)
        except Exception as error:
            if "in use" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    "rounds",
    [FEW, pytest.param(CRASHES, marks=pytest.mark.slow)],
    ids=["few", "many"],
)
def test_kill_9_keeps_what_was_acknowledged_and_nothing_else(
    tmp_path: Path, model: Any, model_path: Path, rounds: int
) -> None:
    known = [Expected() for _ in STORAGES]
    folders = [tmp_path / str(at) for at in range(len(STORAGES))]
    for folder, storage in zip(folders, STORAGES, strict=True):
        Index(folder, model, storage=storage).close()
    first = int(os.environ.get("PUMICE_CRASH_SEED", "1"))
    for seed in range(first, first + rounds):
        at = seed % len(STORAGES)
        crash(folders[at], model_path, known[at], seed)
        with opened(folders[at], model) as index:
            known[at].check(content(index))
            assert len(index) == len(known[at].stored)
            for one in list(known[at].stored)[:3]:
                best = index.search(f"bread {one}", k=len(index), params=None)
                assert one in [hit.id for hit in best]
