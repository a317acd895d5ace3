"""StaticModel: a loaded model file that turns texts into vectors."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.modelfile.compiler import compile_model
from pumice.modelfile.native import LIBRARY
from pumice.modelfile.parts import ModelParts
from pumice.modelfile.reader import ModelFile
from pumice.modelfile.writing import checked_path, write_whole

if TYPE_CHECKING:
    from pumice.library_tokenizer import LibraryTokenizer

VECTOR_DTYPES = ("float32", "float16", "int8", "binary")
"""In the order of pumice_vector_type."""


class StaticModel:
    """A static text embedding model. Immutable; any number of threads may share it."""

    def __init__(self, file: ModelFile) -> None:
        self._file = file
        self._core = file.core
        self.dimensions: int = file.info["dimensions"]
        self.normalized: bool = file.info["normalizes"]
        self.nbytes: int = file.nbytes

    @classmethod
    def from_parts(cls, parts: ModelParts, *, dtype: str | None = None) -> StaticModel:
        """Compile a model in memory; rows are stored as ``dtype``, by default as ``parts`` has them."""
        return cls(ModelFile.from_bytes(compile_model(parts, dtype=dtype)))

    def __repr__(self) -> str:
        return f"StaticModel({self.name or 'unnamed'}, {len(self.tokens)} tokens, {self.dimensions} dimensions)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self._file.source, self.fingerprint, self._file.to_bytes())

    @property
    def name(self) -> str:
        """The model's name for people; may be empty."""
        return str(self.metadata.get("name", ""))

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the model file: equal fingerprints, equal vectors."""
        return self._file.fingerprint

    @property
    def metadata(self) -> dict[str, Any]:
        """What the file says of itself to people: licence, source, rules, provenance."""
        return dict(self._file.metadata)

    @property
    def tokens(self) -> list[str]:
        """Token strings by id."""
        return self._file.tokens

    @cached_property
    def prefixes(self) -> tuple[int, ...] | None:
        """Dimensions that vectors may be cut to; None where the model makes no claim and any may be tried."""
        prefixes = self._file.metadata.get("prefixes")
        return None if prefixes is None else tuple(prefixes)

    def encode(
        self,
        texts: str | Iterable[str],
        *,
        dim: int | None = None,
        dtype: str = "float32",
        threads: int | None = None,
    ) -> NDArray[Any]:
        """The vectors of texts.

        ``texts`` is a str, a sequence of str, or an Arrow or Polars string column, read in place. A str gives
        shape (width,), n texts give (n, width). ``dim`` keeps the first dimensions and normalises after the
        cut. ``dtype`` is "float32", "float16", "int8" (127 x / max|x|, a scale per vector, which leaves
        cosines as they are) or "binary" (uint8, a bit a dimension, set where x > 0, in numpy.packbits order).
        A text without tokens gives zeros. ``threads`` defaults to the processors at hand; results do not
        depend on it. Raises InputError.
        """
        dim = self._checked_dim(dim)
        kind = _checked_dtype(dtype)
        workers = _checked_threads(threads)
        if isinstance(texts, str):
            if self._library is not None:
                return _only(self._pool([texts], dim=dim, kind=kind))
            out = _empty(1, dim, kind)
            self._core.encode_one(texts, dim, kind, out.view(np.uint8))
            return _only(out)
        if _is_arrow(texts):
            if self._library is not None:
                return self._pool(_arrow_strings(texts), dim=dim, kind=kind)
            column: list[NDArray[Any]] = []

            def allocate(count: int) -> NDArray[Any]:
                column.append(_empty(count, dim, kind))
                return column[0].view(np.uint8)

            self._core.encode_arrow(texts, dim, kind, workers, allocate)
            return column[0]
        listed = _checked_sequence(texts)
        if self._library is not None:
            return self._pool(listed, dim=dim, kind=kind)
        out = _empty(len(listed), dim, kind)
        self._core.encode(listed, dim, kind, workers, out.view(np.uint8))
        return out

    def tokenize(self, texts: str | Iterable[str]) -> Any:
        """Token ids as they enter the mean: cut at the limits, unknown tokens left out where dropped.

        A str gives a list of int, n texts give n lists.
        """
        if isinstance(texts, str):
            _check_surrogates(texts, "the text")
            return self._ids([texts])[0]
        return self._ids(_arrow_strings(texts) if _is_arrow(texts) else _checked_sequence(texts))

    def verify(self) -> None:
        """Raise ModelFileError if the file's content does not match its fingerprint."""
        self._file.verify()

    def save(self, path: str | os.PathLike[str], *, dtype: str | None = None) -> None:
        """Write the model to one .pumice file, whole or not at all; ``dtype`` converts its rows."""
        target = checked_path(path, what="path")
        stored = self._file.metadata.get("dtype")
        same = dtype is None or dtype == stored
        data = self._file.to_bytes() if same else compile_model(self._file.parts(), dtype=dtype)
        write_whole(target, data)

    def save_pretrained(self, folder: str | os.PathLike[str], *, format: str = "model2vec") -> None:  # noqa: A002
        """Write a folder that model2vec or sentence-transformers loads; warns of rules it cannot carry."""
        from pumice.modelfile.export import write_folder

        write_folder(self._file.parts(), checked_path(folder, what="folder"), format=format)

    @cached_property
    def _library(self) -> LibraryTokenizer | None:
        if self._file.info["tokenizer"] != LIBRARY:
            return None
        from pumice.library_tokenizer import LibraryTokenizer

        return LibraryTokenizer(self._file.tokenizer, source=self._file.source)

    def _ids(self, texts: list[str]) -> list[list[int]]:
        if self._library is None:
            return self._core.tokenize(texts, 0)
        limit, info = self._file.info["max_tokens"], self._file.info
        ids = [found[:limit] for found in self._library_ids(texts)]
        if not info["drops_unknown"] or info["unknown_id"] is None:
            return ids
        return [[i for i in found if i != info["unknown_id"]] for found in ids]

    def _library_ids(self, texts: list[str]) -> list[list[int]]:
        assert self._library is not None
        max_chars = self._file.info["max_chars"]
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(
                    f"texts[{position}] is {type(text).__name__}, not str: pass strings only"
                )
            _check_surrogates(text, f"texts[{position}]")
        return self._library.ids([text[:max_chars] for text in texts])

    def _pool(self, texts: list[str], *, dim: int, kind: int) -> NDArray[Any]:
        ids = self._library_ids(texts)
        offsets = np.cumsum([0, *map(len, ids)], dtype=np.int64)
        flat = np.fromiter((i for found in ids for i in found), np.uint32, count=int(offsets[-1]))
        out = _empty(len(texts), dim, kind)
        self._core.pool(flat, offsets, dim, kind, out.view(np.uint8))
        return out

    def _checked_dim(self, dim: int | None) -> int:
        if dim is None:
            return self.dimensions
        if isinstance(dim, bool) or not isinstance(dim, (int, np.integer)) or dim < 1:
            raise InputError(f"dim={dim!r} is not a positive whole number")
        if dim > self.dimensions:
            raise InputError(f"dim={dim} is larger than the model's {self.dimensions} dimensions")
        if self.prefixes is not None and dim not in self.prefixes:
            listed = ", ".join(map(str, self.prefixes))
            raise InputError(
                f"dim={dim} is not among the prefixes that the model keeps valid: {listed}"
            )
        return int(dim)


def _reopen(source: str, fingerprint: str, data: bytes) -> StaticModel:
    """Unpickle: map the file again where it is still the same one, else use the bytes."""
    if Path(source).is_file():
        file = ModelFile.open(source)
        if file.fingerprint == fingerprint:
            return StaticModel(file)
    return StaticModel(ModelFile.from_bytes(data, source=source))


def _checked_dtype(dtype: str) -> int:
    if dtype not in VECTOR_DTYPES:
        raise InputError(f"dtype={dtype!r} is not one of {', '.join(VECTOR_DTYPES)}")
    return VECTOR_DTYPES.index(dtype)


def _checked_threads(threads: int | None) -> int:
    if threads is None:
        return 0
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024:
        raise InputError(f"threads={threads!r} is not a whole number from 1 to 1024")
    return threads


def _checked_sequence(texts: Any) -> list[str]:
    refused = (bytes, bytearray, dict, set, frozenset)
    scalar = getattr(texts, "shape", None) == ()
    if isinstance(texts, refused) or not isinstance(texts, Iterable) or scalar:
        raise InputError(
            f"texts is {type(texts).__name__}: pass a str, a sequence of str, or an Arrow string column"
        )
    return texts if isinstance(texts, list) else list(texts)


def _check_surrogates(text: str, subject: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{subject} holds a lone surrogate, which UTF-8 cannot carry: "
            'clean it with text.encode("utf-8", "replace").decode()'
        ) from None


def _is_arrow(texts: Any) -> bool:
    return hasattr(texts, "__arrow_c_stream__") or hasattr(texts, "__arrow_c_array__")


def _arrow_strings(column: Any) -> list[str]:
    to_list = getattr(column, "to_pylist", None) or column.to_list
    strings: list[str] = to_list()
    return strings


def _only(vectors: NDArray[Any]) -> NDArray[Any]:
    row: NDArray[Any] = vectors[0]
    return row


def _empty(count: int, dim: int, kind: int) -> NDArray[Any]:
    name = VECTOR_DTYPES[kind]
    if name == "binary":
        return np.empty((count, (dim + 7) // 8), np.uint8)
    return np.empty((count, dim), name)
