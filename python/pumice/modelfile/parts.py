"""What a static model is made of before it is compiled: tokenizer, rows, rules, provenance."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from numpy.typing import NDArray

from pumice.modelfile.counting import PLAIN, Counting


@dataclass(frozen=True)
class DocumentEncoder:
    """The transformer whose vectors of documents a static model's vectors of queries are compared with."""

    name: str
    """A hub id, or a folder's path where it lay when the model was made."""
    fingerprint: str
    """Hex digest of its weights, as `pumice.teachers.files.weights_fingerprint` computes it."""
    prompt: str = ""
    """Put before each document."""

    @classmethod
    def of(cls, described: Any) -> DocumentEncoder | None:
        """From a model file's metadata; ValueError where it is damaged."""
        if described is None:
            return None
        if not isinstance(described, dict):
            raise ValueError
        name, fingerprint, prompt = (described.get(field.name) for field in fields(cls))
        if not all(isinstance(value, str) for value in (name, fingerprint, prompt)):
            raise ValueError
        return cls(str(name), str(fingerprint), str(prompt))


@dataclass(frozen=True)
class Metadata:
    """The part of a model file that people read; nothing at run time depends on it."""

    name: str = ""
    license: str = ""
    source: str = ""
    languages: tuple[str, ...] = ()
    prefixes: tuple[int, ...] | None = None
    """Matryoshka prefixes that keep their meaning when vectors are cut; None: no claim, any may be used."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """How the model was made: teacher, settings, versions. JSON values only."""
    document_encoder: DocumentEncoder | None = None
    """Where this model encodes queries alone."""


@dataclass(frozen=True)
class ModelParts:
    """A static model, uncompiled.

    ``tokenizer`` is a parsed ``tokenizer.json``. ``embeddings`` has shape (rows, dim) and dtype
    float32, float16 or int8 (plain integers, as model2vec stores them; rows of fewer bits come as int8
    too). Token ``t`` contributes
    ``token_weights[t] * row_scales[r] * embeddings[r]`` with ``r = token_rows[t]``; weights and scales
    default to 1, rows to the token's own id.
    """

    tokenizer: dict[str, Any]
    embeddings: NDArray[Any]
    normalize: bool = True
    """Divide the mean by its L2 norm."""
    unknown: str = "drop"
    """What an unknown token does: "drop" (model2vec) or "average" (sentence-transformers)."""
    max_tokens: int | None = None
    """Tokens kept per text, unknown ones counted; None keeps all."""
    max_chars: int | None = None
    """Code points kept per text before tokenising; None keeps all."""
    token_weights: NDArray[Any] | None = None
    token_rows: NDArray[Any] | None = None
    row_scales: NDArray[Any] | None = None
    """(rows,) what each int8 row is multiplied by; None: 1, as in model2vec's int8 models."""
    counting: Counting = PLAIN
    """What a token counts beside its weight: by where it stands in the text, and how often it did before."""
    metadata: Metadata = field(default_factory=Metadata)
