"""Model names to local paths: the cache first, then the Hugging Face hub. The only module on a network."""

from __future__ import annotations

import re
from pathlib import Path

from pumice.errors import HubError, MissingExtraError

FILES = ["*.pumice", "*.json", "*model.safetensors", "README.md"]


def is_repository_id(name: str) -> bool:
    """Whether a name has the shape of a hub id, owner/name."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+", name) is not None


def fetch(name: str, *, revision: str | None = None, offline: bool = False) -> Path:
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
    try:
        cached = Path(
            huggingface_hub.snapshot_download(
                name, revision=revision, allow_patterns=FILES, local_files_only=True
            )
        )
        if is_whole(cached):
            return cached
        missing = "its cached files are not a whole model"
    except (LocalEntryNotFoundError, ValueError):
        missing = "it is not in the local cache"
    if offline:
        raise HubError(
            f"{asked}: {missing}, and offline=True forbids fetching it: load it once online"
        )
    try:
        return Path(
            huggingface_hub.snapshot_download(name, revision=revision, allow_patterns=FILES)
        )
    except HfHubHTTPError as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        raise HubError(
            f"{asked}: the hub answers {status or 'with an error'}: check the name, the revision "
            "and, for a private model, your token"
        ) from None
    except (OSError, ValueError, LocalEntryNotFoundError):
        raise HubError(
            f"{asked}: no such path, {missing}, and the hub cannot be reached: "
            "check the spelling, or the network"
        ) from None


def is_whole(folder: Path) -> bool:
    """Whether a folder holds a model: a .pumice file, or weights and a tokenizer."""
    if any(folder.glob("*.pumice")):
        return True
    return any(folder.rglob("model.safetensors")) and any(folder.rglob("tokenizer.json"))
