"""Runs pumice train: the stages that its flags ask for, one after another."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from typing import TYPE_CHECKING

from pumice.commands.output import check_output
from pumice.commands.progress import StepBar
from pumice.commands.train.flags import check_stages, makes_pairs, regresses
from pumice.commands.train.readable import check_readable
from pumice.commands.train.report import made_of, told
from pumice.commands.train.settings import (
    alignment_options,
    named_columns,
    regression_options,
    stage_folder,
    train_options,
)
from pumice.commands.train.starting import starting_model, tell_new_columns
from pumice.errors import InputError
from pumice.train import (
    AlignOptions,
    RegressOptions,
    Source,
    Training,
    TrainOptions,
    align,
    regress,
    train,
)
from pumice.train.sources import listed_sources, parse_source
from pumice.train.training import check_card

if TYPE_CHECKING:
    from pumice.model import StaticModel

_WORKED, _FAILED, _WRONG_USAGE = 0, 1, 2


def run(args: argparse.Namespace) -> int:
    """Train, save, and say what was made."""
    bar = None if args.json else StepBar()
    try:
        check_stages(args)
        options = train_options(args, bar)
        pairs = [parse_source(text) for text in args.pairs]
        regression = regression_options(args, options) if regresses(args) else None
        alignment = None if args.align_to is None else alignment_options(args, options)
    except InputError as error:  # settings come from flags alone: this is wrong usage
        print(f"pumice train: error: {error}", file=sys.stderr)
        return _WRONG_USAGE
    check_output(args.output)
    check_card(args.output)
    # Before a teacher runs for minutes.
    pairs += _pairs_of_corpus(args)
    sources = listed_sources(pairs) if pairs else []
    check_readable(args, sources, options)
    stages: list[Training] = []
    try:
        start = starting_model(args, sources, options)
        if alignment is not None:
            stages.append(_aligned(args, start, sources, alignment))
        else:
            tell_new_columns(start, options)
            if regression is not None:
                stages.append(_regressed(args, start, regression))
                start = stages[-1].model
            if sources:
                stages.append(_trained(args, start, sources, options))
        stages[-1].save(args.output)
        shutil.rmtree(stage_folder(args.output, "regression"), ignore_errors=True)
    finally:
        if bar is not None:
            bar.close()
    made = made_of(stages, args.output)
    print(json.dumps(made) if args.json else "\n".join(told(made)))
    return _FAILED if made["diverged"] else _WORKED


def _aligned(
    args: argparse.Namespace, start: StaticModel, sources: list[Source], options: AlignOptions
) -> Training:
    return align(
        sources,
        teacher=args.align_to,
        start=start,
        evaluation=args.eval,
        folder=stage_folder(args.output, "training"),
        options=options,
    )


def _regressed(args: argparse.Namespace, start: StaticModel, options: RegressOptions) -> Training:
    return regress(
        args.corpus,
        teacher=args.teacher,
        start=start,
        evaluation=args.eval,
        folder=stage_folder(args.output, "regression"),
        options=options,
    )


def _trained(
    args: argparse.Namespace, start: StaticModel, sources: list[Source], options: TrainOptions
) -> Training:
    return train(
        sources,
        start=start,
        teacher=args.teacher if args.teacher_share else None,
        evaluation=args.eval,
        folder=stage_folder(args.output, "training"),
        options=options,
    )


def _pairs_of_corpus(args: argparse.Namespace) -> list[Source]:
    aligns = args.align_to is not None
    if not args.corpus or not (aligns or makes_pairs(args)):
        return []
    from pumice.train.corpus import read_documents
    from pumice.train.queries import pairs_from_documents, pairs_of_corpus

    columns = {
        role: name for role, name in named_columns(args).items() if role in ("text", "title")
    }
    documents = read_documents(args.corpus, columns=columns)
    return pairs_of_corpus(list(documents)) if aligns else pairs_from_documents(documents)
