"""Model names to local paths, the cache first, then the Hugging Face hub; folders to it. The only network."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pumice.errors import HubError, InputError, MissingExtraError


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
        wanted = f"{name}: no such file or folder, and to look for it on the hub "
        raise MissingExtraError("huggingface_hub", "hub", wanted=wanted) from None
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


def check_pushable(name: object) -> None:
    """InputError unless a name is owner/name; MissingExtraError without the library that uploads."""
    if not isinstance(name, str) or not is_repository_id(name):
        raise InputError(f"{name}: is no place on a hub: give owner/name")
    try:
        import huggingface_hub  # noqa: F401
    except ImportError:
        raise MissingExtraError("huggingface_hub", "hub") from None


def push(folder: Path, name: str, *, private: bool) -> str:
    """Upload a folder's files in one commit, to a repository that is made where there is none.

    Returns its address. Raises HubError without a login, without the right to write, where ``private`` is
    asked and the repository is public, and where the hub cannot be reached; nothing is uploaded then.
    """
    check_pushable(name)
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        if huggingface_hub.get_token() is None:
            raise LocalTokenNotFoundError
        api = huggingface_hub.HfApi()
        address = str(api.create_repo(name, private=private, exist_ok=True))
        if private and not api.model_info(name).private:
            raise HubError(
                f"{name}: is public already: make it private on the hub first, or leave private out"
            )
        api.upload_folder(repo_id=name, folder_path=folder, commit_message="Upload by pumice")
        return address
    except LocalTokenNotFoundError:
        raise HubError(
            f"{name}: there is no login to upload with: run hf auth login, or set HF_TOKEN"
        ) from None
    except HfHubHTTPError as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        raise HubError(
            f"{name}: the hub refuses the upload ({status or 'with an error'}): check that your token may "
            "write there"
        ) from None
    except HubError:
        raise
    except Exception as error:  # httpx's or requests', as the library's version has it
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise HubError(f"{name}: cannot be uploaded: {reason}: check the network") from None
    finally:
        if shown:
            enable_progress_bars()
