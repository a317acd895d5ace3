"""One training run from its pairs to a finished model, its figures and its card."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumice.errors import InputError
from pumice.train.finished import called, compiled, counting, finished
from pumice.train.initial import starting_dims, starting_table
from pumice.train.options import TrainOptions
from pumice.train.sources import Source, listed_sources
from pumice.train.training import Training
from pumice.train.workplace import (
    Workplace,
    check_torch,
    checked_device,
    evaluation_folders,
    workplace,
)

if TYPE_CHECKING:
    from pumice.model import StaticModel
    from pumice.teachers.sentences import SentenceEncoder
    from pumice.train.dataset import TokenizedSource
    from pumice.train.loop import Outcome

_DEFAULTS = TrainOptions()


def train(
    pairs: str | os.PathLike[str] | Source | Iterable[str | os.PathLike[str] | Source],
    *,
    start: StaticModel | None = None,
    teacher: str | os.PathLike[str] | None = None,
    evaluation: Sequence[str | os.PathLike[str]] = (),
    folder: str | os.PathLike[str] | None = None,
    options: TrainOptions = _DEFAULTS,
) -> Training:
    """Train a static model on pairs by in-batch negatives, at every prefix at once.

    ``pairs`` are files (.jsonl, .csv, .parquet, also with .xz, .gz or .zst), folders of such, and ids of
    Hugging Face datasets; each file is a source, with a weight where it is a `Source`, which may hold its
    pairs itself (`pumice.train.queries.pairs_from_documents` makes such). ``start`` gives the
    tokenizer, the rules and the rows to begin with: distilled, loaded, or of
    `pumice.train.initial.random_model`; None is the shipped model. ``evaluation`` are folders in BEIR's
    layout, measured beside the held-out pairs; with any of them they alone choose the best state.
    ``teacher``, a sentence-transformers or Hugging Face model or a .pumice file, answers each batch too, and
    ``teacher_share`` of what a pair should rank first is its answer. ``folder`` keeps the run's state: the
    same call with the same folder goes on where a killed one was, to the same result, and `Training.save`
    removes the folder. Raises InputError, HubError, ModelFileError, and
    MissingExtraError without ``pip install "pumice[train]"``.
    """
    if not isinstance(options, TrainOptions):
        raise InputError(f"options is {type(options).__name__}: give TrainOptions")
    sources = listed_sources(pairs)
    folders = evaluation_folders(evaluation)
    check_torch()
    device = checked_device(options.device)
    from pumice.loading import load

    start = counting(load() if start is None else start, options)
    dims = tuple(sorted(options.dims or starting_dims(start)))
    with workplace(folder, options) as place:
        return _trained(
            _Given(sources, teacher, folders, start, dims, replace(options, device=device)), place
        )


@dataclass(frozen=True)
class _Given:
    sources: list[Source]
    teacher: str | os.PathLike[str] | None
    folders: list[Path]
    start: StaticModel
    dims: tuple[int, ...]
    """Ascending."""
    options: TrainOptions


def _trained(given: _Given, place: Workplace) -> Training:
    import torch

    from pumice.train.card import Story, pair_lines
    from pumice.train.checkpoint import RunFolder
    from pumice.train.contrastive import Contrastive, RetrievalJudge
    from pumice.train.dataset import fingerprint, token_counts, tokenize_sources
    from pumice.train.evaluation_sets import held_out_sets, read_beir
    from pumice.train.figures import mean_ndcg, measure
    from pumice.train.lanes import lanes_for, processors
    from pumice.train.loop import Loop
    from pumice.train.rotation import rotated
    from pumice.train.stages import Stages
    from pumice.train.taught import Reader, load_encoder, taught_pairs
    from pumice.train.topics import source_topics

    options, start = given.options, given.start
    if options.rotation_epochs and len(given.dims) == 1:
        raise InputError(
            "rotation_epochs has no use for one dimension: name shorter prefixes in dims"
        )
    _check_fixed(given)
    beir = [read_beir(folder, start) for folder in given.folders]
    data = tokenize_sources(given.sources, start, options, place.memory)
    sets = [*held_out_sets(data), *beir]
    threads = options.threads or processors()
    parts = start.parts()
    counts = token_counts(data, len(start.tokens)) if options.sif_coefficient else None
    table = starting_table(
        parts,
        dim=given.dims[-1],
        seed=options.seed,
        counts=counts,
        sif_coefficient=options.sif_coefficient,
    )
    if options.mined or options.cross_encoder:
        stages = Stages(given.sources, options, threads=threads, folder=place.kept)
        data = stages(data, table[:, : start.dimensions])
    asked = options.label_loss is not None or options.label_weight is not None
    if asked and not any(source.negatives.scored.any() for source in data):
        raise InputError(
            "label_loss or label_weight is given, and no pair has scores to learn: "
            "give a cross_encoder, or pairs with negatives and scores"
        )
    encoder, taught = None, None
    if given.teacher is not None and options.teacher_share:
        encoder = load_encoder(given.teacher, options)
        reader = Reader.of(encoder, options, threads=threads, kept=place.kept, files=place.files)
        taught = taught_pairs(given.sources, data, (reader, reader), options)
    run_folder = RunFolder.of(
        place.kept,
        options,
        dims=given.dims,
        threads=threads,
        run={
            "start": start.fingerprint,
            "pairs": fingerprint(data),
            "teacher": None if encoder is None else encoder.identity,
            "evaluation": [one.name for one in beir],
        },
    )
    with lanes_for(options, threads) as lanes:
        rows = torch.from_numpy(table).to(options.device)
        topics = None
        if options.topic_size is not None:
            topics = source_topics(data, taught, rows, size=options.topic_size, lanes=lanes)
        asked_of = partial(Contrastive, dims=given.dims, lanes=lanes, taught=taught, topics=topics)
        objective = asked_of(rows, data, options=options)
        loop = Loop(table, objective, given.dims, options=options, lanes=lanes)
        judges = beir or sets
        judge = RetrievalJudge(sets, judges, given.dims, lanes, options.codes) if sets else None
        outcome = loop.run(judge, folder=run_folder)
        if options.rotation_epochs and not outcome.diverged:
            _tell(options, "the finished rows are rotated for the prefixes")
            rows = torch.from_numpy(outcome.rows).to(options.device)
            again = replace(options, epochs=options.rotation_epochs, codes=())
            turned = rotated(rows, asked_of(rows, data, options=again), lanes=lanes).cpu().numpy()
            outcome = replace(outcome, rows=turned)
        model = _model_of_pairs(given, data, outcome, encoder)

        stored = starting_table(model.parts(), dim=given.dims[-1], seed=options.seed)
        final = torch.from_numpy(stored).to(options.device)
        figures = []
        if sets:
            figures = measure(final, sets, given.dims, lanes=lanes, codes=options.codes)
    story = Story(
        model=model,
        trained=f"Started from {called(start)}; contrastive training with in-batch negatives"
        + ("" if encoder is None else f", {_answered(encoder, options)}"),
        data=list(pair_lines(data)),
        settings=options.settings(),
        history=outcome.history,
        figures=figures,
        stopped=outcome.stopped,
    )
    judged = [figure for figure in figures if figure.name in {one.name for one in judges}]
    line = f"the finished model: nDCG@10 {mean_ndcg(judged):.4f}" if judged else ""
    return finished(outcome, story, folder=run_folder, options=options, line=line)


def _check_fixed(given: _Given) -> None:
    fixed, largest = given.options.fixed_dims, given.dims[-1]
    if fixed is None:
        return
    if fixed > given.start.dimensions:
        raise InputError(
            f"fixed_dims is {fixed}, but the start has {given.start.dimensions} dimensions: "
            "only what it has can stay as it is"
        )
    if fixed >= largest:
        raise InputError(
            f"fixed_dims is {fixed}, and the model's dimensions are {largest}: "
            "nothing would be trained; name a larger one in dims"
        )


def _tell(options: TrainOptions, line: str) -> None:
    if options.progress is not None:
        options.progress(0, 0, line)


def _answered(encoder: SentenceEncoder, options: TrainOptions) -> str:
    teacher = encoder.teacher
    return f"{options.teacher_share:g} of each target answered by {teacher.name} in {teacher.precision}"


def _model_of_pairs(
    given: _Given,
    data: Sequence[TokenizedSource],
    outcome: Outcome,
    encoder: SentenceEncoder | None,
) -> StaticModel:
    told: dict[str, Any] = {
        "method": "contrastive training",
        "sources": [{"name": s.name, "weight": s.weight, **s.counts} for s in data],
        "settings": {**given.options.settings(), "dims": list(given.dims)},
        "stopped": outcome.stopped,
    }
    if encoder is not None:
        told["teacher"] = encoder.teacher.name
        told["teacher_dtype"] = encoder.teacher.precision
        told["teacher_versions"] = encoder.teacher.versions
    return compiled(given.start, outcome.rows, given.dims, options=given.options, told=told)
