"""What is measured, by name: a static model, a transformer, or BM25."""

from __future__ import annotations

from pathlib import Path

from pumice.evaluate.embedder import Documents, Model
from pumice.evaluate.transformer import open_transformer
from pumice.loading import load

TRANSFORMER_PREFIX = "st:"
BM25 = "bm25"


def open_model(
    name: str | None, *, vectors: Path | None = None, offline: bool = False
) -> Model | None:
    """A model by what `pumice.load` takes, or `st:ID` for a transformer; None for "bm25".

    `vectors` is where a transformer's vectors are kept.
    """
    if name == BM25:
        return None
    if name is not None and name.startswith(TRANSFORMER_PREFIX):
        return open_transformer(name[len(TRANSFORMER_PREFIX) :], folder=vectors, offline=offline)
    model = load(name, offline=offline)
    shown = model.name or (Path(name).name if name else "model")
    if model.document_encoder is not None:
        return Model(shown, Documents(model), model, static=False)
    return Model(shown, model, model, static=True)
