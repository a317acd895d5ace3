"""StaticModel: a loaded model file that turns texts into vectors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pumice import arguments
from pumice.document_side import ANYWHERE, DocumentPlace, DocumentSide
from pumice.errors import InputError, ModelFileError
from pumice.explanation import Explanation, TokenVectors
from pumice.modelfile.compiler import compile_model
from pumice.modelfile.native_tokenizer import LIBRARY
from pumice.modelfile.parts import DocumentEncoder, ModelParts
from pumice.modelfile.reader import ModelFile
from pumice.modelfile.vocabulary import damage_named
from pumice.modelfile.writing import checked_path, write_whole
from pumice.offset_trimming import trimmed, trimming_steps

if TYPE_CHECKING:
    from pumice.document_side import Precision
    from pumice.library_tokenizer import LibraryTokenizer


class StaticModel:
    """A static text embedding model. Immutable; any number of threads may share it."""

    def __init__(self, file: ModelFile, *, documents: DocumentPlace = ANYWHERE) -> None:
        """``documents`` says where the document encoder lies, where there is one."""
        self._file, self._document_place = file, documents
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
        place = self._document_place
        return _reopen, (self._file.source, self.fingerprint, self._file.to_bytes(), place)

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

    @cached_property
    def document_encoder(self) -> DocumentEncoder | None:
        """The transformer that encodes documents where this model encodes queries alone, else None."""
        return self._file.document_encoder

    def encode(
        self,
        texts: str | Iterable[str],
        *,
        dim: int | None = None,
        dtype: str = "float32",
        threads: int | None = None,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """The vectors of texts.

        ``texts`` is a str, a sequence of str, or an Arrow or Polars string column, read in place. A str gives
        shape (width,), n texts give (n, width). ``dim`` keeps the first dimensions and normalises after the
        cut. ``dtype`` is "float32", "float16", "int8" (127 x / max|x|, a scale per vector, which leaves
        cosines as they are) or "binary" (uint8, a bit a dimension, set where x > 0, in numpy.packbits order).
        A text without tokens gives zeros. ``threads`` defaults to the processors at hand; results do not
        depend on it. ``out``, a C-contiguous array of the result's shape and dtype, is filled and returned
        instead of a new one; after an error or Ctrl-C its content is undefined. Ctrl-C ends the call between
        texts. Raises InputError.
        """
        dim = self._checked_dim(dim)
        kind = arguments.checked_dtype(dtype)
        workers = arguments.checked_threads(threads)
        if isinstance(texts, str):
            out = arguments.room(None, dim=dim, kind=kind, out=out)
            if self._library is None:
                self._core.encode_one(texts, dim, kind, out.view(np.uint8))
            else:
                self._pool([texts], dim=dim, kind=kind, out=out)
            return out
        if self._library is None and arguments.is_arrow(texts):
            column: list[NDArray[Any]] = []

            def allocate(count: int) -> NDArray[Any]:
                column.append(arguments.room(count, dim=dim, kind=kind, out=out))
                return column[0].view(np.uint8)

            self._core.encode_arrow(texts, dim, kind, workers, allocate)
            return column[0]
        listed = arguments.listed(texts)
        out = arguments.room(len(listed), dim=dim, kind=kind, out=out)
        if self._library is None:
            self._core.encode(listed, dim, kind, workers, out.view(np.uint8))
        else:
            self._pool(listed, dim=dim, kind=kind, out=out)
        return out

    def encode_documents(
        self,
        texts: str | Iterable[str],
        *,
        dim: int | None = None,
        dtype: str = "float32",
        precision: Precision = "float32",
    ) -> NDArray[Any]:
        """The vectors of documents, to be compared with those that ``encode`` gives queries.

        A model without a ``document_encoder`` encodes both alike: this is ``encode``. Otherwise that
        transformer does it, loaded with the first text and checked to be the one that the model was aligned
        to; a text that is empty or white space gives zeros. ``precision`` is the transformer's: "float32",
        "bfloat16", or "auto", which is bfloat16 where the processor has it in hardware (cosines of .9999,
        several times as fast). Shapes and the other parameters are those of ``encode``. Raises InputError,
        and HubError, ModelFileError and MissingExtraError where the transformer cannot be had.
        """
        if self._document_side is None:
            return self.encode(texts, dim=dim, dtype=dtype)
        dim = self._checked_dim(dim)
        kind = arguments.checked_dtype(dtype)
        alone = isinstance(texts, str)
        listed = [texts] if isinstance(texts, str) else arguments.listed(texts)
        vectors = self._document_side.encode(listed, precision=precision)[:, :dim]
        coded = arguments.coded(vectors, kind=kind)
        return coded[0] if alone else coded

    def encode_stream(
        self,
        texts: Iterable[str],
        *,
        batch: int = 4096,
        dim: int | None = None,
        dtype: str = "float32",
        threads: int | None = None,
    ) -> Iterator[NDArray[Any]]:
        """The vectors of any iterable of str, however long: arrays of shape (batch, width), the last shorter.

        Texts are read when their batch is asked for, so that memory holds one batch of texts and its vectors.
        The other parameters are those of ``encode``; arguments are checked at once, texts as they come, and
        InputError names a bad one's position in the whole stream.
        """
        if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
            raise InputError(
                f"texts is {type(texts).__name__}: pass an iterable of str; encode takes one text"
            )
        size = arguments.checked_count("batch", batch)
        self._checked_dim(dim)
        arguments.checked_dtype(dtype)
        arguments.checked_threads(threads)

        def batches(rest: Iterator[str]) -> Iterator[NDArray[Any]]:
            first = 0
            while read := list(islice(rest, size)):
                try:
                    vectors = self.encode(read, dim=dim, dtype=dtype, threads=threads)
                except InputError:
                    arguments.check_strings(read, first=first)
                    raise
                first += len(read)
                read.clear()
                yield vectors
                del vectors

        return batches(iter(texts))

    def tokenize(self, texts: str | Iterable[str]) -> Any:
        """Token ids as they enter the mean: cut at the limits, unknown tokens left out where dropped.

        A str gives a list of int, n texts give n lists.
        """
        if isinstance(texts, str):
            arguments.check_string(texts, name="the text")
            return self._ids([texts])[0]
        return self._ids(arguments.listed(texts))

    def token_vectors(self, text: str) -> TokenVectors:
        """Each token of a text that enters the mean: its id, its place in the text, what it adds.

        The mean of its ``vectors``, normalised where the model normalises, is ``encode(text)``. Spans are the
        offsets that Hugging Face tokenizers reports, on every text: what one character expands to shares its
        span, a stripped accent belongs to no span, and an unknown word has the span of the whole word. Where
        combining marks that outlive BERT's strip_accents are written out of canonical order, the library sorts
        the marks and not their offsets, and so does this. Models that need the ``tokenizers`` library for ids
        need it here too. Raises InputError.
        """
        arguments.check_string(text, name="the text")
        found = self._token_spans(text)
        ids = found[:, 0].astype(np.uint32)
        return TokenVectors(
            ids=ids,
            tokens=[self.tokens[i] for i in ids.tolist()],
            spans=np.ascontiguousarray(found[:, 1:]),
            vectors=self._file.token_vectors(ids),
        )

    def explain(self, query: str, document: str, *, dim: int | None = None) -> Explanation:
        """Why two texts are as similar as they are: each token pair's exact share of their cosine.

        ``dim`` compares the first dimensions only. A text without tokens, or whose vector is zero, has a score
        and shares of 0. Takes memory for every pair of tokens. Raises InputError.
        """
        width = self._checked_dim(dim)
        arguments.check_string(query, name="query")
        arguments.check_string(document, name="document")
        return Explanation.of(
            self.token_vectors(query).cut(width), self.token_vectors(document).cut(width)
        )

    def verify(self) -> None:
        """Raise ModelFileError if the file's content does not match its fingerprint."""
        self._file.verify()

    def parts(self) -> ModelParts:
        """The model uncompiled again: tokenizer, rows, rules. Its arrays are views of the file."""
        return self._file.parts()

    def to_bytes(self) -> bytes:
        """The model file's bytes."""
        return self._file.to_bytes()

    def save(self, path: str | os.PathLike[str], *, dtype: str | None = None) -> None:
        """Write the model to one .pumice file, whole or not at all; ``dtype`` converts its rows."""
        target = checked_path(path, what="path")
        stored = self._file.metadata.get("dtype")
        same = dtype is None or dtype == stored
        data = self._file.to_bytes() if same else compile_model(self._file.parts(), dtype=dtype)
        write_whole(target, data)

    def save_pretrained(
        self,
        folder: str | os.PathLike[str],
        *,
        format: str = "model2vec",
        card: str | None = None,
    ) -> None:
        """Write a folder with the model and its card, README.md.

        ``format`` is "model2vec" or "sentence-transformers", which those libraries load, with a warning of
        rules that they cannot carry, or "pumice", which holds the model file. A model of queries takes its
        document encoder along as a sentence-transformers Router, where that is a sentence transformer.
        ``card`` is Markdown for the README.md, below the front matter that hubs read; None: a short one.
        """
        from pumice.modelfile.export import write_folder

        target, documents = checked_path(folder, what="folder"), None
        if format == "sentence-transformers" and self._document_side is not None:
            documents = self._document_side.whole_folder()
        write_folder(self._file, target, format=format, card=card, documents=documents)

    def push_to_hub(
        self,
        name: str,
        *,
        format: str = "pumice",
        private: bool = False,
        card: str | None = None,
    ) -> str:
        """Upload the folder that ``save_pretrained`` writes to a hub repository, made where there is none.

        ``name`` is owner/name; the token is that of ``hf auth login`` or the variable HF_TOKEN. Where
        ``private``, nothing goes to a repository that is public already. Returns the repository's address.
        Raises InputError, HubError, and MissingExtraError without ``pip install "pumice[hub]"``.
        """
        from tempfile import TemporaryDirectory

        from pumice import hub

        hub.check_pushable(name)
        with TemporaryDirectory(prefix="pumice-") as folder:
            self.save_pretrained(folder, format=format, card=card)
            return hub.push(Path(folder), name, private=private)

    @cached_property
    def _document_side(self) -> DocumentSide | None:
        encoder = self.document_encoder
        if encoder is None:
            return None
        return DocumentSide(encoder, self.dimensions, self._document_place)

    @cached_property
    def _library(self) -> LibraryTokenizer | None:
        """The tokenizer of a model that the core does not tokenise for."""
        return self._reference if self._file.info["tokenizer"] == LIBRARY else None

    @cached_property
    def _trimming_steps(self) -> list[bool]:
        if not self._file.may_trim_offsets:
            return []
        with damage_named():
            return trimming_steps(self._file.post_processor)

    @cached_property
    def _reference(self) -> LibraryTokenizer:
        from pumice.library_tokenizer import LibraryTokenizer

        return LibraryTokenizer(self._file.tokenizer, source=self._file.source)

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        if self._library is None:
            return self._core.tokenize(texts, 0)
        limit, info = self._file.info["max_tokens"], self._file.info
        ids = [found[:limit] for found in self._library_ids(texts)]
        if not info["drops_unknown"] or info["unknown_id"] is None:
            return ids
        return [[i for i in found if i != info["unknown_id"]] for found in ids]

    def _library_ids(self, texts: Sequence[str]) -> list[list[int]]:
        assert self._library is not None
        arguments.check_strings(texts)
        max_chars = self._file.info["max_chars"]
        return self._library.ids([text[:max_chars] for text in texts])

    def _token_spans(self, text: str) -> NDArray[np.int64]:
        """(n, 3): id, first character, character after the last, of tokens that enter the mean."""
        info, trims = self._file.info, self._trimming_steps
        drops = info["drops_unknown"] and info["unknown_id"] is not None
        # Which token is the first is not known once unknown ones are dropped.
        if self._library is None and not (drops and any(trims)):
            spans = self._core.token_spans(text)
            for add_prefix_space in trims:
                spans = trimmed(spans, self.tokens, add_prefix_space=add_prefix_space)
            return spans
        found = self._reference.spans(text[: info["max_chars"]])[: info["max_tokens"]]
        if drops:
            found = found[found[:, 0] != info["unknown_id"]]
        return found

    def _pool(self, texts: Sequence[str], *, dim: int, kind: int, out: NDArray[Any]) -> None:
        ids = self._library_ids(texts)
        offsets = np.cumsum([0, *map(len, ids)], dtype=np.int64)
        flat = np.fromiter((i for found in ids for i in found), np.uint32, count=int(offsets[-1]))
        self._core.pool(flat, offsets, dim, kind, out.view(np.uint8))

    def _checked_dim(self, dim: int | None) -> int:
        if dim is None:
            return self.dimensions
        dim = arguments.checked_count("dim", dim)
        if dim > self.dimensions:
            raise InputError(f"dim={dim} is larger than the model's {self.dimensions} dimensions")
        if self.prefixes is not None and dim not in self.prefixes:
            listed = ", ".join(map(str, self.prefixes))
            raise InputError(
                f"dim={dim} is not among the prefixes that the model keeps valid: {listed}"
            )
        return dim


def _reopen(source: str, fingerprint: str, data: bytes, place: DocumentPlace) -> StaticModel:
    """Unpickle: map the file again where it is still the same one, else use the bytes."""
    with suppress(ModelFileError):  # something else lies there now
        file = ModelFile.open(source)
        if file.fingerprint == fingerprint:
            return StaticModel(file, documents=place)
    return StaticModel(ModelFile.from_bytes(data, source=source), documents=place)
