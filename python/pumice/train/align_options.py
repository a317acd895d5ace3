"""The settings of an alignment beyond its texts, its teacher, its start and where it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from pumice.errors import InputError
from pumice.train.options import RunOptions


@dataclass(frozen=True)
class AlignOptions(RunOptions):
    """How texts and a teacher become a model of queries; the defaults suit retrieval."""

    epochs: float = 3.0
    dtype: str = "float32"
    """How the model's rows are stored. Beside a transformer, size is no matter."""
    ranking_share: float = 0.5
    """The share in the loss of the batch's documents, ranked as the teacher's query vector ranks them; the
    cosine with that vector has the rest."""
    pair_share: float = 0.2
    """How much of what a query should rank first is its own document, whatever the teacher says."""
    query_prompt: str | None = None
    """What the teacher reads before a query; None: its prompt named "query", else its default one."""
    document_prompt: str | None = None
    """The same of documents: its prompt named "document" or "passage"."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("ranking_share", "pair_share"):
            value = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, (int, float))
                or not 0 <= value <= 1
            ):
                raise InputError(f"{name} is {value!r}: give a number from 0 to 1")
        for name in ("query_prompt", "document_prompt"):
            if not isinstance(getattr(self, name), (str, type(None))):
                raise InputError(f"{name} is {getattr(self, name)!r}: give a string or None")
