"""PDF, a document per page. The only user of pypdf."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

from pumice.errors import MissingExtraError
from pumice.search.documents.document import Document, UnreadableError


def read_pdf(data: bytes) -> Iterator[Document]:
    """The text layer of each page; offsets count within the page's text. No OCR."""
    try:
        import pypdf
    except ImportError:
        raise MissingExtraError("pypdf", "pdf") from None
    # pypdf logs what it repairs; Python prints that where the program has no log handler at all.
    logger = logging.getLogger("pypdf")
    quiet = logging.NullHandler()
    logger.addHandler(quiet)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("encrypted")
        for number, page in enumerate(reader.pages, start=1):
            text = page.extract_text()
            # Broken fonts give lone surrogates; the store takes valid Unicode only.
            clean = text.encode("utf-8", "replace").decode("utf-8")
            yield Document(clean, "text", {"page": number})
    except UnreadableError:
        raise
    except Exception as error:
        # A hostile PDF makes pypdf raise nearly anything: KeyError, RecursionError, zlib.error ...
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UnreadableError(f"not a readable PDF ({reason})") from None
    finally:
        logger.removeHandler(quiet)
