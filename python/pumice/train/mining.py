"""Hard negatives: passages that a static model or BM25 finds for an anchor, and that are not its positive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice import _core
from pumice.errors import InputError
from pumice.train.bm25 import BM25
from pumice.train.cells import Cells
from pumice.train.figures import embed
from pumice.train.initial import starting_table
from pumice.train.lanes import Lanes, processors
from pumice.train.options import MINE_BELOW, MINED, TrainOptions
from pumice.train.pair import Pair
from pumice.train.pairs import checked_pairs
from pumice.train.tokens import Texts, TextsWriter, TokenMemory

if TYPE_CHECKING:
    from pumice.model import StaticModel

_QUERIES, _SCORES = 128, 1 << 24
"""Queries of a block: so many, or as few as keep its scores below this number."""
_EXACT, _BLOCK = 20_000, 4096
"""Up to so many passages are all compared; past that, queries look into a few cells, so many together."""
_FEWEST, _FACTOR = 32, 4
"""Candidates of each kind: this many, or so many times what is wanted."""


def mine_negatives(
    pairs: Sequence[Pair],
    *,
    model: StaticModel,
    count: int = MINED,
    below: float = MINE_BELOW,
    threads: int | None = None,
) -> list[Pair]:
    """The pairs, each with up to ``count`` negatives more, the positives of other pairs.

    The best by ``model``'s cosine and by BM25 are taken in turn, without the positives of an equal anchor
    and whatever is closer to the anchor than ``below`` times its own positive, which may be a positive too
    (de Souza Moreira et al. 2024, arXiv:2407.15831). Raises InputError for what is no pair, and for a pair
    that has scores, which what is mined would lack.
    """
    TrainOptions(mine=count, mine_below=below, threads=threads)  # checks them
    pairs = checked_pairs(pairs)
    scored = next((number for number, pair in enumerate(pairs) if pair.scores), None)
    if scored is not None:
        raise InputError(f"pairs: pair {scored} has scores, which mined negatives would lack")
    columns = []
    for texts in ([pair.anchor for pair in pairs], [pair.positive for pair in pairs]):
        writer = TextsWriter(TokenMemory(1 << 60, Path()), counting=model.parts().counting)
        writer.append(model.tokenize(texts), limit=1 << 30)
        columns.append(writer.finish())
    anchors, positives = columns
    usable = np.flatnonzero((anchors.hashes != 0) & (positives.hashes != 0))
    table = torch.from_numpy(starting_table(model.parts(), dim=model.dimensions, seed=0))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)  # the lanes are the threads
        with Lanes(threads or processors()) as lanes:
            mined = Miner(table, lanes, count=count, below=below)(anchors, positives, usable)
    finally:
        torch.set_num_threads(before)
    made = list(pairs)
    for number, row in zip(usable.tolist(), mined.tolist(), strict=True):
        more = tuple(pairs[passage].positive for passage in row if passage >= 0)
        made[number] = replace(pairs[number], negatives=pairs[number].negatives + more)
    return made


@dataclass(frozen=True)
class Miner:
    """Finds the hard negatives of a source's pairs among its positives."""

    table: Tensor
    """The starting rows."""
    lanes: Lanes
    count: int = MINED
    below: float = MINE_BELOW

    def __call__(
        self, anchors: Texts, positives: Texts, pairs: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """(pairs, count): the pairs whose positives are negatives, the hardest first; -1 where fewer are left.

        Only ``pairs`` are looked at, and none of their texts is empty. Equal for any number of lanes.
        """
        if not len(pairs):
            return np.empty((0, self.count), np.int64)
        _, first, own = np.unique(positives.hashes[pairs], return_index=True, return_inverse=True)
        passages = self._vectors(positives, pairs[first])
        work = _Work(
            anchors=anchors,
            queries=self._vectors(anchors, pairs),
            passages=passages,
            cells=None if len(first) <= _EXACT else Cells.of(passages, lanes=self.lanes),
            bm25=BM25.of(positives, pairs[first], tokens=len(self.table)),
            pairs=pairs,
            own=own.reshape(-1),
            refused=_Refused.of(
                anchors.hashes[pairs], positives.hashes[pairs[first]], own.reshape(-1)
            ),
        )
        mined = np.full((len(pairs), self.count), -1, np.int64)
        step = max(1, min(_QUERIES, _SCORES // len(first))) if work.cells is None else _BLOCK

        def search(lane: int, begin: int, end: int) -> None:
            for block in range(begin, end):  # whole blocks, so that lanes do not change a product
                low, high = block * step, min((block + 1) * step, len(pairs))
                mined[low:high] = self._mined(work, low, high)

        self.lanes.run(search, self.lanes.split(-(-len(pairs) // step)))
        return np.where(mined >= 0, pairs[first][mined], -1)

    def _vectors(self, texts: Texts, which: NDArray[np.int64]) -> Tensor:
        vectors = embed(self.table, texts.subset(which), lanes=self.lanes)
        return torch.nn.functional.normalize(vectors, dim=1).cpu()

    def _mined(self, work: _Work, low: int, high: int) -> NDArray[np.int64]:
        """Numbers of passages for the queries from ``low`` to ``high``."""
        depth = max(_FEWEST, _FACTOR * self.count)
        queries = work.queries[low:high]
        if work.cells is None:
            near = _nearest(queries, work.passages, depth=depth)
        else:
            near = work.cells.best(queries, depth=depth)
        worded = work.bm25.best(work.anchors, work.pairs[low:high], depth=depth)
        vectors = (queries.numpy(), work.passages.numpy())
        refused = (work.own[low:high], work.refused.groups[low:high], work.refused.keys)
        mined: NDArray[np.int64] = _core.choose_negatives(
            (near, worded), vectors, refused, self.count, self.below
        )
        return mined


def _nearest(queries: Tensor, passages: Tensor, *, depth: int) -> NDArray[np.int64]:
    """(queries, depth): the numbers of all ``passages`` by falling cosine, -1 where there are fewer."""
    best = _core.BestOf(len(queries), depth)
    numbers = np.arange(len(passages), dtype=np.int32)
    best.offer(np.arange(len(queries)), numbers, (queries @ passages.T).numpy())
    found: NDArray[np.int64] = best.finish()
    return found


@dataclass(frozen=True)
class _Work:
    anchors: Texts
    queries: Tensor
    """(pairs, dim), each of length 1."""
    passages: Tensor
    cells: Cells | None
    """Where not every passage is looked at."""
    bm25: BM25
    pairs: NDArray[np.int64]
    own: NDArray[np.int64]
    """(pairs,): the passage that is each pair's positive."""
    refused: _Refused


@dataclass(frozen=True)
class _Refused:
    """Passages that are no negatives, however they score: an equal anchor's positives, the anchor itself."""

    groups: NDArray[np.int64]
    """(queries,): the same for equal anchors."""
    keys: NDArray[np.int64]
    """group * passages + passage, ascending."""

    @classmethod
    def of(
        cls, anchors: NDArray[np.uint64], passages: NDArray[np.uint64], own: NDArray[np.int64]
    ) -> _Refused:
        """From hashes of texts, those of the passages ascending."""
        different, groups = np.unique(anchors, return_inverse=True)
        groups = groups.reshape(-1)
        place = np.minimum(np.searchsorted(passages, different), len(passages) - 1)
        same = np.flatnonzero(passages[place] == different)
        keys = (groups * len(passages) + own, same * len(passages) + place[same])
        return cls(groups, np.unique(np.concatenate(keys)))
