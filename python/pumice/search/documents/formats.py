"""Which reader a file name asks for."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pumice.errors import MissingExtraError
from pumice.search.documents.csv_files import read_csv
from pumice.search.documents.document import BadRow, Document, UnreadableError
from pumice.search.documents.html import read_html
from pumice.search.documents.json_files import read_json, read_jsonl
from pumice.search.documents.packed import format_and_compression, opened
from pumice.search.documents.parquet import read_parquet
from pumice.search.documents.pdf import read_pdf
from pumice.search.documents.text import read_text

MAX_WHOLE_FILE = 64 << 20  # bytes of a file that has to be in memory at once
_CHUNK = 1 << 20

_whole: dict[str, Callable[[bytes], Iterator[Document]]] = {
    ".txt": partial(read_text, kind="text"),
    ".md": partial(read_text, kind="markdown"),
    ".rst": partial(read_text, kind="text"),
    ".py": partial(read_text, kind="python"),
    ".html": read_html,
    ".htm": read_html,
    ".json": read_json,
    ".pdf": read_pdf,
}
_streamed: dict[str, Callable[[Path], Iterator[Document | BadRow]]] = {
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".parquet": read_parquet,
}
SUFFIXES = frozenset((*_whole, *_streamed))
"""Each may be followed by that of a compression."""


@dataclass(frozen=True)
class Reading:
    """A file's documents, read as they are asked for, and the SHA-256 of its bytes."""

    sha256: str
    documents: Iterator[Document | BadRow]


def open_file(path: Path) -> Reading:
    """Start reading a file; UnreadableError says why it cannot be.

    Tables are streamed; other files are read whole, and refused above 64 MB, unpacked.
    """
    suffix, compression = format_and_compression(path)
    try:
        # A file may have become a pipe since it was listed; opening one would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreadableError("not a regular file")
            if suffix in _streamed or compression:
                digest = hashlib.sha256()
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                reader = _streamed.get(suffix) or partial(_read_whole, suffix=suffix)
                return Reading(digest.hexdigest(), _guarded(reader(path)))
            data = file.read(MAX_WHOLE_FILE + 1)
    except FileNotFoundError:
        raise UnreadableError("vanished while indexing", unread=True) from None
    except OSError as error:
        raise UnreadableError(error.strerror or str(error), unread=True) from None
    return Reading(hashlib.sha256(data).hexdigest(), _guarded(_whole[suffix](_capped(data))))


def _read_whole(path: Path, *, suffix: str) -> Iterator[Document]:
    with opened(path) as file:
        data = file.read(MAX_WHOLE_FILE + 1)
    yield from _whole[suffix](_capped(data))


def _capped(data: bytes) -> bytes:
    if len(data) > MAX_WHOLE_FILE:
        raise UnreadableError(f"larger than {MAX_WHOLE_FILE >> 20} MB")
    return data


def _guarded(
    documents: Iterator[Document] | Iterator[Document | BadRow],
) -> Iterator[Document | BadRow]:
    try:
        yield from documents
    except MissingExtraError as error:
        raise UnreadableError(str(error), unread=True) from None
    except FileNotFoundError:
        raise UnreadableError("vanished while indexing", unread=True) from None
    except OSError as error:
        raise UnreadableError(error.strerror or str(error), unread=True) from None
