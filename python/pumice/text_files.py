"""Texts for counting out of files and folders: lines of text files, the strings of JSON lines."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pumice.compression import COMPRESSIONS, unpacked
from pumice.errors import InputError
from pumice.records import checked_string, read_records

_PLAIN = (".txt", ".md", ".rst")
_RECORDS = ".jsonl"
_LINE = 1 << 16  # characters read at once: a file need not have lines


def read_texts(paths: Iterable[str | os.PathLike[str]]) -> Iterator[str]:
    """Each line of a text file, each string value of an object of a .jsonl file; blank ones are left out.

    Folders are walked in the order of names for .txt, .md, .rst and .jsonl, hidden entries left out. A further
    suffix .xz, .gz or .zst is unpacked on the way. InputError names the file, and the line, of what cannot be
    read; encodings other than UTF-8 are refused.
    """
    for given in paths:
        for path in _files(Path(given)):
            if _kind(path) == _RECORDS:
                yield from _strings(path)
                continue
            with unpacked(path) as file, io.TextIOWrapper(file, encoding="utf-8") as text:
                while line := text.readline(_LINE):
                    if not line.isspace():
                        yield line


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = False
    for folder, inside, names in os.walk(path):
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and _kind(Path(name)) in (*_PLAIN, _RECORDS):
                found = True
                yield Path(folder, name)
    if not found:
        raise InputError(f"{path}: has no {', '.join((*_PLAIN, _RECORDS))} files in it")


def _kind(path: Path) -> str:
    """The suffix without that of a compression."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in COMPRESSIONS[1:] else suffix


def _strings(path: Path) -> Iterator[str]:
    for record in read_records(path):
        for key, value in record.fields.items():
            if isinstance(value, str) and value.strip():
                yield checked_string(record, key)
