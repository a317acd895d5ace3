"""The readable text of an HTML page, with the line of the file that each part came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from pumice.search.documents.document import Document, UnreadableError
from pumice.search.documents.text import decode

_UNREAD = frozenset(("script", "style", "template", "noscript", "svg", "head"))
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "kbd"}
    | {"label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u"}
    | {"var", "wbr"}
)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


_CHARSET = re.compile(
    rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE | re.ASCII
)
_DECLARED_WITHIN = 4096
_LATIN_1 = frozenset(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii"))


class _Page(HTMLParser):
    """Collects text; block elements break the line, headings and paragraphs leave a blank one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.lines: list[tuple[int, int]] = []
        self._length = 0
        self._unread: list[str] = []
        self._title = False
        self._preformatted = 0
        self._break = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and self._unread in ([], ["head"]):
            self._title = True
        elif tag == "body":
            self._unread.clear()  # </head> is optional
        elif tag in _UNREAD:
            self._unread.append(tag)
        elif tag == "pre":
            self._preformatted += 1
        if tag not in _INLINE:
            self._separate("\n\n" if tag in _HEADINGS or tag == "p" else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title" and self._title:
            self._title = False
        elif tag in self._unread:
            del self._unread[self._unread.index(tag) :]
        elif tag == "pre" and self._preformatted:
            self._preformatted -= 1
        if tag not in _INLINE:
            self._separate("\n\n" if tag in _HEADINGS or tag in ("p", "title") else "\n")

    def handle_data(self, data: str) -> None:
        if self._unread and not self._title:
            return
        line = self.getpos()[0]
        if self._preformatted:
            text = data
        else:
            lead = data[: len(data) - len(data.lstrip())]
            line += lead.count("\n")
            text = " ".join(data.split())
            if data[:1].isspace():
                text = " " + text
            if data[-1:].isspace() and text != " ":
                text += " "
        if not text.strip():
            if text and not self._break and self.parts and not self.parts[-1].endswith(" "):
                self._append(" ")
            return
        if self._break:
            if self.parts:
                self._append(self._break)
            self._break = ""
            text = text if self._preformatted else text.lstrip()
        self.lines.append((self._length, line))
        self._append(text)

    def _separate(self, gap: str) -> None:
        if len(gap) > len(self._break):
            self._break = gap

    def _append(self, text: str) -> None:
        self.parts.append(text)
        self._length += len(text)


def _decode(data: bytes) -> str:
    """UTF-8 as for any text; a page that is not, in the encoding that its <meta> declares."""
    try:
        return decode(data)
    except UnreadableError:
        declared = _CHARSET.search(data[:_DECLARED_WITHIN])
        if declared is None:
            raise
        name = declared[1].decode("ascii")
        # The web's latin-1 is Windows' code page, as the HTML standard says.
        encoding = "cp1252" if name.lower() in _LATIN_1 else name
        try:
            return data.decode(encoding)
        except (LookupError, ValueError):
            raise UnreadableError(f"not text in the {name} that it declares") from None


def read_html(data: bytes) -> Iterator[Document]:
    """The page's title and text without scripts, styles and the rest of its head."""
    page = _Page()
    try:
        page.feed(_decode(data))
        page.close()
    except AssertionError as error:  # html.parser's answer to some broken <![ declarations
        raise UnreadableError(f"not readable HTML ({error})") from None
    yield Document("".join(page.parts), "text", lines=page.lines)
