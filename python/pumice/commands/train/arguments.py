"""What pumice train takes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from pumice.commands.vocabulary import add_vocabulary_settings
from pumice.teachers.options import Precision
from pumice.train import AlignOptions, RegressOptions, TrainOptions
from pumice.train.options import CODES, DTYPES, KERNELS, LABEL_LOSSES, LABEL_WEIGHT, MINED
from pumice.train.regress_options import RegressionLossName

_DEFAULTS = TrainOptions()
_REGRESSION = RegressOptions()
_ALIGNMENT = AlignOptions()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--pairs",
        nargs="+",
        default=[],
        metavar="FILE",
        help="anchor and positive, perhaps negatives and scores: .jsonl, .csv or .parquet, also .xz, "
        ".gz or .zst of these, a folder of them, or a Hugging Face dataset's id; FILE:2.0 sees each pair twice",
    )
    parser.add_argument(
        "--corpus",
        nargs="+",
        default=[],
        metavar="FILE",
        help="raw text: .txt, .md, .rst, or .jsonl, .csv and .parquet with text and title, folders of them; "
        "fitted to the --teacher's vectors; without a teacher, or with --cross-encoder or --mine and no "
        "--pairs, made into pairs",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="where the model goes"
    )
    _add_alignment(parser)
    _add_regression(parser)
    parser.add_argument(
        "--teacher",
        metavar="ID",
        help="start from this transformer, distilled; with --corpus also fit its vectors",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--init", metavar="MODEL", help="start from this static model (default: the shipped one)"
    )
    start.add_argument(
        "--random", type=Path, metavar="FILE", help="start from random rows over a tokenizer.json"
    )
    add_vocabulary_settings(parser)
    _add_label_settings(parser)
    _add_settings(parser)
    parser.add_argument(
        "--eval",
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="measure on these folders in BEIR's layout, and keep the state that is best there",
    )
    parser.add_argument("--offline", action="store_true", help="do not ask the hub")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _add_alignment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--align-to",
        metavar="ID",
        help="make a model of queries alone, for documents that this transformer encodes; starts from it, "
        "distilled, where --init says nothing else",
    )
    parser.add_argument(
        "--ranking-share",
        type=float,
        metavar="X",
        help="with --align-to: the share of ranking the batch's documents in the loss, the cosine with the "
        f"transformer's own query has the rest (default: {_ALIGNMENT.ranking_share:g})",
    )
    parser.add_argument(
        "--pair-share",
        type=float,
        metavar="X",
        help="how much of that ranking is the pair's own, the transformer's answer is the rest "
        f"(default: {_ALIGNMENT.pair_share:g})",
    )
    parser.add_argument(
        "--query-prompt",
        metavar="TEXT",
        help='what the transformer reads before a query, such as "query: " (default: its own)',
    )
    parser.add_argument("--document-prompt", metavar="TEXT", help="the same before a document")


def _add_regression(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--teacher-share",
        type=float,
        default=0.0,
        metavar="X",
        help="how much of what a pair should rank first the teacher answers, 0 to 1 (default: 0: the teacher "
        f"is the start alone; {_DEFAULTS.teacher_share:g} is a good value)",
    )
    parser.add_argument(
        "--teacher-dtype",
        choices=get_args(Precision),
        help="how the teacher computes (default: auto, bfloat16 where the processor has it)",
    )
    parser.add_argument(
        "--teacher-tokens",
        type=int,
        metavar="N",
        help="tokens of a text that the teacher reads (default: --max-tokens); half of them, half of its time",
    )
    parser.add_argument(
        "--teacher-vectors",
        metavar="FOLDER",
        help="keep the teacher's vectors here, for other runs too",
    )
    parser.add_argument(
        "--regression-loss",
        choices=get_args(RegressionLossName),
        help=f"what fitting means (default: {_REGRESSION.loss})",
    )
    parser.add_argument(
        "--regression-epochs",
        type=float,
        metavar="X",
        help=f"passes over the corpus (default: {_REGRESSION.epochs:g})",
    )


def _add_label_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mine",
        type=int,
        metavar="N",
        help=f"hard negatives to mine for each pair (default: {MINED} with --cross-encoder, else 0)",
    )
    parser.add_argument(
        "--mine-below",
        type=float,
        default=_DEFAULTS.mine_below,
        metavar="X",
        help="mine nothing closer than this share of the positive's cosine "
        f"(default: {_DEFAULTS.mine_below:g})",
    )
    parser.add_argument(
        "--cross-encoder",
        metavar="ID",
        help="score positives and hard negatives with this sentence-transformers CrossEncoder, a folder "
        "or a hub id; scores are kept in FILE.labels beside the model",
    )
    parser.add_argument(
        "--label-loss",
        choices=LABEL_LOSSES,
        help=f"how scores are learnt (default: {LABEL_LOSSES[0]})",
    )
    parser.add_argument(
        "--label-weight",
        type=float,
        metavar="X",
        help="the share of that loss; the ranking loss has the rest, none at 1 "
        f"(default: {LABEL_WEIGHT:g})",
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--columns",
        nargs="+",
        default=[],
        metavar="ROLE=NAME",
        help="what the columns are called, such as anchor=query positive=passage",
    )
    parser.add_argument(
        "--dims", metavar="512,256,…", help="prefixes to train (default: the starting model's)"
    )
    numbers: tuple[tuple[str, type, str], ...] = (
        ("epochs", float, "passes over the pairs"),
        ("batch-size", int, "pairs that are each other's negatives"),
        (
            "topic-size",
            int,
            "a batch's pairs are of a topic of about so many (default: of a source)",
        ),
        ("fixed-dims", int, "the start's first so many columns stay as they are"),
        ("learning-rate", float, "the highest"),
        ("warmup", float, "the share of the steps over which it rises"),
        ("scale", float, "what cosines are multiplied by"),
        ("repeats", float, "a token that stands n times in a text counts n to this power"),
        ("lead", float, "the token at place i of a text counts (1 + 2 / (1 + i / X)) / 3"),
        ("false-negative-margin", float, "leave out what is closer than the positive minus this"),
        ("sif-coefficient", float, "weight the starting rows by a / (a + p)"),
        ("hold-out", float, "the share of pairs that is only measured on"),
        ("evaluations", int, "how often to measure"),
        ("patience", int, "stop after so many evaluations without a better one"),
        ("max-tokens", int, "tokens of a text that training reads"),
        ("seed", int, "the same seed gives the same model"),
        ("threads", int, "processors to use"),
        ("checkpoint-seconds", float, "how often the state is kept"),
    )
    for name, kind, told in numbers:
        default = getattr(_DEFAULTS, name.replace("-", "_"))
        shown = "" if default is None else f" (default: {default:g})"
        if name == "epochs":
            shown = f" (default: {default:g}; with --align-to {_ALIGNMENT.epochs:g})"
            default = None
        metavar = "N" if kind is int else "X"
        parser.add_argument(
            f"--{name}", type=kind, default=default, metavar=metavar, help=told + shown
        )
    parser.add_argument(
        "--codes",
        metavar="binary,int8",
        help=f"train for these codes too, and measure them: {', '.join(CODES)} (default: none)",
    )
    parser.add_argument(
        "--code-share",
        type=float,
        metavar="X",
        help=f"their share of the ranking loss (default: {_DEFAULTS.code_share:g})",
    )
    parser.add_argument(
        "--rotation-epochs",
        type=float,
        metavar="X",
        help="then rotate the rows for so many epochs, so that prefixes rank better",
    )
    parser.add_argument(
        "--one-direction", action="store_true", help="do not rank anchors for positives"
    )
    parser.add_argument(
        "--dtype",
        choices=DTYPES,
        help=f"how rows are stored (default: {_DEFAULTS.dtype}; with --align-to {_ALIGNMENT.dtype})",
    )
    parser.add_argument("--device", default=_DEFAULTS.device, help="a torch device, such as cuda")
    parser.add_argument(
        "--kernels",
        choices=KERNELS,
        default=_DEFAULTS.kernels,
        help="whose instructions compute: auto, pumice's own where the processor has AVX2 or AVX-512, else "
        f"torch's (default: {_DEFAULTS.kernels})",
    )
    parser.add_argument("--name", default="", help="the model's name, kept in the file")
    parser.add_argument("--license", default="", help="the model's licence, kept in the file")
