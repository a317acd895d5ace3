"""Labels: what a cross-encoder gives each positive and its hard negatives, kept on disk as it goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import HubError, InputError, MissingExtraError, ModelFileError
from pumice.hub import TRANSFORMER, fetch, is_repository_id
from pumice.teachers.quiet import quiet
from pumice.train.lanes import processors
from pumice.train.pairs import Pair, checked_pairs
from pumice.train.score_cache import ScoreCache, Texts

_BATCH = 32
_LISTS = 32
"""Pairs whose lists are scored and kept together: what a kill costs at most."""
_MOST = 1e6

Lists = Sequence[Sequence[Texts]]
"""For each pair, its anchor with its positive, then with each of its negatives."""
Scored = Callable[[int, int], None]
"""Called with (lists done, lists in all)."""


@dataclass(frozen=True)
class CrossEncoder:
    """A sentence-transformers CrossEncoder with one output; scores are its logits, before any sigmoid."""

    name: str
    model: Any
    identity: str
    """A fingerprint of its files: what a score is kept under."""
    threads: int

    def scores(self, texts: Sequence[Texts]) -> NDArray[np.float32]:
        """One for each query and passage. Raises ModelFileError where one is not a finite number."""
        import torch

        before = torch.get_num_threads()
        try:
            torch.set_num_threads(self.threads)
            made = self.model.predict(
                list(texts),
                batch_size=_BATCH,
                activation_fn=torch.nn.Identity(),
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        except Exception as error:  # the library raises whatever its models do
            reason = str(error).strip().split("\n")[0]
            raise ModelFileError(f"cross-encoder {self.name} cannot score: {reason}") from error
        finally:
            torch.set_num_threads(before)
        scores = np.asarray(made, np.float32).reshape(-1)
        usable = np.abs(scores) <= _MOST  # not a number is not
        if len(scores) != len(texts) or not usable.all():
            number = int(np.argmin(usable))
            query = texts[number][0][:40]
            raise ModelFileError(
                f"cross-encoder {self.name} gives {scores[number]} to a passage for {query!r}: "
                "scores must be numbers from -1e6 to 1e6"
            )
        return scores


def load_cross_encoder(
    name: str | os.PathLike[str],
    *,
    device: str = "cpu",
    offline: bool = False,
    threads: int | None = None,
) -> CrossEncoder:
    """A local folder, else a hub id, the cache first. Raises HubError, ModelFileError, MissingExtraError."""
    folder = _folder(name, offline=offline)
    try:
        import sentence_transformers
        import torch
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "train") from error
    try:
        with quiet():
            model = sentence_transformers.CrossEncoder(
                str(folder),
                device=device,
                local_files_only=True,
                model_kwargs={"dtype": torch.float32},
            )
        labels = model.num_labels
    except Exception as error:  # loaders raise whatever their file formats' libraries do
        reason = str(error).strip().split("\n")[0]
        raise ModelFileError(f"cross-encoder {name} cannot be loaded: {reason}") from error
    if labels != 1:
        raise ModelFileError(
            f"cross-encoder {name} gives {labels} numbers for a pair: take one that ranks, with 1"
        )
    model.eval()
    return CrossEncoder(str(name), model, _identity(folder), threads or processors())


def label_pairs(
    pairs: Sequence[Pair],
    *,
    cross_encoder: CrossEncoder | str,
    cache: str | os.PathLike[str] | None = None,
) -> list[Pair]:
    """The pairs, those with negatives with scores: the positive's, then each negative's.

    ``cache`` is a folder that keeps scores by model and texts: a call that was killed goes on from there.
    Raises InputError for what is no pair.
    """
    pairs = checked_pairs(pairs)
    if isinstance(cross_encoder, str):
        cross_encoder = load_cross_encoder(cross_encoder)
    numbers = [number for number, pair in enumerate(pairs) if pair.negatives]
    lists = [
        [(pairs[n].anchor, text) for text in (pairs[n].positive, *pairs[n].negatives)]
        for n in numbers
    ]
    made = list(pairs)
    with TemporaryDirectory() if cache is None else nullcontext(os.fspath(cache)) as folder:
        kept = ScoreCache(Path(folder), cross_encoder.identity)
        for number, scores in zip(numbers, score_lists(lists, cross_encoder, kept), strict=True):
            made[number] = replace(pairs[number], scores=tuple(scores))
    return made


def score_lists(
    lists: Lists, cross_encoder: CrossEncoder, cache: ScoreCache, *, progress: Scored | None = None
) -> list[list[float]]:
    """The scores of every list, from the cache or the model, what is new kept every few lists.

    Which texts share a forward pass depends on the lists and on what the cache held, and never on where an
    earlier run was killed: such a run's scores are the same to the last bit.
    """
    for low in range(0, len(lists), _LISTS):
        missing = cache.missing(one for texts in lists[low : low + _LISTS] for one in texts)
        if missing:
            cache.add(missing, cross_encoder.scores(missing).tolist())
        if progress is not None:
            progress(min(low + _LISTS, len(lists)), len(lists))
    return [[cache.score(one) for one in texts] for texts in lists]


def _folder(name: str | os.PathLike[str], *, offline: bool) -> Path:
    path = Path(name)
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelFileError(f"cross-encoder {name}: no config.json: not a model's folder")
        return path
    if path.exists():
        raise InputError(f"cross-encoder {name} is a file: give the folder with its config.json")
    if not is_repository_id(str(name)) or str(name).startswith("."):
        raise HubError(f"cross-encoder {name} does not exist: give a folder or a Hugging Face id")
    return fetch(str(name), files=TRANSFORMER, offline=offline)


def _identity(folder: Path) -> str:
    digest = blake2b(digest_size=16)
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".json", ".safetensors", ".txt", ".model") and path.is_file():
            digest.update(repr((path.relative_to(folder).as_posix(), path.stat().st_size)).encode())
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
