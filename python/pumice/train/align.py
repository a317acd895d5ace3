"""One alignment from texts and a teacher to a finished model of queries, its figures and its card."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumice.errors import InputError
from pumice.train.align_options import AlignOptions
from pumice.train.finished import called, compiled, counting, finished
from pumice.train.initial import starting_table
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

_DEFAULTS = AlignOptions()


def align(
    pairs: str | os.PathLike[str] | Source | Iterable[str | os.PathLike[str] | Source],
    *,
    teacher: str | os.PathLike[str],
    start: StaticModel | None = None,
    evaluation: Sequence[str | os.PathLike[str]] = (),
    folder: str | os.PathLike[str] | None = None,
    options: AlignOptions = _DEFAULTS,
) -> Training:
    """Make a static model of queries for the vectors that a transformer gives documents.

    The anchors of ``pairs`` are queries and the positives documents, in what `train` takes; a text that is
    its own positive is fitted alone (`pumice.train.queries.pairs_of_corpus` makes such, and queries, of a
    corpus). ``teacher`` is the sentence-transformers or Hugging Face model that encodes the documents; the
    finished model knows it by name and weights, and `StaticModel.encode_documents` asks it. ``start`` is any
    static model, best `pumice.distill(teacher, dim=None)`; its rows are turned to the teacher's space first.
    None is the shipped model. ``evaluation`` and ``folder`` are as `train` has them: figures are of static
    queries over the teacher's documents, beside the teacher's own queries. Raises InputError, HubError,
    ModelFileError, and MissingExtraError without ``pip install "pumice[train]"``.
    """
    if not isinstance(options, AlignOptions):
        raise InputError(f"options is {type(options).__name__}: give AlignOptions")
    sources = listed_sources(pairs)
    folders = evaluation_folders(evaluation)
    check_torch()
    device = checked_device(options.device)
    from pumice.loading import load

    start = counting(load() if start is None else start, options)
    with workplace(folder, options) as place:
        options = replace(options, device=device)
        return _aligned(_Given(sources, teacher, folders, start, options), place)


@dataclass(frozen=True)
class _Given:
    sources: list[Source]
    teacher: str | os.PathLike[str]
    folders: list[Path]
    start: StaticModel
    options: AlignOptions


def _aligned(given: _Given, place: Workplace) -> Training:
    import torch

    from pumice.train.alignment import Alignment, AlignmentJudge, kept_share
    from pumice.train.alignment_data import aligned_sets, held_out_queries, load_sides, turned_table
    from pumice.train.card import Story, pair_lines
    from pumice.train.checkpoint import RunFolder
    from pumice.train.dataset import fingerprint, tokenize_sources
    from pumice.train.evaluation_sets import read_beir_texts
    from pumice.train.lanes import lanes_for, processors
    from pumice.train.loop import Loop
    from pumice.train.taught import taught_pairs

    options, start = given.options, given.start
    beir = [read_beir_texts(folder) for folder in given.folders]
    threads = options.threads or processors()
    sides = load_sides(given.teacher, options, place, threads=threads)
    dims = sides.dims
    data = tokenize_sources(given.sources, start, options, place.memory)
    taught = taught_pairs(given.sources, data, (sides.queries, sides.documents), options)
    sets = aligned_sets(beir, start, sides)
    run_folder = RunFolder.of(
        place.kept,
        options,
        dims=dims,
        threads=threads,
        run={
            "start": start.fingerprint,
            "pairs": fingerprint(data),
            "teacher": [side.encoder.identity for side in (sides.queries, sides.documents)],
            "evaluation": [one.name for one in beir],
        },
    )
    with lanes_for(options, threads) as lanes:
        table = turned_table(start, data, taught, lanes=lanes, seed=options.seed)
        objective = Alignment(data, taught, dims, options=options, lanes=lanes)
        judge = AlignmentJudge(sets, held_out_queries(data, taught), dims, lanes)
        watched = judge if sets or len(judge.held_out.texts) else None
        loop = Loop(table, objective, dims, options=options, lanes=lanes)
        outcome = loop.run(watched, folder=run_folder)
        encoder = sides.queries.encoder
        told: dict[str, Any] = {
            "method": "alignment to a transformer's vectors",
            "teacher": encoder.teacher.name,
            "teacher_dtype": encoder.teacher.precision,
            "teacher_versions": encoder.teacher.versions,
            "sources": [{"name": s.name, "weight": s.weight, **s.counts} for s in data],
            "settings": {**options.settings(), "dims": list(dims)},
            "stopped": outcome.stopped,
        }
        model = compiled(
            start,
            outcome.rows,
            dims,
            options=options,
            told=told,
            documents=sides.document_encoder,
        )
        stored = starting_table(model.parts(), dim=dims[-1], seed=options.seed)
        final = None if watched is None else judge.measure(torch.from_numpy(stored))
    teachers = judge.teacher_figures()
    figures = [] if final is None else [*final.figures, *teachers]
    kept = kept_share(figures)
    story = Story(
        model=model,
        trained=f"Started from {called(start)}; its queries aligned to the vectors of "
        f"{encoder.teacher.name}, computed in {encoder.teacher.precision}",
        data=list(pair_lines(data)),
        settings=options.settings(),
        history={**outcome.history, "agreement": "mean cosine"},
        figures=figures,
        stopped=outcome.stopped,
        agreement=[] if final is None else final.agreement,
        documents=sides.document_encoder,
    )
    line = ""
    if final is not None:
        line = f"the finished model: {judge.measure_name} {final.judged:.4f}"
        if kept is not None:
            line += f", {kept:.1%} of the teacher's"
    return finished(outcome, story, folder=run_folder, options=options, line=line)
