"""Teacher vectors on their principal components, and a start turned towards them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RIDGE = 1e-3


@dataclass(frozen=True)
class Projection:
    """Takes a mean off, and keeps the first components: any prefix keeps the most that it can."""

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    """(width, dim)."""

    def __call__(self, vectors: NDArray[np.float16]) -> NDArray[np.float32]:
        """Shape (n, dim)."""
        centred: NDArray[np.float32] = np.subtract(vectors, self.mean, dtype=np.float32)
        return centred @ self.components


def fit_projection(sample: NDArray[np.float32], *, dim: int) -> Projection:
    """Principal components of a sample, (n, width); signs are fixed, so equal input gives equal output."""
    mean = sample.mean(0, dtype=np.float64)
    centred = (sample - mean).astype(np.float64)
    _, components = np.linalg.eigh(centred.T @ centred)
    components = components[:, ::-1][:, :dim]
    largest = np.abs(components).argmax(0)
    components = components * np.sign(components[largest, np.arange(dim)])
    return Projection(mean.astype(np.float32), components.astype(np.float32))


def turned(
    table: NDArray[np.float32], pooled: NDArray[np.float32], targets: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Rows mapped so that texts come as near to their targets as a linear map takes them.

    ``pooled`` are texts' vectors, (n, start's dim); since a text's vector is the mean of its rows, mapping
    rows maps texts. Least squares over directions with a little ridge. Root mean square 1.
    """
    lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
    units = (pooled / np.maximum(lengths, 1e-12)).astype(np.float64)
    gram = units.T @ units
    gram[np.diag_indices_from(gram)] += _RIDGE * np.trace(gram) / len(gram)
    mapping = np.linalg.solve(gram, units.T @ targets.astype(np.float64))
    made = table.astype(np.float64) @ mapping
    size = float(np.sqrt(np.square(made).mean()))
    result: NDArray[np.float32] = (made / (size or 1.0)).astype(np.float32)
    return result
