"""A static model as a teacher: of another that is to keep what it knows, or to be smaller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from pumice.teachers.sentences import SentenceEncoder
from pumice.teachers.teacher import Teacher

if TYPE_CHECKING:
    from pumice.model import StaticModel


class StaticEncoder(SentenceEncoder):
    """A static model's vectors of whole texts, each divided by its length; zeros where it knows no token."""

    def __init__(self, model: StaticModel) -> None:
        self._model = model
        self.teacher = Teacher(
            name=model.name or "a static model",
            license=str(model.metadata.get("license") or ""),
            languages=tuple(model.metadata.get("languages") or ()),
            tokenizer={},
            padding=None,
            width=model.dimensions,
            versions={},
            prefix=(),
            suffix=(),
            longest=2**31,
            cut_at=2**31,
            prompt="",
            forward=_no_transformer,
            device="cpu",
            precision="float32",
            modules=(),
        )
        self.identity = f"static-{model.fingerprint}"

    def encode(
        self,
        texts: Sequence[str],
        *,
        threads: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (texts, width)."""
        vectors = self._model.encode(list(texts))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, where=lengths > 0, out=vectors)
        return vectors


def _no_transformer(ids: Any, mask: Any) -> NoReturn:
    raise NotImplementedError("a static teacher reads texts, not ids")
