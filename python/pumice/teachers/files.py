"""Finds the folder of a teacher and reads its model card; loads no model."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pumice.errors import HubError, InputError, ModelFileError
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
        if not any((local / file).is_file() for file in ("config.json", "modules.json")):
            raise ModelFileError(f"{teacher}: no config.json: not a model's folder")
        return local
    if local.exists():
        raise InputError(f"teacher {teacher} is a file: give the folder with its config.json")
    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", str(teacher)):
        raise HubError(f"teacher {teacher} does not exist: {_GIVE}")
    return fetch(str(teacher), files=TRANSFORMER, offline=offline)


def weights_fingerprint(folder: Path) -> str:
    """Hex digest of the weights in a model's folder: its .safetensors files, else its .bin files."""
    for pattern in ("*.safetensors", "*.bin"):
        if files := sorted(path for path in folder.rglob(pattern) if path.is_file()):
            break
    else:
        raise ModelFileError(f"{folder}: no weights there (.safetensors or .bin)")
    digest = blake2b(digest_size=16)
    for path in files:
        digest.update(repr((path.relative_to(folder).as_posix(), path.stat().st_size)).encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def teacher_name(teacher: str | Path) -> str:
    """Name a teacher: its hub id, or what its local folder is called.

    A folder called "model" names nothing; the title of its README.md does, or else the nearest
    folder above it that is called something. config.json's _name_or_path is no help: it names
    what the teacher was trained from (all-MiniLM-L6-v2's: nreimers/MiniLM-L6-H384-uncased).
    """
    if not Path(teacher).is_dir():
        return str(teacher)
    folder = Path(os.path.abspath(teacher))  # "." has no name; links keep the one they have
    for place in (folder, *folder.parents[:2]):
        if place.name.startswith("models--"):  # the hub's cache: models--owner--name/snapshots/…
            return place.name.removeprefix("models--").replace("--", "/")
    if _NO_NAME.fullmatch(folder.name) and (title := _title(folder / "README.md")):
        return title
    for place in (folder, *folder.parents):
        if place.name and not _NO_NAME.fullmatch(place.name):
            return place.name
    return "teacher"


_NO_NAME = re.compile(
    r"(my[-_]?)?(model|teacher|checkpoint|output|final|best|last|snapshot)s?([-_]?\d+)?"
    r"|[0-9a-f]{40}|onnx|pytorch|data",
    re.IGNORECASE,
)


def _title(readme: Path) -> str:
    """The first heading of a README.md where it reads like a model's name, one word; else ""."""
    try:
        text = readme.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    text = re.sub(r"\A---\n.*?^---$", "", text, flags=re.DOTALL | re.MULTILINE)
    heading = re.search(r"^# +(.*?)\s*$", text, flags=re.MULTILINE)
    return heading[1] if heading and re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", heading[1]) else ""


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
