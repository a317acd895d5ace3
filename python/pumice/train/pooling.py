"""Mean pooling over flat token ids, and its gradient for the touched rows alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.train.lanes import Lanes


@dataclass(frozen=True)
class Bags:
    """The tokens of a batch of texts, none empty, by text and by token."""

    ids: Tensor
    """int32, shape (tokens,): one text after another."""
    offsets: Tensor
    """int32, shape (texts + 1,): where each text begins, and the end."""
    rows: Tensor
    """int32, ascending, shape (rows,): each token of the batch once."""
    texts: Tensor
    """int32, shape (tokens,): the text of each occurrence, ordered by token, then by text."""
    row_offsets: Tensor
    """int32, shape (rows + 1,): where each row's occurrences begin in ``texts``, and the end."""
    edges: list[int]
    """``offsets`` and ``row_offsets`` for Python."""
    row_edges: list[int]

    @classmethod
    def of(cls, ids: NDArray[np.int32], lengths: NDArray[np.int64], *, device: str = "cpu") -> Bags:
        """Bags from flat ids and each text's number of them; all of it numpy's work, in any thread."""
        texts = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
        pairs = np.sort((ids.astype(np.int64) << 32) | texts)
        sorted_ids = (pairs >> 32).astype(np.int32)
        begins = np.flatnonzero(np.diff(sorted_ids, prepend=-1))
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        row_offsets = np.append(begins, len(ids))

        def tensor(array: NDArray[np.integer]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array, dtype=np.int32)).to(device)

        return cls(
            ids=tensor(ids),
            offsets=tensor(offsets),
            rows=tensor(sorted_ids[begins]),
            texts=tensor(pairs & 0xFFFFFFFF),
            row_offsets=tensor(row_offsets),
            edges=offsets.tolist(),
            row_edges=row_offsets.tolist(),
        )


def pool(table: Tensor, bags: Bags, *, lanes: Lanes) -> Tensor:
    """The mean of each text's rows: float32, shape (texts, dim)."""
    edges = bags.edges
    vectors = table.new_empty(len(edges) - 1, table.shape[1])

    def work(lane: int, first: int, last: int) -> None:
        begin, end = edges[first], edges[last]
        vectors[first:last] = torch.nn.functional.embedding_bag(
            bags.ids[begin:end],
            table,
            bags.offsets[first : last + 1] - begin,
            mode="mean",
            include_last_offset=True,
        )

    lanes.run(work, lanes.split_by_weight(edges))
    return vectors


@dataclass(frozen=True)
class RowGradients:
    """What the rows of a batch's tokens are to change by, summed when it is asked for.

    A row's gradient is the sum over its occurrences of their text's gradient over that text's length: the
    pooling turned round, with tokens for texts. A part of the rows at a time need never leave the cache.
    """

    bags: Bags
    gradients: Tensor
    """(texts, dim): each text's gradient over its length."""

    def of(self, first: int, last: int) -> Tensor:
        """The gradients of ``bags.rows[first:last]``: float32, shape (last - first, dim)."""
        begin, end = self.bags.row_edges[first], self.bags.row_edges[last]
        return torch.nn.functional.embedding_bag(
            self.bags.texts[begin:end],
            self.gradients,
            self.bags.row_offsets[first : last + 1] - begin,
            mode="sum",
            include_last_offset=True,
        )


def row_gradients(bags: Bags, gradients: Tensor) -> RowGradients:
    """The gradients of the pooled vectors, turned to those of the table; ``gradients`` is overwritten."""
    gradients /= bags.offsets.diff()[:, None]
    return RowGradients(bags, gradients)
