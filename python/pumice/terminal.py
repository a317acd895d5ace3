"""Text of unknown origin, made safe to print on a terminal; whether that terminal wants colours."""

from __future__ import annotations

import os
import re
import sys

# A text may hold escape sequences that would rewrite the reader's terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Text without control characters, line breaks and tabs kept; lone surrogates as question marks."""
    clean = _CONTROL.sub("", text.replace("\r\n", "\n"))
    return clean.encode("utf-8", "replace").decode()


def wants_colours() -> bool:
    """Whether standard output is a terminal whose user has not asked for none (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
