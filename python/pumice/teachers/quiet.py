"""transformers and sentence-transformers without progress bars, load reports and advice."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep both from printing, and restore their settings."""
    from transformers.utils import logging as transformers_logging

    theirs: Any = transformers_logging
    sentences = logging.getLogger("sentence_transformers")
    level, bars, before = theirs.get_verbosity(), theirs.is_progress_bar_enabled(), sentences.level
    theirs.set_verbosity_error()
    theirs.disable_progress_bar()
    sentences.setLevel(logging.ERROR)
    try:
        yield
    finally:
        theirs.set_verbosity(level)
        sentences.setLevel(before)
        if bars:
            theirs.enable_progress_bar()
