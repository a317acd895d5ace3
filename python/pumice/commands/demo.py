"""pumice demo: index this machine's Python documentation, offline, and answer questions from it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pumice.errors import SearchIndexError
from pumice.search import Hit, Index
from pumice.search.documents.document import Document
from pumice.search.documents.splitting import split_document
from pumice.search.folder import empty_index
from pumice.search.highlight import best_sentences
from pumice.search.location import demo_index_folder
from pumice.search.manifest import MANIFEST_FILE, read_manifest
from pumice.search.rendering import BOLD
from pumice.search.stdlib_docs import standard_library
from pumice.terminal import printable, wants_colours

QUESTIONS = (
    "How do I cache the results of a function?",
    "Which day of the week is a date?",
    "How can I compare two files?",
    "pick a random element from a list",
    "how much free disk space is left",
)
_ANSWERS = 2
_MARK = f"{MANIFEST_FILE}.demo"  # only an index of the demo's own is emptied
_LINE = 92


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--index",
        metavar="FOLDER",
        help="keep the demo's index here (default: the user's cache)",
    )


def run(args: argparse.Namespace) -> int:
    """Read, embed, ask, and say what to try next."""
    folder = Path(args.index).expanduser() if args.index else demo_index_folder()
    if args.index and read_manifest(folder) is not None and not (folder / _MARK).exists():
        raise SearchIndexError(
            f"{folder} holds an index that the demo did not make: name a new folder"
        )
    empty_index(folder)
    Index(folder).close()  # a place that cannot be written to is told before the reading
    (folder / _MARK).touch()
    version = ".".join(map(str, sys.version_info[:2]))
    print(f"Reading the documentation of Python {version}'s standard library …", flush=True)
    started = time.perf_counter()
    records = list(_records())
    size = sum(len(record["text"].encode()) for record in records)
    print(
        f"  {len(records):,} passages, {size / 1e6:.1f} MB of docstrings, "
        f"in {time.perf_counter() - started:.1f} s",
        flush=True,
    )
    with Index(folder) as index:
        model = index.model
        started = time.perf_counter()
        vectors = model.encode([record["text"] for record in records], dim=index.dim)
        embedding = time.perf_counter() - started  # of the model alone
        index.add(records, vectors=vectors)
        index.flush()
        seconds = time.perf_counter() - started
        print(
            f"Embedded at {len(records) / embedding:,.0f} passages/s "
            f"({size / 1e6 / embedding:.0f} MB/s), in {embedding:.2f} s; stored and searchable "
            f"after {seconds:.1f} s\n"
            f"  model {model.name}: {model.nbytes / 1e6:.1f} MB, {index.dim} dimensions; "
            "no GPU, no network"
        )
        for question in QUESTIONS:
            print()
            _answer(index, question)
    command = _command()
    print("\nNext, your own files:")
    print(f'  {command} index ~/notes && {command} search "how do I renew my passport"')
    print("or ask this index something else:")
    print(f'  {command} search --index {args.index or folder} "square root of a number"')
    return 0


def _command() -> str:
    """How to call pumice from here: by name where the shell finds it, else by the path it was called by."""
    called = Path(sys.argv[0])
    return (
        "pumice" if shutil.which("pumice") or called.name != "pumice" else os.path.relpath(called)
    )


def _records() -> Iterator[dict[str, Any]]:
    for found in standard_library():
        document = Document(f"{found.name}{found.signature}\n{found.text}")
        for part, passage in enumerate(split_document(document)):
            yield {
                "id": f"{found.name}#{part}",
                "text": passage.text,
                "name": found.name,
                "source": found.source,
                **({"line": found.line} if found.line else {}),
            }


def _answer(index: Index, question: str) -> None:
    started = time.perf_counter()
    hits = index.search(question, k=_ANSWERS)
    milliseconds = (time.perf_counter() - started) * 1e3
    begin, end = BOLD if wants_colours() else ("", "")
    print(f"{begin}{question}{end}  ({milliseconds:.1f} ms)")
    bodies = [replace(hit, text=_body(hit)) for hit in hits]
    matches = best_sentences(bodies, query=question, model=index.model)
    for hit, match in zip(bodies, matches, strict=True):
        sentence = " ".join(printable(hit.text[match.start : match.end]).split())
        if len(sentence) > _LINE:
            sentence = sentence[: _LINE - 1] + "…"
        print(f"  {hit.score:.2f}  {begin}{hit.payload['name']}{end}  ({_place(hit)})")
        print(f"        {sentence}")


def _body(hit: Hit) -> str:
    """The passage without the name and signature that the first one of a docstring begins with."""
    head, _, rest = hit.text.partition("\n")
    return rest if head.startswith(hit.payload["name"]) and rest.strip() else hit.text


def _place(hit: Hit) -> str:
    source = hit.payload["source"]
    if source == "built-in":
        return "built-in"
    library = sysconfig.get_path("stdlib")
    return f"{os.path.relpath(source, library)}:{hit.payload['line']}"
