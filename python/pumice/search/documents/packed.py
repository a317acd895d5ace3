"""Files that may be compressed, for the readers: `notes.txt.gz` is a text, `rows.jsonl.zst` a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pumice.compression import COMPRESSIONS, unpacked
from pumice.errors import InputError
from pumice.search.documents.document import UnreadableError


def format_and_compression(path: Path) -> tuple[str, str]:
    """`.jsonl` and `.gz` of `rows.jsonl.gz`; the second is empty where there is none."""
    suffix = path.suffix.lower()
    if suffix in COMPRESSIONS[1:]:
        return Path(path.stem).suffix.lower(), suffix
    return suffix, ""


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes, unpacked where the name says so; UnreadableError of what is damaged."""
    if not format_and_compression(path)[1]:
        with path.open("rb") as file:  # the system's own errors say whether it was seen at all
            yield file
        return
    try:
        with unpacked(path) as file:
            yield file
    except InputError as error:
        system = error.__context__
        if isinstance(system, OSError) and system.errno is not None:
            raise system from None  # as above; those of the compressions have no number
        raise UnreadableError(str(error).removeprefix(f"{path}: ")) from None
