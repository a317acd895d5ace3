"""pumice distill: make a static model from a transformer."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pumice.commands.output import check_output
from pumice.commands.progress import teacher_progress
from pumice.distill import DistillOptions, distill
from pumice.distill.distillation import check_settings
from pumice.distill.options import Weighting
from pumice.distill.vocabulary import read_vocabulary
from pumice.errors import InputError
from pumice.teachers.options import Pooling
from pumice.text_files import read_texts

_WRONG_USAGE = 2  # what argparse exits with too


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("teacher", metavar="TEACHER", help="a folder or a Hugging Face id")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="where the model goes"
    )
    parser.add_argument(
        "--dim", type=int, default=256, help="dimensions to keep (default: %(default)s)"
    )
    parser.add_argument(
        "--dtype",
        choices=("float32", "float16", "int8"),
        default="float32",
        help="how the vectors are stored (default: %(default)s)",
    )
    parser.add_argument(
        "--corpus",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="texts to count tokens in: .txt or .jsonl, .xz, .gz or .zst of these",
    )
    parser.add_argument(
        "--vocabulary",
        type=Path,
        metavar="FILE",
        help="words and phrases to add, one on each line",
    )
    parser.add_argument(
        "--only-vocabulary",
        action="store_true",
        help="make the words and phrases of --vocabulary the only tokens",
    )
    parser.add_argument(
        "--remove-unseen", action="store_true", help="leave out tokens not in the corpus"
    )
    parser.add_argument(
        "--weighting",
        choices=get_args(Weighting),
        default="auto",
        help="how tokens are weighted (default: sif with a corpus, else zipf)",
    )
    parser.add_argument("--sif-coefficient", type=float, metavar="A", help="the a in a / (a + p)")
    parser.add_argument("--whitening", type=float, metavar="POWER", help="from 0 to 1")
    parser.add_argument(
        "--pooling",
        choices=get_args(Pooling),
        default="teacher",
        help="how the teacher's states become one vector (default: %(default)s)",
    )
    parser.add_argument("--prompt", help="text put before each token for the teacher")
    parser.add_argument("--name", default="", help="the model's name, kept in the file")
    parser.add_argument("--device", help="a torch device, such as cpu or cuda")
    parser.add_argument("--offline", action="store_true", help="do not ask the hub")
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="run Python code that comes with the teacher",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Distil, save, and say what was made."""
    progress = None if args.json else teacher_progress()
    try:
        options = DistillOptions(
            weighting=args.weighting,
            sif_coefficient=args.sif_coefficient,
            whitening=args.whitening,
            pooling=args.pooling,
            prompt=args.prompt,
            remove_unseen=args.remove_unseen,
            teacher_vocabulary=not args.only_vocabulary,
            name=args.name,
            device=args.device,
            offline=args.offline,
            trust_remote_code=args.trust_remote_code,
            progress=progress,
        )
        check_settings(
            args.dim,
            options=options,
            vocabulary=args.vocabulary is not None,
            corpus=args.corpus is not None,
        )
    except InputError as error:  # settings come from flags alone: this is wrong usage
        print(f"pumice distill: error: {error}", file=sys.stderr)
        return _WRONG_USAGE
    check_output(args.output)
    words = None if args.vocabulary is None else read_vocabulary(args.vocabulary)
    model = distill(
        args.teacher,
        dim=args.dim,
        vocabulary=None if words is None else words.entries,
        corpus=None if args.corpus is None else read_texts(args.corpus),
        options=options,
    )
    model.save(args.output, dtype=args.dtype)
    made: dict[str, Any] = {
        "model": str(args.output),
        "name": model.name,
        "tokens": len(model.tokens),
        "dimensions": model.dimensions,
        "dtype": args.dtype,
        "bytes": args.output.stat().st_size,
        "native": model.metadata["tokenizer"]["native"],
        "reason": model.metadata["tokenizer"]["reason"],
        "blank_lines": 0 if words is None else words.blank,
        "repeated_lines": 0 if words is None else words.repeated,
    }
    if args.json:
        print(json.dumps(made))
    else:
        print("\n".join(_told(made, vocabulary=args.vocabulary)))
    return 0


def _told(made: Mapping[str, Any], *, vocabulary: Path | None) -> Iterator[str]:
    """What was made, for people: one line, and one for each thing they may not expect."""
    yield (
        f"{made['model']}: {made['tokens']} tokens, {made['dimensions']} dimensions, "
        f"{made['dtype']}, {made['bytes'] / 1e6:.1f} MB"
    )
    if made["blank_lines"] or made["repeated_lines"]:
        yield (
            f"{vocabulary}: skipped {made['blank_lines']} blank and "
            f"{made['repeated_lines']} repeated lines"
        )
    if not made["native"]:
        yield (
            f"note: the model splits text with the tokenizers library, slower than "
            f"pumice's own core, because {made['reason']}"
        )
