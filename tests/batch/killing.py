"""Starts a command, kills it at a random moment, again and again, until it ends by itself."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """A command that ended by itself: its report, its wall time, and what was done when it began."""

    report: dict[str, Any]
    seconds: float
    kills: int = 0
    rows_before: int = 0


def start(arguments: list[str]) -> subprocess.Popen[bytes]:
    """pumice encode, in a process of its own."""
    command = [sys.executable, "-m", "pumice.cli", "encode", *arguments, "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(arguments: list[str]) -> Ended:
    """To its end."""
    began = time.perf_counter()
    process = start(arguments)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err.decode()
    return Ended(json.loads(out), time.perf_counter() - began)


@dataclass(frozen=True)
class Kills:
    """When to kill: a moment between two, in seconds from the start, at most so often."""

    earliest: float
    latest: float
    most: int
    seed: int


def run_killing(arguments: list[str], kills: Kills, *, rows_done: Callable[[], int]) -> Ended:
    """Start, kill, start again; once it has been killed often enough, it may end."""
    rng = random.Random(kills.seed)
    count = 0
    while True:
        before = rows_done()
        process = start(arguments)
        patience = rng.uniform(kills.earliest, kills.latest) if count < kills.most else 300
        try:
            out, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            count += 1
            continue
        assert process.returncode == 0, err.decode()
        return Ended(json.loads(out), 0.0, count, before)


def kill_often(check: Callable[..., int], folder: Path, *, kills: int) -> None:
    """``check`` in a folder of its own each time, until its runs have been killed ``kills`` times in all."""
    count = seed = 0
    while count < kills:
        count += check(folder / str(seed), rows=20_000, kills=kills - count, seed=seed)
        seed += 1
    assert count == kills
