"""pumice train: pairs of texts, or raw text and a teacher, make a static model of one's own."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pumice.commands.output import check_output
from pumice.commands.progress import StepBar, teacher_progress
from pumice.commands.vocabulary import (
    TrainingTexts,
    add_vocabulary_settings,
    check_vocabulary,
    learned_start,
    learns_vocabulary,
)
from pumice.errors import InputError
from pumice.teachers.options import Precision
from pumice.train import RegressOptions, Source, Training, TrainOptions, regress, train
from pumice.train.options import CODES, DTYPES, LABEL_LOSSES, LABEL_WEIGHT, MINED, RunOptions
from pumice.train.regress_options import RegressionLossName
from pumice.train.sources import listed_sources, parse_source

if TYPE_CHECKING:
    from pumice.model import StaticModel

_WORKED, _FAILED, _WRONG_USAGE = 0, 1, 2
_DEFAULTS = TrainOptions()
_REGRESSION = RegressOptions()
_RANDOM_DIM = 256


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
        ("learning-rate", float, "the highest"),
        ("warmup", float, "the share of the steps over which it rises"),
        ("scale", float, "what cosines are multiplied by"),
        ("repeats", float, "a token that stands n times in a text counts n to this power"),
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
        "--one-direction", action="store_true", help="do not rank anchors for positives"
    )
    parser.add_argument(
        "--dtype", choices=DTYPES, default=_DEFAULTS.dtype, help="how the vectors are stored"
    )
    parser.add_argument("--device", default=_DEFAULTS.device, help="a torch device, such as cuda")
    parser.add_argument("--name", default="", help="the model's name, kept in the file")
    parser.add_argument("--license", default="", help="the model's licence, kept in the file")


def run(args: argparse.Namespace) -> int:
    """Train, save, and say what was made."""
    bar = None if args.json else StepBar()
    try:
        _check_stages(args)
        options = _options(args, bar)
        pairs = [parse_source(text) for text in args.pairs]
        regression = _regression_options(args, options) if _regresses(args) else None
    except InputError as error:  # settings come from flags alone: this is wrong usage
        print(f"pumice train: error: {error}", file=sys.stderr)
        return _WRONG_USAGE
    check_output(args.output)
    # Before a teacher runs for minutes.
    made_pairs = _pairs_of_corpus(args) if _makes_pairs(args) else []
    sources = listed_sources([*pairs, *made_pairs]) if pairs or made_pairs else []
    stages: list[Training] = []
    try:
        start = _start(args, sources, options)
        _tell_new_columns(start, options)
        if regression is not None:
            stages.append(_regressed(args, start, regression))
            start = stages[-1].model
        if sources:
            stages.append(_trained(args, start, sources, options))
        stages[-1].save(args.output)
        shutil.rmtree(_folder(args.output, "regression"), ignore_errors=True)
    finally:
        if bar is not None:
            bar.close()
    made = _made(stages, args.output)
    print(json.dumps(made) if args.json else "\n".join(_told(made)))
    return _FAILED if made["diverged"] else _WORKED


def _regressed(args: argparse.Namespace, start: StaticModel, options: RegressOptions) -> Training:
    return regress(
        args.corpus,
        teacher=args.teacher,
        start=start,
        evaluation=args.eval,
        folder=_folder(args.output, "regression"),
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
        folder=_folder(args.output, "training"),
        options=options,
    )


def _folder(output: Path, stage: str) -> Path:
    return output.with_name(f"{output.name}.{stage}")


def _regresses(args: argparse.Namespace) -> bool:
    return bool(args.corpus) and args.teacher is not None


def _makes_pairs(args: argparse.Namespace) -> bool:
    if not args.corpus or args.teacher is None:
        return bool(args.corpus)
    return not args.pairs and bool(args.cross_encoder or args.mine)


def _pairs_of_corpus(args: argparse.Namespace) -> list[Source]:
    from pumice.train.corpus import read_documents
    from pumice.train.queries import pairs_from_documents

    columns = {role: name for role, name in _columns(args).items() if role in ("text", "title")}
    return pairs_from_documents(read_documents(args.corpus, columns=columns))


def _check_stages(args: argparse.Namespace) -> None:
    """Which flags go together."""
    if not args.pairs and not args.corpus:
        raise InputError("there is nothing to train on: give --pairs, or a --corpus")
    check_vocabulary(args)
    if args.code_share is not None and args.codes is None:
        raise InputError("--code-share has no use without --codes")
    if args.codes is not None and not args.pairs and not _makes_pairs(args):
        raise InputError("--codes has no use without pairs: give --pairs")
    if args.teacher_share and args.teacher is None:
        raise InputError("--teacher-share needs a --teacher to answer")
    if _regresses(args):
        return
    needs = {
        "regression_loss": "--corpus and --teacher",
        "regression_epochs": "--corpus and --teacher",
    }
    if not args.teacher_share:
        needs |= dict.fromkeys(("teacher_dtype", "teacher_vectors"), "--corpus or --teacher-share")
    for name, wanted in needs.items():
        if getattr(args, name) is not None:
            raise InputError(f"--{name.replace('_', '-')} has no use without {wanted}")
    for name in ("init", "random"):
        both = args.teacher is not None and getattr(args, name) is not None
        if both and not args.teacher_share:
            raise InputError(
                f"--teacher and --{name} are both a start: give one, or a --corpus or a --teacher-share"
            )


def _regression_options(args: argparse.Namespace, options: TrainOptions) -> RegressOptions:
    """The settings that both stages have, and those of the regression alone."""
    epochs = args.regression_epochs
    shared = {one.name: getattr(options, one.name) for one in fields(RunOptions)}
    own = {
        "loss": args.regression_loss,
        "epochs": _REGRESSION.epochs if epochs is None else epochs,
    }
    if args.pairs or _makes_pairs(args):  # its model is the start of the next stage
        own |= {"dtype": "float32", "name": f"{options.name}-regression", "keep_folder": True}
    return RegressOptions(**{**shared, **{k: v for k, v in own.items() if v is not None}})


def _columns(args: argparse.Namespace) -> dict[str, str]:
    columns = {}
    for one in args.columns:
        role, equals, name = one.partition("=")
        if not equals:
            raise InputError(f"--columns {one}: write ROLE=NAME, such as anchor=query")
        columns[role] = name
    return columns


def _options(args: argparse.Namespace, bar: StepBar | None) -> TrainOptions:
    return TrainOptions(
        dims=None if args.dims is None else _dims(args.dims),
        epochs=args.epochs,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        warmup=args.warmup,
        scale=args.scale,
        symmetric=not args.one_direction,
        mine=args.mine,
        mine_below=args.mine_below,
        cross_encoder=args.cross_encoder,
        label_loss=args.label_loss,
        label_weight=args.label_weight,
        label_cache=None if args.cross_encoder is None else _folder(args.output, "labels"),
        teacher_share=args.teacher_share,
        codes=() if args.codes is None else tuple(args.codes.split(",")),
        code_share=_DEFAULTS.code_share if args.code_share is None else args.code_share,
        teacher_dtype=args.teacher_dtype or _DEFAULTS.teacher_dtype,
        teacher_vectors=args.teacher_vectors,
        offline=args.offline,
        false_negative_margin=args.false_negative_margin,
        # A learned vocabulary's rows begin weighted by the whole corpus.
        sif_coefficient=None if learns_vocabulary(args) else args.sif_coefficient,
        hold_out=args.hold_out,
        evaluations=args.evaluations,
        patience=args.patience,
        max_tokens=args.max_tokens,
        columns=_columns(args),
        dtype=args.dtype,
        name=args.name or args.output.stem,
        license=args.license,
        seed=args.seed,
        threads=args.threads,
        device=args.device,
        checkpoint_seconds=args.checkpoint_seconds,
        progress=None if bar is None else bar.show,
    )


def _made_pairs(corpus: Sequence[str]) -> list[Source]:
    if not corpus:
        return []
    from pumice.train.corpus import read_documents
    from pumice.train.queries import pairs_from_documents

    return pairs_from_documents(read_documents(corpus))


def _dims(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--dims {text}: write whole numbers, such as 512,256,128,64") from None


def _tell_new_columns(start: StaticModel, options: TrainOptions) -> None:
    """On standard error: a dimension past the start's may be a typo, and costs its size."""
    has = start.dimensions
    if options.dims and max(options.dims) > has:
        print(
            f"pumice train: the start has {has} dimensions: {max(options.dims) - has} of "
            f"{max(options.dims)} begin as small noise",
            file=sys.stderr,
        )


def _start(
    args: argparse.Namespace, sources: Sequence[Source], options: TrainOptions
) -> StaticModel:
    if learns_vocabulary(args):
        given = [source for source in sources if source.pairs is None]
        return learned_start(args, TrainingTexts(args.corpus, given, options), options)
    if args.teacher is not None and args.init is None and args.random is None:
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

    return load(args.init, offline=args.offline)


def _made(stages: Sequence[Training], output: Path) -> dict[str, Any]:
    training, regression = stages[-1], stages[0]
    model = training.model
    return {
        "model": str(output),
        "card": str(output.with_suffix(".md")),
        "plot": str(output.with_suffix(".svg")),
        "name": model.name,
        "fingerprint": model.fingerprint,
        "tokens": len(model.tokens),
        "dimensions": model.dimensions,
        "prefixes": list(model.prefixes or ()),
        "dtype": model.metadata["dtype"],
        "bytes": output.stat().st_size,
        "steps": len(training.history["losses"]),
        "best_step": training.history["best_step"],
        "stopped": "; ".join(stage.stopped for stage in stages if stage.stopped),
        "diverged": any(stage.diverged for stage in stages),
        "pairs_per_second": round(training.pairs_per_second),
        "figures": [asdict(figure) for figure in training.figures],
        "first_figures": [asdict(figure) for figure in stages[0].first_figures],
        "agreement": list(regression.agreement),
        "first_agreement": list(regression.first_agreement),
        "agreement_name": regression.history.get("agreement", ""),
        "agreement_dims": list(regression.history["dims"]),
    }


def _told(made: dict[str, Any]) -> Iterator[str]:
    """What was made, for people."""
    yield (
        f"{made['model']}: {made['tokens']} tokens, {made['dimensions']} dimensions, "
        f"{made['dtype']}, {made['bytes'] / 1e6:.1f} MB; card {made['card']}, plot {made['plot']}"
    )
    if made["stopped"]:
        yield f"note: {made['stopped']}"
    if made["agreement"]:
        yield (
            f"with the teacher, {made['agreement_name']}, before -> after the regression: "
            + ", ".join(
                f"{dim} d {first:.3f} -> {last:.3f}"
                for dim, first, last in zip(
                    made["agreement_dims"], made["first_agreement"], made["agreement"], strict=True
                )
            )
        )
    if not made["figures"]:
        return
    before = {(_named(f), f["dim"]): f["ndcg"] for f in made["first_figures"]}
    dims: Sequence[int] = sorted({f["dim"] for f in made["figures"]}, reverse=True)
    yield "nDCG@10, before -> after: " + ", ".join(f"{dim} d" for dim in dims)
    for name in dict.fromkeys(map(_named, made["figures"])):
        after = {f["dim"]: f["ndcg"] for f in made["figures"] if _named(f) == name}
        cells = (_change(before.get((name, dim)), after[dim]) for dim in dims)
        yield f"  {name}: " + ", ".join(cells)


def _named(figure: dict[str, Any]) -> str:
    return ", ".join(filter(None, (figure["name"], figure["code"])))


def _change(before: float | None, after: float) -> str:
    """Held-out pairs were not measured before a regression."""
    return f"{after:.3f}" if before is None else f"{before:.3f} -> {after:.3f}"
