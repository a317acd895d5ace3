"""Cuts documents into passages with semantic-text-splitter; text[start:end] is the passage."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pumice.errors import MissingExtraError
from pumice.search.documents.document import Document, Kind, LineFinder

# A static model's vector is a mean: a passage of one topic keeps it sharp.
PASSAGE_CHARACTERS = 600
_SENTENCE_CHARACTERS = (30, 160)
# The splitter's time grows faster than its input (19 MB/s at 0.5 MB, 3.6 at 5 MB): feed it pieces.
_PIECE_CHARACTERS = 60_000

# A newline within a paragraph: the next line is neither blank, nor indented, nor an item or title.
_WRAP = re.compile(r"(?<=[^\n.:!?])\n(?=[^\s\-*#>|=])")

_Split = Callable[[str], list[tuple[int, str]]]


@dataclass(frozen=True)
class Passage:
    """A part of a document, trimmed of white space; `end` is exclusive, offsets in characters."""

    text: str
    start: int
    end: int
    line: int


def split_document(document: Document) -> Iterator[Passage]:
    """The document's passages in order; nothing for white space."""
    text, lines = document.text, LineFinder(document)
    for start, chunk in _chunks(text, _splitter(document.kind)):
        yield Passage(chunk, start, start + len(chunk), lines.line_of(start))


def split_sentences(passage: str) -> list[tuple[int, int]]:
    """Spans of about a sentence each, in order."""
    # In hard-wrapped prose a sentence goes on in the next line; a space is as long as a newline.
    unwrapped = _WRAP.sub(" ", passage)
    split = _sentence_splitter()
    return [(start, start + len(chunk)) for start, chunk in _chunks(unwrapped, split)]


def _chunks(text: str, split: _Split) -> Iterator[tuple[int, str]]:
    start = 0
    while start < len(text):
        end = _piece_end(text, start)
        for offset, chunk in split(text[start:end]):
            if chunk.strip():
                yield start + offset, chunk
        start = end


def _piece_end(text: str, start: int) -> int:
    """Where a piece ends: at a blank line if there is one near, else a line, else a space."""
    limit = start + _PIECE_CHARACTERS
    if limit >= len(text):
        return len(text)
    for boundary in ("\n\n", "\n", " "):
        at = text.rfind(boundary, start + _PIECE_CHARACTERS // 2, limit)
        if at > 0:
            return at + len(boundary)
    return limit


@cache
def _splitter(kind: Kind) -> _Split:
    library = _library()
    if kind == "markdown":
        splitter = library.MarkdownSplitter(PASSAGE_CHARACTERS)
    elif kind == "python":
        try:
            import tree_sitter_python
        except ImportError:
            raise MissingExtraError("tree-sitter-python", "search") from None
        splitter = library.CodeSplitter(tree_sitter_python.language(), PASSAGE_CHARACTERS)
    else:
        splitter = library.TextSplitter(PASSAGE_CHARACTERS)
    split: _Split = splitter.chunk_indices
    return split


@cache
def _sentence_splitter() -> _Split:
    split: _Split = _library().TextSplitter(_SENTENCE_CHARACTERS).chunk_indices
    return split


def _library() -> Any:
    try:
        import semantic_text_splitter
    except ImportError:
        raise MissingExtraError("semantic-text-splitter", "search") from None
    return semantic_text_splitter
