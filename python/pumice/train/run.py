"""One training run from its pairs to a finished model, its figures and its card."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pumice.errors import InputError, MissingExtraError
from pumice.modelfile.parts import Metadata
from pumice.train.initial import starting_dims, starting_table
from pumice.train.options import TrainOptions
from pumice.train.sources import Source, listed_sources

if TYPE_CHECKING:
    from pumice.model import StaticModel
    from pumice.train.dataset import TokenizedSource
    from pumice.train.figures import Figure

_DEFAULTS = TrainOptions()


@dataclass(frozen=True)
class Training:
    """A finished run."""

    model: StaticModel
    """The best measured state, its rows stored as ``dtype`` says."""
    figures: list[Figure]
    """Of ``model`` itself, on every set at every prefix."""
    first_figures: list[Figure]
    """Of the rows that training started from."""
    history: dict[str, Any]
    """"losses": [step, mean loss] of every step; "evaluations": step and figures; "best_step"."""
    stopped: str
    """Why the run ended before its last step; empty where it did not."""
    diverged: bool
    """The loss was no longer a number."""
    card: str
    """Markdown for people: data, settings, figures."""
    pairs_per_second: float

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model, its card (.md) and the plot of its training (.svg) beside it."""
        from pumice.modelfile.writing import checked_path, write_whole
        from pumice.train.plot import draw

        target = checked_path(path, what="path")
        plot = target.with_suffix(".svg")
        card = self.card.replace("(training.svg)", f"({plot.name.replace(' ', '%20')})")
        drawn = draw(self.history)
        self.model.save(target)
        write_whole(plot, drawn)
        write_whole(target.with_suffix(".md"), card.encode())


def train(
    pairs: str | os.PathLike[str] | Source | Iterable[str | os.PathLike[str] | Source],
    *,
    start: StaticModel | None = None,
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
    ``folder`` keeps the run's state: the same call with the same folder goes on where a killed one was, to
    the same result, and removes the folder when it is done. Raises InputError, ModelFileError, and
    MissingExtraError without ``pip install "pumice[train]"``.
    """
    if not isinstance(options, TrainOptions):
        raise InputError(f"options is {type(options).__name__}: give TrainOptions")
    sources = listed_sources(pairs)
    folders = [Path(one) for one in _listed(evaluation)]
    for one in folders:
        if not one.is_dir():
            raise InputError(f"{one}: no such folder to evaluate on")
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", "train") from error
    device = _checked_device(options.device)
    from pumice.loading import load
    from pumice.train.tokens import TokenMemory

    start = load() if start is None else start
    dims = tuple(sorted(options.dims or starting_dims(start)))
    kept = None if folder is None else Path(folder)
    if kept is not None and not kept.parent.is_dir():
        raise InputError(f"{kept.parent}: no such folder to keep the run in: make it first")
    # Beside the run's state, so that what a killed run leaves goes when the run is done.
    files = Path(tempfile.mkdtemp(prefix="pumice-")) if kept is None else kept / "tokens"
    memory = TokenMemory(options.tokens_in_memory, files)
    threads_before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)  # the lanes are the threads
        return _trained(
            _Given(sources, folders, start, dims, kept, replace(options, device=device)), memory
        )
    finally:
        torch.set_num_threads(threads_before)
        memory.close()
        if kept is None:
            shutil.rmtree(files, ignore_errors=True)
        else:
            with suppress(OSError):  # it holds a state, or was never made
                kept.rmdir()


@dataclass(frozen=True)
class _Given:
    sources: list[Source]
    folders: list[Path]
    start: StaticModel
    dims: tuple[int, ...]
    """Ascending."""
    kept: Path | None
    options: TrainOptions


def _trained(given: _Given, memory: Any) -> Training:
    from pumice.train.card import Story, write_card
    from pumice.train.checkpoint import RunFolder
    from pumice.train.dataset import fingerprint, token_counts, tokenize_sources
    from pumice.train.figures import held_out_sets, mean_ndcg, measure, read_beir
    from pumice.train.lanes import Lanes, processors
    from pumice.train.loop import Loop
    from pumice.train.stages import Stages

    options, start = given.options, given.start
    beir = [read_beir(folder, start) for folder in given.folders]
    data = tokenize_sources(given.sources, start, options, memory)
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
        stages = Stages(given.sources, options, threads=threads, folder=given.kept)
        data = stages(data, table[:, : start.dimensions])
    asked = options.label_loss is not None or options.label_weight is not None
    if asked and not any(source.negatives.scored.any() for source in data):
        raise InputError(
            "label_loss or label_weight is given, and no pair has scores to learn: "
            "give a cross_encoder, or pairs with negatives and scores"
        )
    run_folder = None
    if given.kept is not None:
        run_folder = RunFolder(
            given.kept,
            {
                **options.settings(),
                "dims": list(given.dims),
                "threads": threads,
                "start": start.fingerprint,
                "pairs": fingerprint(data),
                "evaluation": [one.name for one in beir],
            },
        )
    with Lanes(threads if options.device == "cpu" else 1) as lanes:
        loop = Loop(table, data, given.dims, options=options, lanes=lanes)
        judges = beir or sets
        outcome = loop.run(sets, judges=judges, folder=run_folder)
        model = _compiled(given, data, outcome.rows, stopped=outcome.stopped)
        import torch

        stored = starting_table(model.parts(), dim=given.dims[-1], seed=options.seed)
        final = torch.from_numpy(stored).to(options.device)
        figures = measure(final, sets, given.dims, lanes=lanes) if sets else []
    story = Story(
        model=model,
        start=start.name or str(start.metadata.get("source", "")),
        data=data,
        settings=options.settings(),
        history=outcome.history,
        figures=figures,
        stopped=outcome.stopped,
    )
    if options.progress is not None and figures:
        judged = [figure for figure in figures if figure.name in {one.name for one in judges}]
        last = len(outcome.history["losses"])
        options.progress(last, last, f"the finished model: nDCG@10 {mean_ndcg(judged):.4f}")
    training = Training(
        model=model,
        figures=figures,
        first_figures=outcome.first_figures,
        history=outcome.history,
        stopped=outcome.stopped,
        diverged=outcome.diverged,
        card=write_card(story),
        pairs_per_second=outcome.pairs_per_second,
    )
    if run_folder is not None:
        run_folder.remove()
    return training


def _compiled(
    given: _Given, data: Sequence[TokenizedSource], rows: Any, *, stopped: str
) -> StaticModel:
    from pumice.model import StaticModel

    options, before = given.options, given.start.parts()
    described = before.metadata
    provenance = {
        "method": "contrastive training",
        "start": {"name": described.name, "fingerprint": given.start.fingerprint},
        "start_provenance": described.provenance,
        "sources": [{"name": s.name, "weight": s.weight, **s.counts} for s in data],
        "settings": {**options.settings(), "dims": list(given.dims)},
        "stopped": stopped,
        "versions": {"numpy": np.__version__, "torch": _torch_version()},
    }
    metadata = Metadata(
        name=options.name,
        license=options.license,
        source=described.source,
        languages=described.languages,
        prefixes=given.dims,
        provenance=provenance,
    )
    parts = replace(
        before,
        embeddings=rows,
        token_weights=None,
        token_rows=None,
        row_scales=None,
        normalize=True,
        metadata=metadata,
    )
    return StaticModel.from_parts(parts, dtype=options.dtype)


def _listed(evaluation: Any) -> Sequence[str | os.PathLike[str]]:
    if isinstance(evaluation, (str, os.PathLike)):
        return [evaluation]
    return list(evaluation)


def _checked_device(name: str) -> str:
    import torch

    try:
        torch.zeros(1, device=name)
    except Exception as error:  # AssertionError, RuntimeError: each backend its own
        reason = str(error).strip().split("\n")[0].split(". ")[0]
        raise InputError(f"device {name}: {reason}: use cpu") from None
    return name


def _torch_version() -> str:
    import torch

    return str(torch.__version__)
