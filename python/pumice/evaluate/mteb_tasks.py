"""Tasks of MTEB and its relatives, NanoBEIR included, run by the mteb library itself. Its only user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import HubError, InputError, MissingExtraError
from pumice.evaluate.embedder import Model


@dataclass(frozen=True)
class MtebFigure:
    """The main score of one task, as mteb reckons it."""

    task: str
    metric: str
    model: str
    score: float


def run_tasks(model: Model, names: Sequence[Any]) -> list[MtebFigure]:
    """Each task or benchmark by its name in mteb; its data comes from mteb's cache or from the hub.

    InputError for a name that mteb does not know, HubError where the data cannot be had.
    """
    mteb = _library()
    tasks = [task for name in names for task in _tasks(mteb, name)]
    encoder = MtebEncoder(model)
    figures = []
    for task in tasks:
        name = task.metadata.name
        try:
            result = mteb.evaluate(encoder, task, cache=None, show_progress_bar=False)
        except Exception as error:  # whatever its data sets, evaluators and network raise
            reason = " ".join(str(error).split())[:300]
            raise HubError(
                f"mteb task {name}: could not be run: {reason or type(error).__name__}"
            ) from error
        [found] = result.task_results
        metric = str(task.metadata.main_score)
        figures.append(MtebFigure(name, metric, model.name, float(found.get_score())))
    return figures


class MtebEncoder:
    """A model as mteb takes it (its EncoderProtocol)."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.mteb_model_meta = _library().models.ModelMeta.create_empty(
            {
                "name": f"pumice/{model.name.replace('/', '-')}",
                "revision": model.documents.fingerprint,
            }
        )

    def encode(self, inputs: Any, *, prompt_type: Any = None, **_: Any) -> NDArray[np.float32]:
        """Vectors of all batches, in their order; queries by the model's own prompt."""
        is_query = getattr(prompt_type, "value", prompt_type) == "query"
        side = self._model.queries if is_query else self._model.documents
        made = [side.encode(list(batch["text"])) for batch in inputs]
        return np.concatenate(made) if made else np.zeros((0, side.dimensions), np.float32)

    def similarity(self, one: Any, other: Any) -> NDArray[np.float32]:
        """Cosines of all with all."""
        left, right = (_unit(vectors) for vectors in (one, other))
        cosines: NDArray[np.float32] = left @ right.T
        return cosines

    def similarity_pairwise(self, one: Any, other: Any) -> NDArray[np.float32]:
        """Cosines row by row."""
        left, right = (_unit(vectors) for vectors in (one, other))
        cosines: NDArray[np.float32] = np.einsum("ij,ij->i", left, right)
        return cosines


def _unit(vectors: Any) -> NDArray[np.float32]:
    rows = np.atleast_2d(np.asarray(vectors, dtype=np.float32))
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit


def _tasks(mteb: Any, name: Any) -> list[Any]:
    if not isinstance(name, str):
        return [name]
    for find in (mteb.get_benchmark, mteb.get_task):
        try:
            found = find(name)
        except (KeyError, ValueError):
            continue
        return list(found.tasks) if hasattr(found, "tasks") else [found]
    raise InputError(f"{name}: mteb knows no benchmark or task of this name")


def _library() -> Any:
    try:
        import mteb
    except ImportError:
        raise MissingExtraError("mteb", "mteb") from None
    return mteb
