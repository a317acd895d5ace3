"""Finds the folder of a teacher and reads its model card; loads no model."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pumice.errors import HubError, InputError
from pumice.hub import TRANSFORMER, fetch

_GIVE = "give a folder or a Hugging Face id"


def teacher_folder(teacher: str | Path, *, offline: bool) -> Path:
    """Find the folder of a teacher: a local path, else a hub id, the cache first."""
    if not isinstance(teacher, (str, os.PathLike)):
        hint = "save it, and give the folder" if hasattr(teacher, "encode") else _GIVE
        raise InputError(f"teacher is of type {type(teacher).__name__}: {hint}")
    if not str(teacher):
        raise InputError(f"teacher is empty: {_GIVE}")
    local = Path(teacher)
    if local.is_dir():
        return local
    if local.exists():
        raise InputError(f"teacher {teacher} is a file: give the folder with its config.json")
    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", str(teacher)):
        raise HubError(f"teacher {teacher} does not exist: {_GIVE}")
    return fetch(str(teacher), files=TRANSFORMER, offline=offline)


def read_card(folder: Path) -> Mapping[str, Any]:
    """Read the YAML header of the teacher's README.md; empty if there is none."""
    from huggingface_hub import metadata_load

    readme = folder / "README.md"
    if not readme.is_file():
        return {}
    try:
        return metadata_load(readme) or {}
    except Exception:  # a card is for people: a broken header must not stop a distillation
        return {}
