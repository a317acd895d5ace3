"""Mean pooling over flat token ids as a model counts them; its gradient for the touched rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice import _core
from pumice.modelfile.counting import PLAIN, WHOLE, Counting
from pumice.train.lanes import Lanes


@dataclass(frozen=True)
class Counted:
    """What each token of each text counts; float32."""

    by_text: Tensor
    """In the order of ``Bags.ids``."""
    by_token: Tensor
    """In the order of ``Bags.texts``."""
    totals: Tensor
    """(texts,): of a text's tokens together."""


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
    counted: Counted | None = None
    """Where repeats count less: then each token stands once a text, and this says how much."""

    @classmethod
    def of(
        cls,
        ids: NDArray[np.int32],
        lengths: NDArray[np.int64],
        *,
        counting: Counting = PLAIN,
        device: str = "cpu",
    ) -> Bags:
        """Bags from flat ids and each text's number of them; the native module's work, in any thread.

        ``counting`` is that of a model's parts.
        """
        numbers = () if counting == PLAIN else (counting.repeats, counting.positions)
        tables = [[WHOLE, *told] for told in numbers] or [[], []]
        rows, row_offsets, texts, *merged = _core.token_bags(
            ids, lengths, repeats=tables[0], places=tables[1]
        )

        def tensor(array: NDArray[Any]) -> Tensor:
            return torch.from_numpy(array).to(device)

        counted = None
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
        if counting != PLAIN:
            ids, offsets, *counts = merged
            counted = Counted(*map(tensor, counts))
        return cls(
            ids=tensor(ids),
            offsets=tensor(offsets),
            rows=tensor(rows),
            texts=tensor(texts),
            row_offsets=tensor(row_offsets),
            edges=offsets.tolist(),
            row_edges=row_offsets.tolist(),
            counted=counted,
        )


def pool(table: Tensor, bags: Bags, *, lanes: Lanes) -> Tensor:
    """The mean of each text's rows: float32, shape (texts, dim)."""
    edges, counted = bags.edges, bags.counted
    vectors = table.new_empty(len(edges) - 1, table.shape[1])

    def work(lane: int, first: int, last: int) -> None:
        begin, end = edges[first], edges[last]
        vectors[first:last] = torch.nn.functional.embedding_bag(
            bags.ids[begin:end],
            table,
            bags.offsets[first : last + 1] - begin,
            mode="mean" if counted is None else "sum",
            include_last_offset=True,
            per_sample_weights=None if counted is None else counted.by_text[begin:end],
        )

    lanes.run(work, lanes.split_by_weight(edges))
    if counted is not None:
        vectors /= counted.totals.clamp(min=1)[:, None]
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
        counted = self.bags.counted
        return torch.nn.functional.embedding_bag(
            self.bags.texts[begin:end],
            self.gradients,
            self.bags.row_offsets[first : last + 1] - begin,
            mode="sum",
            include_last_offset=True,
            per_sample_weights=None if counted is None else counted.by_token[begin:end],
        )


def row_gradients(bags: Bags, gradients: Tensor) -> RowGradients:
    """The gradients of the pooled vectors, turned to those of the table; ``gradients`` is overwritten."""
    sizes = bags.offsets.diff() if bags.counted is None else bags.counted.totals
    gradients /= sizes[:, None]
    return RowGradients(bags, gradients)
