"""What a reader yields: one piece of text with the facts about where it came from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "markdown", "python", "record"]


@dataclass(frozen=True)
class Document:
    """Text to split. `kind` picks the splitter; a "record" is one row and stays in one piece
    unless it is longer than a passage.

    `lines` holds (character offset, line number of the file) pairs in ascending order, for text
    that is not the file's own, such as the text of HTML; None: the text is the file's own.
    """

    text: str
    kind: Kind = "text"
    payload: dict[str, Any] = field(default_factory=dict)
    lines: Sequence[tuple[int, int]] | None = None


@dataclass(frozen=True)
class BadRow:
    """A row that gives no document, in a table whose other rows do; `reason` names the row."""

    reason: str


class LineFinder:
    """Line numbers of ascending character offsets, each character looked at once."""

    def __init__(self, document: Document) -> None:
        """Start at the beginning of the document."""
        self._document = document
        self._offset = 0
        self._line = 1

    def line_of(self, offset: int) -> int:
        """The line, from 1, that holds the character at `offset`; offsets must not go back."""
        lines = self._document.lines
        if lines is not None:
            at = bisect_right(lines, offset, key=lambda pair: pair[0]) - 1
            return lines[max(at, 0)][1] if lines else 1
        self._line += self._document.text.count("\n", self._offset, offset)
        self._offset = offset
        return self._line


class UnreadableError(Exception):
    """Why a file gives no documents; the indexer reports it and goes on to the next file.

    `unread` is True where the content was never seen (permissions, a vanished file): what the
    index holds of an earlier reading then stays.
    """

    def __init__(self, reason: str, *, unread: bool = False) -> None:
        """Keep the reason as people should read it."""
        super().__init__(reason)
        self.unread = unread
