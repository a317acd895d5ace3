"""Pairs from a folder of sources, without those that share text with an evaluation set."""

from __future__ import annotations

import json
import lzma
from collections.abc import Collection, Iterator
from pathlib import Path

from pumice.train import Pair

RUN = 20
"""A training text that shares so many letters in a row with an evaluation text is left out; of ASCII, twice."""
LEFT_OUT = ("scifact_train",)
"""Of an evaluation set's own documents."""


def read_sources(
    folder: Path,
    *,
    seen: Collection[int],
    most: int | None = None,
    only: Collection[str] = (),
    leave_out: Collection[str] = (),
) -> dict[str, list[Pair]]:
    """Each source's pairs by its name, at most the first ``most``; ``seen`` are evaluation runs."""
    sources = {}
    for path in sorted(folder.glob("*.jsonl.xz")):
        name = path.name.removesuffix(".jsonl.xz")
        if name in LEFT_OUT or name in leave_out or (only and name not in only):
            continue
        pairs: list[Pair] = []
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                pair = Pair(record["anchor"], record["positive"])
                if shares_text(pair.anchor, seen) or shares_text(pair.positive, seen):
                    continue
                pairs.append(pair)
                if len(pairs) == most:
                    break
        sources[name] = pairs
    return sources


def evaluation_runs(folder: Path, *, titles: Collection[str] = ()) -> set[int]:
    """Hashes of every run of 20 letters (of ASCII texts: 40) of the texts of every set in BEIR layout.

    ``titles`` names sets whose documents' titles count too.
    """
    found: set[int] = set()
    for path in sorted(folder.glob("*/*.jsonl")):
        for line in path.open(encoding="utf-8"):
            record = json.loads(line)
            found.update(runs(record["text"], every=1))
            if path.parent.name in titles and record.get("title"):
                found.add(hash(record["title"]))
    return found


def shares_text(text: str, seen: Collection[int]) -> bool:
    return any(run in seen for run in runs(text))


def runs(text: str, *, every: int = RUN // 2) -> Iterator[int]:
    """Hashes of its runs of letters and, of a short text, of itself."""
    letters = "".join(text.split())
    yield hash(text)
    length = 2 * RUN if letters.isascii() else RUN
    for begin in range(0, len(letters) - length + 1, every):
        yield hash(letters[begin : begin + length])
