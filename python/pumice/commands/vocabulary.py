"""The options of pumice train that learn a vocabulary, and the start made of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pumice.commands.progress import teacher_progress
from pumice.errors import InputError
from pumice.vocabulary.options import VocabularyOptions

if TYPE_CHECKING:
    from pumice.model import StaticModel
    from pumice.train import Source, TrainOptions

_DIM = 256
_SIF = 1e-3
_FLAGS = ("vocab_size", "lowercase", "words", "phrases")


def add_vocabulary_settings(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument(
        "--vocab-size",
        type=int,
        metavar="N",
        help="learn a vocabulary of so many tokens from --corpus and --pairs; --teacher embeds its tokens, "
        "without one they begin as random rows; rows are weighted by how rare the token is",
    )
    parser.add_argument(
        "--lowercase",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="fold case and accents in that vocabulary (default: fold)",
    )
    parser.add_argument(
        "--words",
        type=int,
        metavar="N",
        help="whole words among its tokens, those that spare the most pieces; without --vocab-size they are "
        "added to the --teacher's vocabulary",
    )
    parser.add_argument(
        "--phrases", type=int, metavar="N", help='the same of phrases, such as "new york"'
    )


def learns_vocabulary(args: argparse.Namespace) -> bool:
    """Whether any of them is given."""
    return any(getattr(args, name) is not None for name in _FLAGS)


def check_vocabulary(args: argparse.Namespace) -> None:
    """Raise InputError for flags that do not go together, and numbers out of range."""
    if not learns_vocabulary(args):
        return
    first = next(name for name in _FLAGS if getattr(args, name) is not None)
    flag = f"--{first.replace('_', '-')}"
    for name in ("init", "random"):
        if getattr(args, name) is not None:
            raise InputError(
                f"{flag} has no use with --{name}, whose vocabulary stays: leave one out"
            )
    for name in ("words", "phrases"):
        value = getattr(args, name)
        if value is not None and value < 0:
            raise InputError(f"--{name} is {value}: give 0 or more")
    if args.vocab_size is not None:
        vocabulary_options(args)
    elif args.lowercase is not None:
        raise InputError(
            f"--{'' if args.lowercase else 'no-'}lowercase has no use without --vocab-size"
        )
    elif teacher_of(args) is None:
        raise InputError(f"{flag} needs a --vocab-size, or a --teacher to add to")
    elif not (args.words or args.phrases):
        raise InputError(f"{flag} 0 asks for nothing: leave it out")


def vocabulary_options(args: argparse.Namespace) -> VocabularyOptions:
    """What is learned."""
    return VocabularyOptions(
        size=args.vocab_size,
        lowercase=args.lowercase is not False,
        words=args.words or 0,
        phrases=args.phrases or 0,
    )


@dataclass(frozen=True)
class TrainingTexts:
    """The texts of a corpus, then those of pairs, each time they are asked for."""

    corpus: Sequence[str]
    pairs: Sequence[Source]
    options: TrainOptions

    def __iter__(self) -> Iterator[str]:
        from pumice.train.corpus import COLUMNS
        from pumice.train.corpus_texts import document_texts
        from pumice.train.pairs import read_pairs

        named = {role: name for role, name in self.options.columns.items() if role in COLUMNS}
        if self.corpus:
            yield from document_texts(
                self.corpus, columns=named, max_tokens=self.options.max_tokens
            )
        for source in self.pairs:
            for pair in read_pairs(source, self.options.columns):
                yield from (pair.anchor, pair.positive)


def learned_start(
    args: argparse.Namespace, texts: TrainingTexts, options: TrainOptions
) -> StaticModel:
    """A teacher's rows, or random ones, over what the texts taught."""
    from pumice.vocabulary import learn_vocabulary, useful_entries

    coefficient = args.sif_coefficient or _SIF
    if args.vocab_size is None:
        from pumice.teachers.files import teacher_folder
        from pumice.train.initial import read_tokenizer

        tokenizer = read_tokenizer(teacher_folder(teacher_of(args), offline=args.offline))
        words, phrases = args.words or 0, args.phrases or 0
        entries = useful_entries(texts, tokenizer=tokenizer, words=words, phrases=phrases)
        return _distilled(args, coefficient)(vocabulary=entries, corpus=texts)
    learned = learn_vocabulary(texts, options=vocabulary_options(args))
    if teacher_of(args) is not None:
        return _distilled(args, coefficient)(vocabulary=learned.tokenizer, corpus=learned.counts)
    from pumice.train.initial import random_model

    return random_model(
        learned.tokenizer,
        dim=max(options.dims or (_DIM,)),
        seed=options.seed,
        counts=learned.counts,
        sif_coefficient=coefficient,
    )


def counted_start(args: argparse.Namespace, texts: TrainingTexts) -> StaticModel:
    """The teacher's own vocabulary, its rows weighted by how often the texts have each token."""
    return _distilled(args, args.sif_coefficient or _SIF)(corpus=texts)


def teacher_of(args: argparse.Namespace) -> Any:
    """The transformer that embeds tokens, or None."""
    return args.teacher if args.align_to is None else args.align_to


def _distilled(args: argparse.Namespace, coefficient: float) -> Callable[..., StaticModel]:
    from functools import partial

    from pumice.distill import DistillOptions, distill

    settings = DistillOptions(
        weighting="sif",
        sif_coefficient=coefficient,
        pooling="teacher" if args.align_to is None else "token",
        offline=args.offline,
        progress=None if args.json else teacher_progress(),
    )
    return partial(distill, teacher_of(args), dim=None, options=settings)
