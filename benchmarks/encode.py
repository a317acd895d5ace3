"""Encoding beside its peers in one run: equality first, then interleaved timings, medians and spread.

Text: the language reference that every Python carries (pydoc_data.topics), or files given as arguments.
Run by ``make bench``; ``--json FILE`` writes the figures, ``--plot FILE`` draws them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peers import Peer, assert_equal, other_peers, pumice_peers
from report import plot, print_machine, print_table

import pumice

ROUNDS = 7
SLOW = 2.0
"""Seconds from which a call counts as slow and is timed three times only."""
IMPORT = (
    "import time, numpy; t = time.perf_counter(); import pumice; print(time.perf_counter() - t)"
)
QUERY = "how do I open a file for reading"


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
    warm = {name: seconds(call) for name, call in calls.items()}
    for turn in range(ROUNDS):
        for name, call in calls.items():
            if turn < 3 or warm[name] < SLOW:
                times[name].append(seconds(call))
    return times


def bound(model: pumice.StaticModel, texts: list[str]) -> dict[str, Callable[[], Any]]:
    """What no encoder of this table escapes, on one thread: passing over the text, and adding its rows."""
    flat = "".join(texts).encode()
    ids = model.tokenize(texts)
    offsets = np.cumsum([0, *map(len, ids)], dtype=np.int64)
    rows = np.fromiter((i for found in ids for i in found), np.uint32, count=int(offsets[-1]))
    out = np.empty((len(texts), model.dimensions), np.float32)
    source = np.frombuffer(flat, np.uint8)
    copy = np.empty_like(source)

    def pass_over() -> None:
        np.copyto(copy, source)
        model._core.pool(rows, offsets, model.dimensions, 0, out.view(np.uint8))

    return {"bound: copy the text, add its rows": pass_over}


def throughput(
    model: pumice.StaticModel, peers: list[Peer], texts: list[str]
) -> dict[str, list[float]]:
    """MB/s of every peer."""
    assert_equal(model, peers, texts[:4000])
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    calls = {peer.name: (lambda call=peer.call: call(texts)) for peer in peers}
    times = interleaved({**calls, **bound(model, texts)})
    return {name: [megabytes / t for t in taken] for name, taken in times.items()}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", nargs="*", type=Path)
    parser.add_argument("--model", help="a model that pumice.load takes (default: the shipped one)")
    parser.add_argument("--dim", type=int, help="cut the table to this many dimensions first")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path, help="an .svg or .png")
    args = parser.parse_args()
    figures: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = float32(pumice.load(args.model), dim=args.dim)
        others, absent = other_peers(model, folder)
        peers = [*others, *pumice_peers(model, folder)]
        text = prose(args.text)
        for label, size in (("500-byte chunks", 500), ("75-byte texts", 75)):
            figures[f"{label}, MB/s"] = throughput(model, peers, chunks(text, size))
        vectors = [peer for peer in peers if peer.makes == "vectors" and "thread" not in peer.name]
        times = interleaved(
            {p.name: (lambda call=p.call: [call(QUERY) for _ in range(200)]) for p in vectors}
        )
        figures["one query, µs"] = {n: [t / 200 * 1e6 for t in ts] for n, ts in times.items()}
        figures["load, ms"] = loads(folder)
    imports = [
        subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, check=True)
        for _ in range(ROUNDS)
    ]
    figures["import after numpy, ms"] = {"pumice": [float(ran.stdout) * 1e3 for ran in imports]}
    print_machine(model, absent)
    for label, rows in figures.items():
        print_table(label, rows)
    tokens = sum(map(len, model.tokenize(chunks(text, 500))))
    size = sum(len(t.encode()) for t in chunks(text, 500))
    speed = statistics.median(figures["500-byte chunks, MB/s"]["pumice float32, 1 thread"])
    print(
        f"\n{size / tokens / speed * 1e3:.1f} ns a token on one thread, {size / tokens:.2f} bytes a token"
    )
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2))
    if args.plot:
        plot(figures, args.plot)


def float32(model: pumice.StaticModel, *, dim: int | None) -> pumice.StaticModel:
    """The model with its rows widened and, where asked, cut."""
    from dataclasses import replace

    from pumice.modelfile.rows import widen_rows

    parts = model._file.parts()
    rows = widen_rows(parts.embeddings, parts.row_scales)
    rows = np.ascontiguousarray(rows[:, : dim or rows.shape[1]])
    metadata = replace(parts.metadata, prefixes=None)
    return pumice.StaticModel.from_parts(
        replace(parts, embeddings=rows, row_scales=None, metadata=metadata)
    )


def loads(folder: Path) -> dict[str, list[float]]:
    """Milliseconds to open the same model."""
    from model2vec import StaticModel

    path = folder / "float32.pumice"
    times = interleaved(
        {
            "model2vec": lambda: StaticModel.from_pretrained(folder / "model2vec"),
            "pumice": lambda: pumice.load(path),
        }
    )
    return {name: [t * 1e3 for t in taken] for name, taken in times.items()}


if __name__ == "__main__":
    main()
