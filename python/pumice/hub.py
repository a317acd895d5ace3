"""Model names to local paths: the cache first, then the Hugging Face hub. The only module on a network."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pumice.errors import HubError, MissingExtraError


@dataclass(frozen=True)
class Files:
    """What of a repository is fetched, and how to tell a folder that holds all of it."""

    patterns: tuple[str, ...]
    is_whole: Callable[[Path], bool]
    kind: str = "model"
    """Of repository: "model" or "dataset"."""


def _is_static_model(folder: Path) -> bool:
    if any(folder.glob("*.pumice")):
        return True
    return any(folder.rglob("model.safetensors")) and any(folder.rglob("tokenizer.json"))


def _is_transformer(folder: Path) -> bool:
    return (folder / "config.json").exists() and any(folder.glob("*.safetensors"))


def _is_retrieval_set(folder: Path) -> bool:
    return any(folder.glob("corpus.*")) and any(folder.glob("qrels/*"))


STATIC_MODEL = Files(("*.pumice", "*.json", "*model.safetensors", "README.md"), _is_static_model)
TRANSFORMER = Files(
    ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.py", "README.md"), _is_transformer
)
RETRIEVAL_SET = Files(
    ("corpus.*", "queries.*", "qrels/*", "README.md"), _is_retrieval_set, kind="dataset"
)


def is_repository_id(name: str) -> bool:
    """Whether a name has the shape of a hub id, owner/name."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+", name) is not None


def fetch(
    name: str,
    *,
    files: Files = STATIC_MODEL,
    revision: str | None = None,
    offline: bool = False,
) -> Path:
    """The local folder of a hub repository's files.

    A revision that the cache holds whole is taken from there without a request; otherwise it is fetched,
    unless ``offline``. Raises HubError where neither has it.
    """
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise MissingExtraError("huggingface_hub", "hub") from None
    asked = name if revision is None else f"{name}@{revision}"
    patterns = list(files.patterns)
    try:
        cached = Path(
            huggingface_hub.snapshot_download(
                name,
                repo_type=files.kind,
                revision=revision,
                allow_patterns=patterns,
                local_files_only=True,
            )
        )
        if files.is_whole(cached):
            return cached
        missing = f"its cached files are not a whole {files.kind}"
    except (LocalEntryNotFoundError, ValueError):
        missing = "it is not in the local cache"
    if offline:
        raise HubError(
            f"{asked}: {missing}, and offline=True forbids fetching it: load it once online"
        )
    try:
        return Path(
            huggingface_hub.snapshot_download(
                name, repo_type=files.kind, revision=revision, allow_patterns=patterns
            )
        )
    except HfHubHTTPError as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        raise HubError(
            f"{asked}: the hub answers {status or 'with an error'}: check the name, the revision "
            f"and, for a private {files.kind}, your token"
        ) from None
    except (OSError, ValueError, LocalEntryNotFoundError):
        raise HubError(
            f"{asked}: no such path, {missing}, and the hub cannot be reached: "
            "check the spelling, or the network"
        ) from None
