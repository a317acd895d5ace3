"""What an alignment is made from: both sides of a teacher, its vectors of all texts, starting rows."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.model import StaticModel
from pumice.modelfile.parts import DocumentEncoder
from pumice.teachers.files import teacher_folder, weights_fingerprint
from pumice.teachers.sentences import SentenceEncoder
from pumice.train.align_options import AlignOptions
from pumice.train.alignment import AlignedSet, HeldOutQueries
from pumice.train.dataset import TokenizedSource
from pumice.train.evaluation_sets import BeirTexts, tokenized
from pumice.train.figures import embed
from pumice.train.initial import starting_table
from pumice.train.lanes import Lanes
from pumice.train.projection import turned
from pumice.train.taught import Reader, TaughtPairs, load_encoder, taught_texts
from pumice.train.tokens import Texts
from pumice.train.workplace import Workplace

_SAMPLED = 100_000
"""Queries that the starting rows are turned by, at most."""
_QUERY, _DOCUMENT = ("query",), ("document", "passage", "corpus")
"""The names of prompts that sentence-transformers looks for, in its order."""


@dataclass(frozen=True)
class Sides:
    """A teacher as it reads queries and as it reads documents: one reader where that is the same."""

    queries: Reader
    documents: Reader
    whole: tuple[Reader, Reader]
    """The same two, of texts as long as the teacher itself reads them: for what is measured."""
    document_encoder: DocumentEncoder
    dims: tuple[int, ...]
    """Ascending, the last of them the teacher's."""


def load_sides(
    teacher: str | os.PathLike[str], options: AlignOptions, place: Workplace, *, threads: int
) -> Sides:
    """Load a teacher with its prompts. Raises HubError, ModelFileError and MissingExtraError."""
    local = os.path.isdir(teacher)
    folder = teacher_folder(Path(teacher) if local else str(teacher), offline=options.offline)
    prompts = _prompts(folder)
    asked = (
        _prompt(options.query_prompt, _QUERY, prompts),
        _prompt(options.document_prompt, _DOCUMENT, prompts),
    )

    def reader(encoder: SentenceEncoder) -> Reader:
        return Reader.of(encoder, options, threads=threads, kept=place.kept, files=place.files)

    def whole(one: Reader) -> Reader:
        loaded = one.encoder.teacher
        if loaded.cut_at <= (options.teacher_tokens or options.max_tokens):
            return one
        return reader(SentenceEncoder(loaded, max_tokens=loaded.cut_at))

    encoder = load_encoder(teacher, options, prompt=asked[0])
    dims = _dims(options, width=encoder.teacher.width)  # before anything is written
    queries = documents = reader(encoder)
    if asked[0] != asked[1]:
        documents = reader(load_encoder(teacher, options, prompt=asked[1]))
    return Sides(
        queries,
        documents,
        (whole(queries), whole(documents)),
        DocumentEncoder(
            name=os.path.abspath(teacher) if local else str(teacher),
            fingerprint=weights_fingerprint(folder),
            prompt=documents.encoder.teacher.prompt,
        ),
        dims,
    )


def aligned_sets(read: Sequence[BeirTexts], start: StaticModel, sides: Sides) -> list[AlignedSet]:
    """Evaluation sets, their documents read by the teacher."""
    return [
        AlignedSet(
            name=one.name,
            queries=tokenized(one.queries, start),
            teacher_queries=torch.from_numpy(taught_texts(one.queries, sides.whole[0])),
            documents=torch.from_numpy(taught_texts(one.documents, sides.whole[1])),
            relevant=one.relevant,
        )
        for one in read
    ]


def held_out_queries(
    data: Sequence[TokenizedSource], taught: Sequence[TaughtPairs]
) -> HeldOutQueries:
    """Those of all sources."""
    texts = [source.anchors.subset(source.held_out) for source in data]
    vectors = [
        side.queries[side.anchors[source.held_out]]
        for source, side in zip(data, taught, strict=True)
    ]
    return HeldOutQueries(
        joined(texts), torch.from_numpy(np.concatenate(vectors).astype(np.float32))
    )


def turned_table(
    start: StaticModel,
    data: Sequence[TokenizedSource],
    taught: Sequence[TaughtPairs],
    *,
    lanes: Lanes,
    seed: int,
) -> NDArray[np.float32]:
    """The start's rows, mapped so that queries come as near to the teacher's vectors as a linear map goes."""
    table = starting_table(start.parts(), dim=start.dimensions, seed=seed)
    total = sum(len(source.train) for source in data)
    texts, goals = [], []
    for source, side in zip(data, taught, strict=True):
        chosen = source.train[:: -(-total // _SAMPLED)]
        texts.append(source.anchors.subset(chosen))
        goals.append(side.queries[side.anchors[chosen]].astype(np.float32))
    pooled = embed(torch.from_numpy(table), joined(texts), lanes=lanes).numpy()
    return turned(table, pooled, np.concatenate(goals))


def joined(texts: Sequence[Texts]) -> Texts:
    """Texts one after another."""
    lengths = np.concatenate([np.zeros(1, np.int64), *(one.lengths for one in texts)])
    return Texts(
        np.concatenate([one.ids for one in texts]),
        np.cumsum(lengths),
        np.concatenate([one.hashes for one in texts]),
        texts[0].counting,
    )


def _dims(options: AlignOptions, *, width: int) -> tuple[int, ...]:
    """Ascending, the last of them the teacher's: only whole vectors are compared with its documents'."""
    if options.dims is None:
        return (width,)
    if max(options.dims) != width:
        raise InputError(
            f"dims asks for {max(options.dims)} and the teacher's vectors, which documents keep, have "
            f"{width} dimensions: the largest of dims must be {width}"
        )
    return tuple(sorted(options.dims))


def _prompts(folder: Path) -> dict[str, str]:
    """A sentence transformer's prompts by name."""
    path = folder / "config_sentence_transformers.json"
    if not path.exists():
        return {}
    try:
        prompts = json.loads(path.read_text(encoding="utf-8")).get("prompts") or {}
        return {str(name): str(prompt) for name, prompt in prompts.items()}
    except (OSError, ValueError, RecursionError, AttributeError):
        raise InputError(f"{path}: cannot be read as JSON with prompts by name") from None


def _prompt(asked: str | None, names: Sequence[str], prompts: dict[str, str]) -> str | None:
    """What was asked for, else the first of these names, else None: the default one."""
    if asked is not None:
        return asked
    return next((prompts[name] for name in names if prompts.get(name)), None)
