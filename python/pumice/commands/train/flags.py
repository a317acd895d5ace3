"""Which stages the flags of pumice train ask for, and which flags go together."""

from __future__ import annotations

import argparse

from pumice.commands.vocabulary import check_vocabulary
from pumice.errors import InputError

_OF_ALIGNMENT = ("ranking_share", "pair_share", "query_prompt", "document_prompt")
_OF_READING = ("teacher_dtype", "teacher_tokens", "teacher_vectors")
_OF_OTHERS = (
    "teacher",
    "teacher_share",
    "regression_loss",
    "regression_epochs",
    "mine",
    "cross_encoder",
    "label_loss",
    "label_weight",
    "topic_size",
    "fixed_dims",
    "codes",
    "code_share",
    "rotation_epochs",
    "false_negative_margin",
    "one_direction",
)
"""What says how a model is trained that encodes documents too."""


def regresses(args: argparse.Namespace) -> bool:
    """Whether a corpus is fitted to a teacher's vectors."""
    return bool(args.corpus) and args.teacher is not None


def makes_pairs(args: argparse.Namespace) -> bool:
    """Whether pairs are made of the corpus."""
    if args.align_to is not None:
        return False
    if not args.corpus or args.teacher is None:
        return bool(args.corpus)
    return not args.pairs and bool(args.cross_encoder or args.mine)


def check_stages(args: argparse.Namespace) -> None:
    """Raise InputError for flags that do not go together."""
    if not args.pairs and not args.corpus:
        raise InputError("there is nothing to train on: give --pairs, or a --corpus")
    check_vocabulary(args)
    if args.align_to is not None:
        _check_alignment(args)
        return
    for name in _OF_ALIGNMENT:
        if getattr(args, name) is not None:
            raise InputError(f"{_flag(name)} has no use without --align-to")
    if args.code_share is not None and args.codes is None:
        raise InputError("--code-share has no use without --codes")
    if args.codes is not None and not args.pairs and not makes_pairs(args):
        raise InputError("--codes has no use without pairs: give --pairs")
    for name in ("rotation_epochs", "topic_size", "fixed_dims"):
        if getattr(args, name) is not None and not args.pairs and not makes_pairs(args):
            raise InputError(f"{_flag(name)} has no use without pairs: give --pairs")
    if args.teacher_share and args.teacher is None:
        raise InputError("--teacher-share needs a --teacher to answer")
    if regresses(args):
        return
    needs = {
        "regression_loss": "--corpus and --teacher",
        "regression_epochs": "--corpus and --teacher",
    }
    if not args.teacher_share:
        needs |= dict.fromkeys(_OF_READING, "--corpus or --teacher-share")
    for name, wanted in needs.items():
        if getattr(args, name) is not None:
            raise InputError(f"{_flag(name)} has no use without {wanted}")
    for name in ("init", "random"):
        both = args.teacher is not None and getattr(args, name) is not None
        if both and not args.teacher_share:
            raise InputError(
                f"--teacher and --{name} are both a start: give one, or a --corpus or a --teacher-share"
            )


def _check_alignment(args: argparse.Namespace) -> None:
    for name in _OF_OTHERS:
        if getattr(args, name):
            raise InputError(
                f"{_flag(name)} has no use with --align-to, which fits queries to that teacher alone"
            )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
