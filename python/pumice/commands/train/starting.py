"""The model that pumice train starts from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pumice.commands.progress import teacher_progress
from pumice.commands.vocabulary import (
    TrainingTexts,
    counted_start,
    learned_start,
    learns_vocabulary,
)
from pumice.train import Source, TrainOptions

if TYPE_CHECKING:
    from pumice.model import StaticModel

_RANDOM_DIM = 256


def starting_model(
    args: argparse.Namespace, sources: Sequence[Source], options: TrainOptions
) -> StaticModel:
    """What the flags say, else the shipped model."""
    if learns_vocabulary(args):
        given = [source for source in sources if source.pairs is None]
        return learned_start(args, TrainingTexts(args.corpus, given, options), options)
    if args.align_to is not None and args.init is None and args.random is None:
        return counted_start(args, TrainingTexts((), sources, options))
    init = args.init
    if init is None and args.random is None and str(args.teacher).endswith(".pumice"):
        init = args.teacher
    if args.teacher is not None and init is None and args.random is None:
        from pumice.distill import DistillOptions, distill

        progress = None if args.json else teacher_progress()
        return distill(
            args.teacher,
            dim=None,
            options=DistillOptions(offline=args.offline, progress=progress),
        )
    if args.random is not None:
        from pumice.train.initial import random_model, read_tokenizer

        dim = max(options.dims or (_RANDOM_DIM,))
        return random_model(read_tokenizer(args.random), dim=dim, seed=options.seed)
    from pumice.loading import load

    return load(init, offline=args.offline)


def tell_new_columns(start: StaticModel, options: TrainOptions) -> None:
    """On standard error: a dimension past the start's may be a typo, and costs its size."""
    has = start.dimensions
    if options.dims and max(options.dims) > has:
        print(
            f"pumice train: the start has {has} dimensions: {max(options.dims) - has} of "
            f"{max(options.dims)} begin as small noise",
            file=sys.stderr,
        )
