"""A transformer through sentence-transformers, on the CPU, each text's vector computed once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import HubError, InputError, MissingExtraError
from pumice.evaluate.embedder import Model, listed
from pumice.evaluate.kept_vectors import KeptVectors
from pumice.teachers.quiet import quiet

_BATCH = 32
_TEXTS = 2048
"""Whose vectors lie in one file: what a killed run loses at most."""
DOCUMENTS, QUERIES = "documents", "queries"


class TransformerSide:
    """One side of a transformer: its documents' or its queries' prompt. An Index takes it for a model."""

    prefixes: tuple[int, ...] | None = None

    def __init__(self, transformer: Any, *, name: str, role: str, folder: Path | None) -> None:
        self.name = name
        self.transformer = transformer
        self.dimensions: int = len(self._run([""], role)[0])
        self.fingerprint = _identity(transformer)
        state = transformer.state_dict().values()
        self.nbytes = sum(tensor.numel() * tensor.element_size() for tensor in state)
        self._role = role
        # Queries that are prompted as documents are share their vectors.
        prompt = self._prompt(role)
        self._folder = None if folder is None else folder / f"{self.fingerprint}-{prompt}"
        self._known: dict[str, NDArray[np.float32]] = {}

    def prepare(self, texts: Sequence[str]) -> None:
        """Compute the vectors of texts, or read those that are kept."""
        wanted = [text for text in dict.fromkeys(texts) if text not in self._known]
        if self._folder is not None and wanted:
            kept = KeptVectors(self._folder, width=self.dimensions)
            self._known.update(kept.read(wanted))
            wanted = [text for text in wanted if text not in self._known]
        for begin in range(0, len(wanted), _TEXTS):
            part = wanted[begin : begin + _TEXTS]
            vectors = self._run(part, self._role)
            if self._folder is not None:
                kept.write(part, vectors)
            self._known.update(zip(part, vectors, strict=True))

    def encode(self, texts: Any, *, dim: int | None = None) -> NDArray[np.float32]:
        """See Embedder; vectors are as the transformer gives them."""
        if dim is not None and dim != self.dimensions:
            raise InputError(
                f"dim={dim}: {self.name} has {self.dimensions} dimensions and no prefixes"
            )
        many = listed(texts)
        if wanted := [text for text in dict.fromkeys(many) if text not in self._known]:
            self._known.update(zip(wanted, self._run(wanted, self._role), strict=True))
        rows = [self._known[text] for text in many]
        vectors = np.stack(rows) if rows else np.zeros((0, self.dimensions), np.float32)
        return vectors[0] if isinstance(texts, str) else vectors

    def time(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Compute, whatever is kept: for a clock."""
        return self._run(texts, self._role)

    def _run(self, texts: Sequence[str], role: str) -> NDArray[np.float32]:
        encode = (
            self.transformer.encode_query if role == QUERIES else self.transformer.encode_document
        )
        # Sorted by length inside: little padding, the same vectors.
        made = encode(
            list(texts), batch_size=_BATCH, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(made, dtype=np.float32)

    def _prompt(self, role: str) -> str:
        prompts = getattr(self.transformer, "prompts", None) or {}
        names = ("query",) if role == QUERIES else ("document", "passage", "corpus")
        text = next((prompts[name] for name in names if prompts.get(name)), "")
        return blake2b(text.encode(), digest_size=4).hexdigest()


def open_transformer(name: str, *, folder: Path | None, offline: bool = False) -> Model:
    """A sentence-transformers folder or hub id. HubError where it cannot be had."""
    sentence_transformers = _library()
    try:
        with quiet():
            transformer = sentence_transformers.SentenceTransformer(
                name, device="cpu", local_files_only=offline
            )
    except Exception as error:  # whatever its modules, its files and its network raise
        reason = " ".join(str(error).split())[:300]
        raise HubError(
            f"{name}: sentence-transformers cannot load it: {reason or type(error).__name__}"
        ) from error
    shown = name.rstrip("/").rpartition("/")[2]
    if shown == "model":  # as packages call the folder
        shown = Path(name).resolve().parent.name
    sides = [
        TransformerSide(transformer, name=shown, role=role, folder=folder)
        for role in (DOCUMENTS, QUERIES)
    ]
    return Model(shown, sides[0], sides[1], static=False)


def _library() -> Any:
    try:
        import sentence_transformers
    except ImportError:
        raise MissingExtraError("sentence-transformers", "distill") from None
    return sentence_transformers


def _identity(transformer: Any) -> str:
    """A hex digest of the weights, prompts and length limit: equal ones give equal vectors."""
    import torch

    digest = blake2b(digest_size=16)
    limit, prompts = transformer.max_seq_length, getattr(transformer, "prompts", None)
    digest.update(repr((limit, prompts, [type(one).__name__ for one in transformer])).encode())
    for name, tensor in transformer.state_dict().items():
        digest.update(name.encode())
        flat = tensor.detach().cpu().contiguous().flatten()
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()
