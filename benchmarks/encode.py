"""Encoding beside model2vec in one run: equality first, then interleaved timings, medians and spread.

Text: the language reference that every Python carries (pydoc_data.topics), or files given as arguments.
Run by ``make bench``; ``--json FILE`` writes the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from model2vec import StaticModel as Model2Vec

import pumice

ROUNDS = 7
IMPORT = (
    "import time, numpy; t = time.perf_counter(); import pumice; print(time.perf_counter() - t)"
)


def prose(paths: list[Path]) -> str:
    """The text to encode."""
    if paths:
        return "\n".join(path.read_text("utf-8", errors="replace") for path in paths)
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


def chunks(text: str, size: int) -> list[str]:
    """Pieces of about ``size`` bytes, cut at white space, repeated to some 8 MB."""
    pieces: list[str] = []
    piece = ""
    for word in text.split():
        if len(piece) + len(word) >= size:
            pieces.append(piece)
            piece = ""
        piece += word + " "
    total = sum(len(p.encode()) for p in pieces)
    return pieces * max(1, round(8e6 / total))


def seconds(call: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def interleaved(calls: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Each call's times, taken in turn, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for round_number in range(ROUNDS + 1):
        for name, call in calls.items():
            taken = seconds(call)
            if round_number:
                times[name].append(taken)
    return times


def processor() -> str:
    """What the machine calls its processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.split(": ", 1)[1] for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", nargs="*", type=Path)
    parser.add_argument("--model", help="a model that pumice.load takes (default: the shipped one)")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        pumice.load(args.model).save(f"{folder}/float32.pumice", dtype="float32")
        ours = pumice.load(f"{folder}/float32.pumice")
        shipped = pumice.load(args.model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours.save_pretrained(f"{folder}/model2vec", format="model2vec")
        theirs = Model2Vec.from_pretrained(f"{folder}/model2vec")
        text = prose(args.text)
        figures: dict[str, Any] = {}
        for label, size in (("500-byte chunks", 500), ("75-byte texts", 75)):
            texts = chunks(text, size)
            megabytes = sum(len(t.encode()) for t in texts) / 1e6
            difference = np.abs(ours.encode(texts[:5000]) - theirs.encode(texts[:5000])).max()
            assert difference < 1e-6, difference
            times = interleaved(
                {
                    "model2vec": lambda texts=texts: theirs.encode(texts),
                    "pumice float32": lambda texts=texts: ours.encode(texts),
                    "pumice float32, 1 thread": lambda texts=texts: ours.encode(texts, threads=1),
                    "pumice as shipped": lambda texts=texts: shipped.encode(texts),
                }
            )
            figures[label] = {n: [megabytes / t for t in ts] for n, ts in times.items()}
        query = "how do I open a file for reading"
        times = interleaved(
            {
                "model2vec": lambda: [theirs.encode([query]) for _ in range(500)],
                "pumice float32": lambda: [ours.encode(query) for _ in range(500)],
            }
        )
        figures["one query"] = {n: [t / 500 * 1e6 for t in ts] for n, ts in times.items()}
        path = f"{folder}/float32.pumice"
        times = interleaved(
            {
                "model2vec": lambda: Model2Vec.from_pretrained(f"{folder}/model2vec"),
                "pumice float32": lambda: pumice.load(path),
            }
        )
        figures["load"] = {n: [t * 1e3 for t in ts] for n, ts in times.items()}
    imports = [
        float(
            subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, check=True).stdout
        )
        for _ in range(ROUNDS)
    ]
    figures["import after numpy"] = {"pumice": [t * 1e3 for t in imports]}
    report(figures, ours)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2))


def report(figures: dict[str, Any], model: pumice.StaticModel) -> None:
    """Medians, spread and ratios as lines."""
    units = {"one query": "µs", "load": "ms", "import after numpy": "ms"}
    print(f"{processor()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    packages = ("pumice", "model2vec", "tokenizers", "numpy")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    print(f"{len(model.tokens)} tokens x {model.dimensions} dimensions, vectors equal to 1e-6")
    for label, rows in figures.items():
        unit = units.get(label, "MB/s")
        peer = statistics.median(rows["model2vec"]) if "model2vec" in rows else None
        print(f"\n{label}")
        for name, values in rows.items():
            middle = statistics.median(values)
            ratio = ""
            if peer and name != "model2vec":
                ratio = f"  {middle / peer if unit == 'MB/s' else peer / middle:.1f}x model2vec"
            print(
                f"  {name:26} {middle:9.2f} {unit}  ({min(values):.2f} to {max(values):.2f}){ratio}"
            )


if __name__ == "__main__":
    main()
