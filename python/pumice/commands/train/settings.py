"""The flags of pumice train as the options of its stages."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from pumice.commands.progress import StepBar
from pumice.commands.train.flags import makes_pairs
from pumice.commands.vocabulary import learns_vocabulary
from pumice.errors import InputError
from pumice.train import AlignOptions, RegressOptions, TrainOptions
from pumice.train.options import RunOptions

_DEFAULTS = TrainOptions()
_REGRESSION = RegressOptions()
_ALIGNMENT = AlignOptions()


def train_options(args: argparse.Namespace, bar: StepBar | None) -> TrainOptions:
    """Of the stage of pairs."""
    return TrainOptions(
        dims=None if args.dims is None else _dims(args.dims),
        epochs=_DEFAULTS.epochs if args.epochs is None else args.epochs,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        warmup=args.warmup,
        scale=args.scale,
        repeats=args.repeats,
        lead=args.lead,
        symmetric=not args.one_direction,
        mine=args.mine,
        mine_below=args.mine_below,
        cross_encoder=args.cross_encoder,
        label_loss=args.label_loss,
        label_weight=args.label_weight,
        label_cache=None if args.cross_encoder is None else stage_folder(args.output, "labels"),
        teacher_share=args.teacher_share,
        topic_size=args.topic_size,
        fixed_dims=args.fixed_dims,
        codes=() if args.codes is None else tuple(args.codes.split(",")),
        code_share=_DEFAULTS.code_share if args.code_share is None else args.code_share,
        rotation_epochs=args.rotation_epochs or 0.0,
        teacher_dtype=args.teacher_dtype or _DEFAULTS.teacher_dtype,
        teacher_vectors=args.teacher_vectors,
        teacher_tokens=args.teacher_tokens,
        offline=args.offline,
        false_negative_margin=args.false_negative_margin,
        # A learned vocabulary's rows begin weighted by the whole corpus.
        sif_coefficient=None if learns_vocabulary(args) else args.sif_coefficient,
        hold_out=args.hold_out,
        evaluations=args.evaluations,
        patience=args.patience,
        max_tokens=args.max_tokens,
        columns=named_columns(args),
        dtype=args.dtype or _DEFAULTS.dtype,
        name=args.name or args.output.stem,
        license=args.license,
        seed=args.seed,
        threads=args.threads,
        device=args.device,
        kernels=args.kernels,
        checkpoint_seconds=args.checkpoint_seconds,
        progress=None if bar is None else bar.show,
    )


def regression_options(args: argparse.Namespace, options: TrainOptions) -> RegressOptions:
    """The settings that both stages have, and those of the regression alone."""
    epochs = args.regression_epochs
    shared = {one.name: getattr(options, one.name) for one in fields(RunOptions)}
    own = {
        "loss": args.regression_loss,
        "epochs": _REGRESSION.epochs if epochs is None else epochs,
    }
    if args.pairs or makes_pairs(args):  # its model is the start of the next stage
        own |= {"dtype": "float32", "name": f"{options.name}-regression", "keep_folder": True}
    return RegressOptions(**{**shared, **{k: v for k, v in own.items() if v is not None}})


def alignment_options(args: argparse.Namespace, options: TrainOptions) -> AlignOptions:
    """The settings that all stages have, and those of an alignment alone."""
    shared = {one.name: getattr(options, one.name) for one in fields(RunOptions)}
    own = {
        "epochs": _ALIGNMENT.epochs if args.epochs is None else args.epochs,
        "dtype": args.dtype or _ALIGNMENT.dtype,
        "ranking_share": args.ranking_share,
        "pair_share": args.pair_share,
        "query_prompt": args.query_prompt,
        "document_prompt": args.document_prompt,
    }
    return AlignOptions(**{**shared, **{k: v for k, v in own.items() if v is not None}})


def named_columns(args: argparse.Namespace) -> dict[str, str]:
    """What columns are called."""
    columns = {}
    for one in args.columns:
        role, equals, name = one.partition("=")
        if not equals:
            raise InputError(f"--columns {one}: write ROLE=NAME, such as anchor=query")
        columns[role] = name
    return columns


def _dims(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--dims {text}: write whole numbers, such as 512,256,128,64") from None


def stage_folder(output: Path, stage: str) -> Path:
    """Where a stage keeps its state."""
    return output.with_name(f"{output.name}.{stage}")
