"""One regression from a corpus and a teacher to a finished model, its figures and its card."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumice.errors import InputError
from pumice.train.corpus import corpus_files
from pumice.train.finished import called, compiled, counting, finished
from pumice.train.initial import starting_dims, starting_table
from pumice.train.regress_options import RegressOptions
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
    from pumice.train.corpus_texts import CorpusTexts
    from pumice.train.regression import FittedTexts

_DEFAULTS = RegressOptions()


def regress(
    corpus: Any,
    *,
    teacher: str | os.PathLike[str],
    start: StaticModel | None = None,
    evaluation: Sequence[str | os.PathLike[str]] = (),
    folder: str | os.PathLike[str] | None = None,
    options: RegressOptions = _DEFAULTS,
) -> Training:
    """Fit a static model to a teacher's vectors of a corpus's texts, at every prefix at once.

    ``corpus`` are files, folders and ids of Hugging Face datasets, as `pumice.train.corpus.read_documents`
    takes them; of any size, since neither strings nor teacher vectors stay in memory. ``teacher`` is a
    sentence-transformers or Hugging Face model. ``start`` is any static model, best `pumice.distill(teacher,
    dim=None)`; its rows are turned towards the teacher first. None is the shipped model. ``evaluation`` and
    ``folder`` are as `train` has them; a killed run goes on in its folder with no more than a few
    thousand texts to read by the teacher again. The idea is tokenlearn's (Minish Lab 2024). Raises InputError,
    HubError, ModelFileError, and MissingExtraError without ``pip install "pumice[train]"``.
    """
    if not isinstance(options, RegressOptions):
        raise InputError(f"options is {type(options).__name__}: give RegressOptions")
    corpus = corpus_files(corpus)
    folders = evaluation_folders(evaluation)
    check_torch()
    device = checked_device(options.device)
    from pumice.loading import load

    start = counting(load() if start is None else start, options)
    with workplace(folder, options) as place:
        return _regressed(
            _Given(corpus, teacher, folders, start, replace(options, device=device)), place
        )


@dataclass(frozen=True)
class _Given:
    corpus: list[str]
    teacher: str | os.PathLike[str]
    folders: list[Path]
    start: StaticModel
    options: RegressOptions

    def strings(self) -> Iterator[str]:
        """The corpus's texts, from the first."""
        from pumice.train.corpus_texts import document_texts

        roles = ("text", "title", "anchor", "positive")
        columns = {role: name for role, name in self.options.columns.items() if role in roles}
        return document_texts(self.corpus, columns=columns, max_tokens=self.options.max_tokens)

    def tell(self, line: str) -> None:
        """To whoever watches."""
        if self.options.progress is not None:
            self.options.progress(0, 0, line)


def _regressed(given: _Given, place: Workplace) -> Training:
    import torch

    from pumice.train.card import Story
    from pumice.train.checkpoint import RunFolder
    from pumice.train.corpus_texts import tokenize_corpus
    from pumice.train.evaluation_sets import read_beir
    from pumice.train.figures import mean_ndcg
    from pumice.train.fitting import fitted_texts
    from pumice.train.lanes import lanes_for, processors
    from pumice.train.loop import Loop
    from pumice.train.regression import AgreementJudge, Regression, agreement_name
    from pumice.train.taught import Reader, load_encoder

    options, start = given.options, given.start
    beir = [read_beir(folder, start) for folder in given.folders]
    encoder = load_encoder(given.teacher, options)
    dims = _dims(given, width=encoder.teacher.width)
    read = tokenize_corpus(
        given.strings(), start, max_tokens=options.max_tokens, memory=place.memory
    )
    given.tell(
        f"corpus: {len(read.texts):,} texts; dropped {read.duplicates:,} duplicates; "
        f"teacher {encoder.teacher.name} in {encoder.teacher.precision}"
    )
    threads = options.threads or processors()
    run_folder = RunFolder.of(
        place.kept,
        options,
        dims=dims,
        threads=threads,
        run={
            "start": start.fingerprint,
            "teacher": encoder.identity,
            "corpus": read.digest,
            "evaluation": [one.name for one in beir],
        },
    )
    reader = Reader.of(encoder, options, threads=threads, kept=place.kept, files=place.files)
    reader.read(given.strings, read.windows)
    with lanes_for(options, threads) as lanes:
        fitted, table = fitted_texts(start, read, reader, dims=dims, options=options, lanes=lanes)
        objective = Regression(fitted, dims, options=options, lanes=lanes)
        loop = Loop(table, objective, dims, options=options, lanes=lanes)
        judge = AgreementJudge(fitted, beir, dims, loss=options.loss, lanes=lanes)
        watched = beir or len(fitted.held_out) > 2
        outcome = loop.run(judge if watched else None, folder=run_folder)
        told = {
            "method": "regression on a teacher's vectors",
            "teacher": encoder.teacher.name,
            "teacher_dtype": encoder.teacher.precision,
            "teacher_versions": encoder.teacher.versions,
            "corpus": [
                Path(one).name if os.path.exists(one) else one for one in given.corpus[:100]
            ],
            "texts": len(read.texts),
            "settings": {**options.settings(), "dims": list(dims)},
            "stopped": outcome.stopped,
        }
        model = compiled(start, outcome.rows, dims, options=options, told=_jsonable(told))
        stored = starting_table(model.parts(), dim=dims[-1], seed=options.seed)
        final = judge.measure(torch.from_numpy(stored).to(options.device)) if watched else None
    figures = final.figures if final else []
    story = Story(
        model=model,
        trained=f"Started from {called(start)}; regression on the vectors of teacher "
        f"{encoder.teacher.name}, computed in {encoder.teacher.precision}, by the {options.loss} loss",
        data=list(_data_lines(given, read, fitted)),
        settings=options.settings(),
        history={**outcome.history, "agreement": agreement_name(options.loss)},
        figures=figures,
        stopped=outcome.stopped,
        agreement=final.agreement if final else [],
    )
    line = f"the finished model: {judge.measure_name} {final.judged:.4f}" if final else ""
    if figures:
        line = f"the finished model: nDCG@10 {mean_ndcg(figures):.4f}"
    return finished(outcome, story, folder=run_folder, options=options, line=line)


def _dims(given: _Given, *, width: int) -> tuple[int, ...]:
    """Ascending; those of the start that the teacher has too, where none are asked for."""
    asked = given.options.dims
    if asked is None:
        dims = tuple(dim for dim in starting_dims(given.start) if dim <= width)
        return dims or (width,)
    if max(asked) > width:
        raise InputError(
            f"dims asks for {max(asked)} but the teacher has {width} dimensions: ask for at most {width}"
        )
    return tuple(sorted(asked))


def _data_lines(given: _Given, read: CorpusTexts, fitted: FittedTexts) -> Iterator[str]:
    from pumice.train.card import cell

    listed = [Path(one).name if os.path.exists(one) else one for one in given.corpus]
    more = f" and {len(listed) - 10:,} more files" if len(listed) > 10 else ""
    unknown = len(read.texts) - len(fitted.train) - len(fitted.held_out)
    yield f"Texts of {', '.join(cell(one) for one in listed[:10])}{more}."
    yield ""
    yield "| texts trained on | held out | duplicates dropped | without a known token |"
    yield "|---|---|---|---|"
    yield f"| {len(fitted.train):,} | {len(fitted.held_out):,} | {read.duplicates:,} | {unknown:,} |"


def _jsonable(told: dict[str, Any]) -> dict[str, Any]:
    """Without what UTF-8 cannot carry: a file's name may be any bytes."""
    return {**told, "corpus": [n.encode("utf-8", "replace").decode() for n in told["corpus"]]}
