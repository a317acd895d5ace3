"""A query model and its document encoder as one sentence-transformers folder: a Router with both sides."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pumice.errors import MissingExtraError, ModelFileError


def write_router(
    write_queries: Callable[[Path], None], folder: Path, *, documents: Path, prompt: str
) -> None:
    """``encode_query`` of the folder is the static side, ``encode_document`` the transformer's.

    ``write_queries`` writes the static side as a sentence-transformers folder of its own, ``documents`` is
    the transformer's. Raises MissingExtraError, and ModelFileError where the library cannot load or save.
    """
    try:
        import sentence_transformers
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "distill") from error
    from pumice.teachers.quiet import quiet

    with TemporaryDirectory(prefix="pumice-") as place, quiet():
        write_queries(Path(place))
        try:
            sides: list[Any] = [
                sentence_transformers.SentenceTransformer(
                    str(one), device="cpu", local_files_only=True
                )
                for one in (place, documents)
            ]
            router = _modules().Router.for_query_document(
                query_modules=list(sides[0]), document_modules=list(sides[1])
            )
            both = sentence_transformers.SentenceTransformer(
                modules=[router], device="cpu", prompts={"query": "", "document": prompt}
            )
            both.save(str(folder))
        except OSError:
            raise
        except Exception as error:  # whatever the library's modules raise
            reason = str(error).strip().split("\n")[0]
            raise ModelFileError(f"{documents}: cannot be written as a Router: {reason}") from error


def _modules() -> Any:
    try:
        return import_module("sentence_transformers.sentence_transformer.modules")
    except ModuleNotFoundError:  # before version 6
        return import_module("sentence_transformers.models")
