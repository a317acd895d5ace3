"""Reads what pumice train is given once before a teacher runs for minutes: a bad line is found at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pumice.commands.train.settings import named_columns
from pumice.errors import InputError
from pumice.train import Source, TrainOptions


def check_readable(
    args: argparse.Namespace, sources: Sequence[Source], options: TrainOptions
) -> None:
    """Raise the InputError that a run would else end with after its teacher.

    Without a transformer the run itself gets there as fast, and nothing is read here.
    """
    from pumice.train.workplace import check_torch, checked_device, evaluation_folders

    folders = evaluation_folders(args.eval)
    teacher = args.teacher if args.align_to is None else args.align_to
    if teacher is None or str(teacher).endswith(".pumice"):
        return
    check_torch()
    checked_device(options.device)
    from pumice.train.corpus import COLUMNS, read_documents
    from pumice.train.evaluation_sets import read_beir_texts
    from pumice.train.pairs import read_pairs

    for folder in folders:
        read_beir_texts(folder)
    for source in sources:
        if not sum(1 for _ in read_pairs(source, options.columns)):
            raise InputError(f"{source.path}: holds no pair")
    if args.corpus:
        named = {role: name for role, name in named_columns(args).items() if role in COLUMNS}
        for _ in read_documents(args.corpus, columns=named):
            pass
