"""A rotation of finished rows that the prefixes rank better by: no dot product of whole vectors changes.

The rows' first columns are what a prefix keeps, and any rotation of all columns together leaves whole vectors
as good as they were. So the ranking loss may choose one: its gradient at the prefixes moves an orthogonal
matrix and nothing else. Principal components choose by variance instead, which served the prefixes worse
(docs/training.md).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pumice.train.contrastive import Contrastive
from pumice.train.lanes import Lanes
from pumice.train.pooling import pool

_LEARNING_RATE, _WARMUP = 0.005, 0.1
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-12
_ITERATIONS = 6  # of Newton and Schulz: from a step away back to orthogonal in float32
_FARTHEST = 1.6  # largest singular value that they begin with; from 1.73 on they diverge
_LOOKS = 16  # at a matrix, to find that value


def rotated(table: Tensor, objective: Contrastive, *, lanes: Lanes) -> Tensor:
    """The rows, turned by what the objective's batches ask for; float32, the table's shape.

    Riemannian Adam in the ambient coordinates: the gradient's tangent part is averaged, the step is taken,
    and the nearest orthogonal matrix is found again. Adam's steps grow with the dimensions that agree: one
    is halved until the way back is sure. One whose loss or gradient is not finite is left out.
    """
    dim, steps = table.shape[1], objective.plan.steps
    rotation = torch.eye(dim, device=table.device)
    first, second = torch.zeros_like(rotation), torch.zeros_like(rotation)
    taken = 0
    for step in range(steps):
        batch = objective.prepare(step)
        plain = pool(table, batch.bags, lanes=lanes)
        slope = objective.slope(batch, _times(plain, rotation, lanes=lanes))
        if not math.isfinite(float(slope.losses.sum())):
            continue
        gradient = _tangent(rotation, _product(plain, slope.gradients, lanes=lanes))
        if not math.isfinite(float(gradient.sum())):
            continue
        taken += 1
        first.lerp_(gradient, 1 - _BETA1)
        second.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
        size = _LEARNING_RATE * _share(step, steps) / (1 - _BETA1**taken)
        width = (second / (1 - _BETA2**taken)).sqrt_().add_(_EPSILON)
        moved = rotation.addcdiv(first, width, value=-size)
        while _largest_singular_value(moved) > _FARTHEST:
            size /= 2
            moved = rotation.addcdiv(first, width, value=-size)
        rotation = _orthogonal(moved)
    left, _, right = torch.linalg.svd(rotation.cpu().double())
    turned: Tensor = table.cpu().double() @ (left @ right)
    return turned.float()


def _largest_singular_value(matrix: Tensor) -> float:
    """By power iteration, from the same vector each time: a few per cent too small at worst."""
    vector = torch.randn(matrix.shape[1], generator=torch.Generator().manual_seed(0))
    vector = vector.to(matrix.device)
    for _ in range(_LOOKS):
        vector = matrix.T @ (matrix @ vector)
        vector = vector / vector.norm().clamp_min(1e-30)
    return float((matrix @ vector).norm())


def _share(step: int, steps: int) -> float:
    """Of the learning rate: up linearly, then down to 0 after the last step."""
    warm = _WARMUP * steps
    return min(1.0, (step + 1) / warm, (steps - step) / (steps - warm))


def _tangent(rotation: Tensor, gradient: Tensor) -> Tensor:
    """The part of a gradient along which a matrix stays orthogonal."""
    inner = rotation.T @ gradient
    return rotation @ (inner - inner.T) / 2


def _orthogonal(matrix: Tensor) -> Tensor:
    """The nearest orthogonal matrix to one that is nearly so."""
    for _ in range(_ITERATIONS):
        matrix = 1.5 * matrix - 0.5 * matrix @ (matrix.T @ matrix)
    return matrix


def _times(vectors: Tensor, rotation: Tensor, *, lanes: Lanes) -> Tensor:
    turned = torch.empty_like(vectors)

    def work(lane: int, begin: int, end: int) -> None:
        torch.mm(vectors[begin:end], rotation, out=turned[begin:end])

    lanes.run(work, lanes.split(len(vectors)))
    return turned


def _product(vectors: Tensor, gradients: Tensor, *, lanes: Lanes) -> Tensor:
    """The rotation's gradient, summed over the texts: each lane's, in their order.

    The loss does not see all texts: ``gradients`` may have fewer rows than ``vectors``.
    """
    parts = vectors.new_zeros(lanes.count, vectors.shape[1], vectors.shape[1])

    def work(lane: int, begin: int, end: int) -> None:
        torch.mm(vectors[begin:end].T, gradients[begin:end], out=parts[lane])

    lanes.run(work, lanes.split(len(gradients)))
    return parts.sum(0)
