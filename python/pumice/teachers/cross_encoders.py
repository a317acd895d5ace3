"""Cross-encoders: transformers that read a question and a passage together, and give one score."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import HubError, InputError, MissingExtraError, ModelFileError
from pumice.hub import TRANSFORMER, fetch, is_repository_id
from pumice.teachers.quiet import quiet

_BATCH = 32
_MOST = 1e6


@dataclass(frozen=True)
class CrossEncoder:
    """A sentence-transformers CrossEncoder with one output; scores are its logits, before any sigmoid."""

    name: str
    model: Any
    identity: str
    """A fingerprint of its files: what a score is kept under."""
    threads: int | None
    """Of a call; None: as many as torch is set to."""

    def scores(self, texts: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """One for each query and passage. Raises ModelFileError where one is not a finite number."""
        import torch

        before = torch.get_num_threads()
        try:
            torch.set_num_threads(self.threads or before)
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
        raise MissingExtraError("sentence-transformers", "distill") from error
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
    return CrossEncoder(str(name), model, _identity(folder), threads)


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
