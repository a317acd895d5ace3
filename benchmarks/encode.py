"""Encoding beside its peers in one run: equality first, then interleaved timings, medians and spread.

Text: files given as arguments, or WordNet's glosses where Debian's wordnet-base is installed, or the
language reference that every Python carries. Run by ``make bench``; ``--json FILE`` writes the
figures, ``--plot FILE`` draws them.
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
from hard_texts import hard_texts
from peers import Peer, assert_equal, in_every_dtype, model2vec, other_peers, pumice_peers
from report import megahertz, plot, print_machine, print_table

import pumice

Clock = Callable[[], float]
ROUNDS = 7
TURN = 0.1
"""Seconds that a call is repeated for in each turn: it is measured while it works, not as it warms up."""
SLOW = 2.0
"""Seconds from which a call counts as slow and is timed three times only."""
IMPORT = (
    "import time, numpy; t = time.perf_counter(); import pumice; print(time.perf_counter() - t)"
)
QUERY = "how do I open a file for reading"


MEMORY = """
import sys, numpy, pumice
def private():
    with open("/proc/self/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["RssAnon"].split()[0]) / 1024
with open(sys.argv[2], encoding="utf-8") as file:
    texts = file.read().split("\\n")
out = numpy.zeros((len(texts), int(sys.argv[3])), numpy.float32)
out[:] = 1
before = private()
pumice.load(sys.argv[1]).encode(texts, out=out)
print(private() - before)
"""
"""Private memory in MB that loading and encoding add, beside the texts and the result."""
WORDNET = Path("/usr/share/wordnet")
"""Where Debian's wordnet-base puts WordNet: a synset a line, its gloss behind a bar."""


def prose(paths: list[Path]) -> tuple[str, str]:
    """The text to encode, and what it is."""
    if paths:
        text = "\n".join(path.read_text("utf-8", errors="replace") for path in paths)
        return text, ", ".join(path.name for path in paths)
    files = sorted(WORDNET.glob("data.*"))
    if files:
        lines = (line for file in files for line in file.read_text("utf-8").splitlines())
        glosses = (line.split("|", 1)[1].strip() for line in lines if "|" in line)
        return " ".join(glosses), "WordNet's glosses (wordnet-base)"
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics)), "Python's language reference"


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


def seconds(
    call: Callable[[], Any], clock: Clock = time.perf_counter, *, turn: float = 0.0
) -> float:
    """What a clock says that one call took: the mean of one, or of as many as ``turn`` seconds allow."""
    calls, begun, start = 0, time.perf_counter(), clock()
    while not calls or time.perf_counter() - begun < turn:
        call()
        calls += 1
    return (clock() - start) / calls


def interleaved(
    calls: dict[str, Callable[[], Any]], *, clock: Clock = time.perf_counter
) -> dict[str, list[float]]:
    """Each call's times, taken in turn, after one that does not count."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    warm = {name: seconds(call) for name, call in calls.items()}
    for turn in range(ROUNDS):
        for name, call in calls.items():
            if turn < 3 or warm[name] < SLOW:
                times[name].append(seconds(call, clock, turn=TURN))
    return times


def bound(model: pumice.StaticModel, texts: list[str]) -> Callable[[], Any]:
    """What no encoder of this table escapes: passing over the text, and adding its rows, 512 to a sum."""
    flat = "".join(texts).encode()
    rows = np.fromiter((i for found in model.tokenize(texts) for i in found), np.uint32)
    offsets = np.append(np.arange(0, len(rows), 512), len(rows))
    out = np.empty((len(offsets) - 1, model.dimensions), np.float32)
    source = np.frombuffer(flat, np.uint8)
    copy = np.empty_like(source)

    def pass_over() -> None:
        np.copyto(copy, source)
        model._core.pool(rows, offsets, model.dimensions, 0, out.view(np.uint8))

    return pass_over


def throughput(
    model: pumice.StaticModel,
    stored: dict[str, pumice.StaticModel],
    peers: list[Peer],
    texts: list[str],
    clock: Clock,
) -> dict[str, list[float]]:
    """MB/s of every peer."""
    assert_equal(model, peers, texts[:4000])
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    calls = {peer.name: (lambda call=peer.call: call(texts)) for peer in peers}
    bounds = {f"bound {name}: copy, add rows": bound(m, texts) for name, m in stored.items()}
    times = interleaved({**calls, **bounds}, clock=clock)
    return {name: [megabytes / t for t in taken] for name, taken in times.items()}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", nargs="*", type=Path)
    parser.add_argument("--model", help="a model that pumice.load takes (default: the shipped one)")
    parser.add_argument("--dim", type=int, help="cut the table to this many dimensions first")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path, help="an .svg or .png")
    parser.add_argument(
        "--peer", action="append", help="throughput alone, beside this peer (may be repeated)"
    )
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="count all threads' processor time for throughput, on a machine that does other work too",
    )
    args = parser.parse_args()
    clock = time.process_time if args.processor_time else time.perf_counter
    figures: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = float32(pumice.load(args.model), dim=args.dim)
        others, absent = other_peers(model, folder)
        stored = in_every_dtype(model, folder)
        ours = pumice_peers(stored)
        if args.peer:
            others = [peer for peer in others if peer.name.split()[0] in args.peer]
        peers = [*others, *ours]
        text, source = prose(args.text)
        for label, size in (("500-byte chunks", 500), ("75-byte texts", 75)):
            figures[f"{label}, MB/s"] = throughput(model, stored, peers, chunks(text, size), clock)
        if not args.peer:
            figures["text that never repeats, MB/s"] = worst(model, folder)
            single = [peer for peer in ours if peer.name in ("pumice float32", "pumice int8")]
            vectors = [*(peer for peer in others if peer.makes == "vectors"), *single]
            times = interleaved(
                {p.name: (lambda call=p.call: [call(QUERY) for _ in range(200)]) for p in vectors}
            )
            figures["one query, µs"] = {n: [t / 200 * 1e6 for t in ts] for n, ts in times.items()}
            figures["load, ms"] = loads(folder)
            figures["private memory, MB"] = memory(folder, model.dimensions, chunks(text, 500))
            figures["import after numpy, ms"] = {"pumice": imports()}
    print_machine(model, absent)
    print(f"text: {source}")
    for label, rows in figures.items():
        print_table(label, rows)
    per_token(figures["500-byte chunks, MB/s"], model, chunks(text, 500))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2))
    if args.plot:
        plot(figures, args.plot)


def float32(model: pumice.StaticModel, *, dim: int | None) -> pumice.StaticModel:
    """The model with its rows widened and, where asked, cut, and its weights multiplied in.

    The products are those that encoding would make, so vectors keep their bits; laghu-rs adds rows up
    only where there are no weights. All tokens count alike: no peer has a rule for it.
    """
    from dataclasses import replace

    from pumice.modelfile.counting import PLAIN
    from pumice.modelfile.rows import widen_rows

    parts = model._file.parts()
    rows = widen_rows(parts.embeddings, parts.row_scales)
    rows = np.ascontiguousarray(rows[:, : dim or rows.shape[1]])
    metadata = replace(parts.metadata, prefixes=None)
    if parts.token_weights is not None and parts.token_rows is None:
        rows = rows * parts.token_weights[:, None]
        parts = replace(parts, token_weights=None)
    return pumice.StaticModel.from_parts(
        replace(parts, embeddings=rows, row_scales=None, counting=PLAIN, metadata=metadata)
    )


def imports() -> list[float]:
    """Milliseconds that importing pumice takes where numpy is there already."""
    command = [sys.executable, "-c", IMPORT]
    runs = [subprocess.run(command, capture_output=True, check=True) for _ in range(ROUNDS)]
    return [float(run.stdout) * 1e3 for run in runs]


def worst(model: pumice.StaticModel, folder: Path) -> dict[str, list[float]]:
    """MB/s of model2vec and ours on texts whose words are new again and again."""
    try:
        peer = model2vec(folder, "model2vec")
    except ImportError:
        return {}
    figures = {}
    for name, texts in hard_texts().items():
        megabytes = sum(len(text.encode()) for text in texts) / 1e6
        times = interleaved(
            {
                f"model2vec, {name}": lambda texts=texts: peer.call(texts),
                f"pumice, {name}": lambda texts=texts: model.encode(texts),
            }
        )
        figures.update({n: [megabytes / t for t in taken] for n, taken in times.items()})
    return figures


def memory(folder: Path, dim: int, texts: list[str]) -> dict[str, list[float]]:
    """Megabytes of its own that a process needs to load a model and encode."""
    path = folder / "texts.txt"
    path.write_text("\n".join(text.replace("\n", " ") for text in texts), encoding="utf-8")
    command = [sys.executable, "-c", MEMORY, str(folder / "float32.pumice"), str(path), str(dim)]
    try:
        runs = [subprocess.run(command, capture_output=True, check=True) for _ in range(3)]
    except subprocess.CalledProcessError:
        return {}  # /proc is Linux's
    return {"pumice": [float(run.stdout) for run in runs]}


def per_token(rows: dict[str, list[float]], model: pumice.StaticModel, texts: list[str]) -> None:
    """Print nanoseconds a token and bytes a cycle beside the bound's."""
    tokens = sum(map(len, model.tokenize(texts)))
    size = sum(len(text.encode()) for text in texts)
    clock = megahertz()
    print(f"\n500-byte chunks, {size / tokens:.2f} bytes a token, wall time of the whole machine")
    for name, values in rows.items():
        if not name.startswith(("pumice", "bound")):
            continue
        speed = statistics.median(values)
        cycle = f", {speed / clock:.3f} bytes a cycle" if clock else ""
        print(f"  {name:36} {size / tokens / speed * 1e3:6.2f} ns a token{cycle}")
    if clock:
        print(f"  (cycles of {clock:.0f} MHz, of /proc/cpuinfo)")


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
