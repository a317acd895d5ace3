"""Plain text, Markdown, reStructuredText and Python source: UTF-8, or UTF-16 with its mark."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from pumice.search.documents.document import Document, Kind, UnreadableError

_SNIFFED = 8192


def decode(data: bytes) -> str:
    """The text of a file's bytes, newlines as they are; UnreadableError if it is not text."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\0" in data[:_SNIFFED]:
        raise UnreadableError("binary")
    else:
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"not {encoding.removesuffix('-sig').upper()} text (byte {error.start})"
        ) from None


def read_text(data: bytes, *, kind: Kind) -> Iterator[Document]:
    """The whole file as one document."""
    yield Document(decode(data), kind)
