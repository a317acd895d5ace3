"""All dot products of some vectors with others, each lane its rows."""

from __future__ import annotations

from torch import Tensor

from pumice import _core
from pumice.train.lanes import Lanes


def products(left: Tensor, right: Tensor, *, lanes: Lanes, out: Tensor | None = None) -> Tensor:
    """``left @ right.T``, float32: by the lanes' native kernels, else torch's.

    ``out`` may have more columns, which stay as they are; without it the result is new.
    """
    if lanes.kernels is None or left.device.type != "cpu":
        made = left @ right.T
        if out is None:
            return made
        out[:, : len(right)] = made
        return out
    kernels, made = lanes.kernels, left.new_empty(len(left), len(right)) if out is None else out
    rows, others = left.contiguous().numpy(), right.contiguous().numpy()
    written = made.numpy()  # itself: a copy of it would be written in vain

    def work(lane: int, first: int, last: int) -> None:
        _core.dot_products(kernels, rows[first:last], others, out=written[first:last])

    lanes.run(work, lanes.split(len(left)))
    return made
