"""What a regression fits: a corpus's texts, their targets, and the rows turned towards these."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.model import StaticModel
from pumice.train.corpus_texts import CorpusTexts
from pumice.train.dataset import held_out_of
from pumice.train.figures import embed
from pumice.train.initial import starting_table
from pumice.train.lanes import Lanes
from pumice.train.projection import fit_projection, turned
from pumice.train.regress_options import RegressOptions
from pumice.train.regression import FittedTexts
from pumice.train.taught import Reader

_SAMPLED = 50_000  # texts that projection and start are fitted on, and at most
_SAMPLED_BYTES = 1 << 28  # of float32


def fitted_texts(
    start: StaticModel,
    read: CorpusTexts,
    reader: Reader,
    *,
    dims: tuple[int, ...],
    options: RegressOptions,
    lanes: Lanes,
) -> tuple[FittedTexts, NDArray[np.float32]]:
    """The texts with their targets, and the rows to start from."""
    hashes = read.texts.hashes
    usable = np.flatnonzero(hashes != 0)
    held = held_out_of(hashes[usable], options)
    train = usable[~held]
    if len(train) < 2:
        raise InputError(
            f"the corpus has {len(train)} usable texts to train on: give at least 2 whose tokens the "
            "start knows"
        )
    parts = start.parts()
    if options.loss == "similarity":
        table = starting_table(parts, dim=dims[-1], seed=options.seed)
        targets = reader.mapped(read.windows)
        return FittedTexts(read.texts, targets, train, usable[held]), table
    width = reader.vectors.width
    most = max(2, min(_SAMPLED, _SAMPLED_BYTES // (4 * width)))
    sampled = np.zeros(len(hashes), bool)
    sampled[train[:: -(-len(train) // most)]] = True
    rows = [reader.vectors.read(w)[sampled[w.first : w.last]] for w in read.windows]
    sample = np.concatenate(rows).astype(np.float32)
    projection = fit_projection(sample, dim=dims[-1])
    targets = reader.mapped(read.windows, projection)
    table = starting_table(parts, dim=start.dimensions, seed=options.seed)
    chosen = read.texts.subset(np.flatnonzero(sampled))
    pooled = embed(torch.from_numpy(table), chosen, lanes=lanes).numpy()
    goal = targets[np.flatnonzero(sampled)].astype(np.float32)
    return FittedTexts(read.texts, targets, train, usable[held]), turned(table, pooled, goal)
