"""pumice.load: the shipped model, a .pumice file, a folder, or a hub id."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pumice.document_side import DocumentPlace
from pumice.errors import HubError, InputError, ModelFileError
from pumice.model import StaticModel
from pumice.modelfile.compiler import compile_model
from pumice.modelfile.reader import ModelFile

SHIPPED = "pumice-base-en"


def shipped_path() -> Path:
    """The file of the model that comes with the package."""
    return Path(__file__).parent / "models" / f"{SHIPPED}.pumice"


def load(
    model: str | os.PathLike[str] | None = None,
    *,
    offline: bool = False,
    revision: str | None = None,
    document_encoder: str | os.PathLike[str] | None = None,
) -> StaticModel:
    """Load a model.

    ``model`` is a .pumice file (mapped, not copied), a model2vec or sentence-transformers folder (compiled in
    memory), a hub id such as ``minishlab/potion-base-8M`` (from the cache if it is there, else fetched, never
    when ``offline``), or None for the shipped model. ``revision`` pins a hub id to a branch, tag or commit.
    ``document_encoder`` is the folder of a query model's transformer, where it no longer lies under its own
    name; nothing of it is read before `StaticModel.encode_documents` is asked. Raises InputError,
    ModelFileError or HubError.
    """
    file = _opened(model, offline=offline, revision=revision)
    if document_encoder is None:
        return StaticModel(file, documents=DocumentPlace(offline=offline))
    if file.document_encoder is None:
        raise InputError(
            "document_encoder is given, and the model encodes documents itself: leave it out"
        )
    if not isinstance(document_encoder, (str, os.PathLike)) or not os.path.isdir(document_encoder):
        raise InputError(f"document_encoder {document_encoder}: no such folder")
    return StaticModel(file, documents=DocumentPlace(os.fspath(document_encoder), offline))


def _opened(model: Any, *, offline: bool, revision: str | None) -> ModelFile:
    if model is None:
        return ModelFile.open(shipped_path())
    if not isinstance(model, (str, os.PathLike)):
        raise InputError(f"model is {type(model).__name__}: pass a path, a hub id or nothing")
    path = Path(model)
    if not os.fspath(model):
        raise InputError('model is "": pass a path, a hub id or nothing')
    if revision is not None and path.exists():
        raise InputError(f"{path}: revision={revision!r} is for hub ids, and this is a local path")
    if path.is_file():
        return ModelFile.open(path)
    if path.is_dir():
        return load_folder(path)
    name = os.fspath(model)
    from pumice import hub

    if name == SHIPPED:
        return ModelFile.open(shipped_path())
    if path.suffix == ".pumice" or not hub.is_repository_id(name):
        raise HubError(f"{name}: no such file or folder, and not a hub id (owner/name)")
    return load_folder(hub.fetch(name, revision=revision, offline=offline), name=name)


def load_folder(folder: Path, *, name: str | None = None) -> ModelFile:
    """A folder's model: its one .pumice file, or what model2vec or sentence-transformers saved there."""
    from pumice.modelfile.folders import read_folder

    files = sorted(folder.glob("*.pumice"))
    if len(files) > 1:
        listed = ", ".join(file.name for file in files)
        raise ModelFileError(f"{folder}: more than one model ({listed}): name the file")
    if files:
        return ModelFile.open(files[0])
    parts = read_folder(folder)
    if name is not None:
        from dataclasses import replace

        parts = replace(parts, metadata=replace(parts.metadata, name=name))
    return ModelFile.from_bytes(compile_model(parts))
