"""Reads Python packages and writes pairs of what a function is said to do, and its source, as JSON lines.

``pip download --no-deps --only-binary=:all: -r code_packages.txt -d WHEELS`` fetches them.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LETTERS, LINES = 1500, 60
"""A function of more lines is left out; of a longer one the beginning is taken."""
FEWEST_WORDS, MOST_WORDS = 3, 25
MOST_FROM_ONE = 3000
"""Functions of one package, so that none rules."""


@dataclass(frozen=True)
class Function:
    said: str
    """The first sentence of its docstring."""
    name: str
    """Its words, lower case."""
    whole: str
    bare: str
    """Its source without the docstring."""


def functions(source: str) -> Iterator[Function]:
    """Every documented function of a module that does something."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    text = re.split(r"\r(?!\n)|\n", source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        docstring = ast.get_docstring(node)
        body = node.body[1:]
        if not docstring or not body or (node.end_lineno or 0) - node.lineno > LINES:
            continue
        if len(body) == 1 and isinstance(body[0], ast.Pass | ast.Raise):
            continue
        said = first_sentence(docstring)
        if not FEWEST_WORDS <= len(re.findall(r"[A-Za-z]+", said)) <= MOST_WORDS:
            continue
        lines = text[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1].encode()[: node.end_col_offset].decode()
        lines[0] = lines[0].lstrip()
        signature = lines[: node.body[0].lineno - node.lineno]
        bare = "\n".join([*signature, *lines[body[0].lineno - node.lineno :]])
        words = re.sub(r"([a-z])([A-Z])", r"\1 \2", node.name).replace("_", " ")
        whole = "\n".join(lines)
        yield Function(said, words.strip().lower(), whole[:LETTERS], bare[:LETTERS])


def first_sentence(docstring: str) -> str:
    first = re.split(r"\n\s*\n|(?<=[a-z)])\.\s", docstring)[0]
    return " ".join(first.split()).rstrip(".")


def package(wheel: Path, *, rng: random.Random) -> list[Function]:
    """Its functions, at most 3,000 by chance; those of its tests are left out."""
    found: dict[tuple[str, str], Function] = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith(".py") or re.search(r"(^|/|_)tests?(/|_|\.)|/_vendor/", name):
                continue
            try:
                source = archive.read(name).decode("utf-8")
            except UnicodeDecodeError:
                continue
            for one in functions(source):
                found.setdefault((one.name, one.said), one)
    kept = list(found.values())
    return kept if len(kept) <= MOST_FROM_ONE else rng.sample(kept, MOST_FROM_ONE)


def pairs(function: Function, *, rng: random.Random) -> Iterator[tuple[str, str, str]]:
    """Source, anchor and positive: asked as it is documented, or now and then by its name."""
    asked = function.said if rng.random() < 0.8 else function.name
    if rng.random() < 0.5:
        asked = f"python {asked}"
    yield "code_bare", asked, function.bare
    yield "code_whole", asked if rng.random() < 0.5 else function.name, function.whole


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheels", type=Path, help="the folder they were downloaded to")
    parser.add_argument("-o", "--output", type=Path, default=Path("code"), help="a folder")
    args = parser.parse_args()
    rng = random.Random(0)
    args.output.mkdir(parents=True, exist_ok=True)
    names = [line.split("#")[0].strip() for line in (HERE / "code_packages.txt").open()]
    found: dict[tuple[str, str], Function] = {}
    for name in filter(None, names):
        project, version = name.split("==")
        stem = re.sub(r"[-_.]+", "[-_.]", project)
        [wheel] = [
            path
            for path in args.wheels.glob("*.whl")
            if re.match(f"{stem}-{re.escape(version)}-", path.name, re.IGNORECASE)
        ]
        for one in package(wheel, rng=rng):
            found.setdefault((one.name, one.said), one)
    listed = list(found.values())
    rng.shuffle(listed)
    outputs = {
        name: (args.output / f"{name}.jsonl").open("w", encoding="utf-8")
        for name in ("code_bare", "code_whole")
    }
    for one in listed:
        for source, anchor, positive in pairs(one, rng=rng):
            outputs[source].write(json.dumps({"anchor": anchor, "positive": positive}) + "\n")
    for file in outputs.values():
        file.close()
    print(f"{len(listed):,} functions of {len(names)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
