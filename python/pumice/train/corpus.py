"""Raw text for training: paragraphs of text files, rows of tables and datasets, in bounded memory."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pumice.compression import COMPRESSIONS, unpacked
from pumice.errors import InputError
from pumice.records import FORMATS, Record, checked_string
from pumice.train.records import source_records
from pumice.train.sources import Source, check_dataset_id

COLUMNS = ("text", "title", "anchor", "positive")
TEXT_FORMATS = (".txt", ".md", ".rst")
_LINE = 1 << 16  # characters read at once: a file need not have lines
_PARAGRAPH = 2000  # characters after which the end of a line ends a paragraph as well
_HEADING = 120
_LABEL = re.compile(r"\.\. _.*:\s*")
"""What links of reStructuredText point to: it stands above most titles of Sphinx's, and says nothing."""
_NO_COLUMNS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Document:
    """A text and what it is called."""

    title: str
    """Of the record, or of the file whose paragraph this is; empty where there is none."""
    text: str
    """Never blank."""


def read_documents(
    paths: object, *, columns: Mapping[str, str] = _NO_COLUMNS
) -> Iterator[Document]:
    """Every text of a corpus in its order; InputError says what is wrong, and in which file and line.

    ``paths`` are files, folders (walked in the order of their names, hidden entries left out) and ids of
    Hugging Face datasets. A text file, UTF-8, gives its paragraphs; a record of a .jsonl, .csv or .parquet
    file its "text", with its "title" where it has one, or else its "anchor" and "positive", a document each.
    ``columns`` gives other names for these four. Records whose text is blank are passed over, as blank lines
    are. Any of these files may be packed by xz, gzip or Zstandard.
    """
    names = _names(columns)
    found = False
    for path in corpus_files(paths):
        for document in _documents(path, names):
            found = True
            yield document
    if not found:
        raise InputError("the corpus holds no text: give files with text in them")


def corpus_files(paths: object) -> list[str]:
    """The files and dataset ids of a corpus, folders opened; InputError for what is not there."""
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    if not isinstance(paths, Iterable):
        raise InputError(f"corpus is {type(paths).__name__}: give files, folders or dataset ids")
    files: list[str] = []
    for one in paths:
        if not isinstance(one, (str, os.PathLike)) or not os.fspath(one):
            raise InputError(f"corpus holds {one!r}: give files, folders or dataset ids")
        files += _opened(os.fspath(one))
    if not files:
        raise InputError("corpus is empty: give at least one file of text")
    seen: set[str] = set()
    for file in files:
        place = os.path.realpath(file)
        if place in seen:
            raise InputError(f"{file}: is in the corpus twice: give it once")
        seen.add(place)
    return files


def _opened(given: str) -> list[str]:
    path = Path(given)
    if path.is_dir():
        files = sorted(_walked(path))
        if not files:
            raise InputError(f"{given}: holds no {_ALL} file, compressed or not")
        return files
    if path.is_file():
        if _format_of(path.name) is None:
            raise InputError(
                f"{given}: a corpus is read from {_ALL} files, also with "
                f"{', '.join(COMPRESSIONS[1:])} after it: convert or rename it"
            )
        return [given]
    check_dataset_id(given)
    return [given]


def _walked(folder: Path) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename}: cannot be listed: {error.strerror}")

    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(parent, name)
            if not name.startswith(".") and _format_of(name) is not None and path.is_file():
                yield str(path)


def _format_of(name: str) -> str | None:
    lower, formats = name.lower(), (*TEXT_FORMATS, *FORMATS)
    return next((f for f in formats for c in COMPRESSIONS if lower.endswith(f + c)), None)


def _documents(path: str, names: Mapping[str, str]) -> Iterator[Document]:
    kind = _format_of(path)
    if kind in TEXT_FORMATS and os.path.isfile(path):
        with unpacked(Path(path)) as file:
            yield from _paragraphs(file, path, kind=kind)
        return
    for record in source_records(Source(path)):
        yield from _of_record(record, names)


def _paragraphs(file: IO[bytes], path: str, *, kind: str) -> Iterator[Document]:
    """What blank lines part; the first is the title of all where it reads like a heading.

    A later heading stays with the paragraph below it.
    """
    title, first, above = "", True, ""
    with io.TextIOWrapper(file, encoding="utf-8-sig") as lines:
        for paragraph in _parted(lines, path):
            if kind == ".rst" and all(map(_LABEL.fullmatch, paragraph.split("\n"))):
                continue
            heading = _heading(paragraph, kind=kind)
            if first and heading is not None:
                title, rest = heading
                if rest:
                    yield Document(title, rest)
            elif kind != ".txt" and heading is not None and not heading[1]:
                above = f"{paragraph}\n"
            else:
                yield Document(title, above + paragraph)
                above = ""
            first = False


def _parted(lines: IO[str], path: str) -> Iterator[str]:
    held: list[str] = []
    size = 0
    while line := lines.readline(_LINE):
        if "\0" in line:
            raise InputError(f"{path}: is not text: it holds NUL characters")
        blank = line.isspace()
        if not blank:
            held.append(line.rstrip())
            size += len(line)
        if held and (blank or size > _PARAGRAPH):
            yield "\n".join(held).strip()
            held, size = [], 0
    if held:
        yield "\n".join(held).strip()


def _heading(paragraph: str, *, kind: str) -> tuple[str, str] | None:
    """The heading that a paragraph begins with, and what follows it; None where it begins with none."""
    lines = paragraph.split("\n")
    if kind == ".md" and (mark := re.fullmatch(r"#{1,6}\s+(.*?)[\s#]*", lines[0])):
        return (mark[1], "\n".join(lines[1:])) if mark[1] else None
    if kind == ".txt":
        plain = len(lines) == 1 and len(lines[0]) <= _HEADING and lines[0][-1] not in ".,;:!"
        return (lines[0], "") if plain else None
    over = int(kind == ".rst" and len(lines) > 2 and _is_rule(lines[0]) and lines[0] == lines[2])
    if len(lines) > 1 + over and _is_rule(lines[1 + over]) and not _is_rule(lines[over]):
        return lines[over].strip(), "\n".join(lines[2 + over :])
    return None


def _is_rule(line: str) -> bool:
    """Whether it underlines a heading: =====, -----."""
    return re.fullmatch(r"([=\-~^\"'`#*+.:_])\1{2,}", line) is not None


def _names(columns: Mapping[str, str]) -> dict[str, str]:
    for role, name in columns.items():
        if role not in COLUMNS:
            raise InputError(
                f"columns names {role!r}: only {', '.join(COLUMNS)} can be named, each by what "
                "its column is called, such as anchor=query"
            )
        if not isinstance(name, str) or not name:
            raise InputError(f"columns gives {name!r} for {role}: give a column's name")
    return {role: columns.get(role, role) for role in COLUMNS}


def _of_record(record: Record, names: Mapping[str, str]) -> Iterator[Document]:
    text, title, anchor, positive = (names[role] for role in COLUMNS)
    if text in record.fields:
        title_text = checked_string(record, title) if record.fields.get(title) is not None else ""
        documents = [Document(title_text.strip(), checked_string(record, text))]
    elif anchor in record.fields and positive in record.fields:
        documents = [Document("", checked_string(record, name)) for name in (anchor, positive)]
    else:
        found = ", ".join(f'"{field}"' for field in list(record.fields)[:10]) or "none"
        raise InputError(
            f'{record.place}: has no "{text}"; its columns are {found}: '
            "say which one it is with columns (--columns text=…)"
        )
    yield from (document for document in documents if document.text.strip())


_ALL = ", ".join((*TEXT_FORMATS, *FORMATS))
