"""What a run needs before it begins: a place for its files, torch, a device, folders to measure on."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumice.errors import InputError, MissingExtraError
from pumice.train.options import RunOptions

if TYPE_CHECKING:
    from pumice.train.tokens import TokenMemory


@dataclass(frozen=True)
class Workplace:
    """Where a run keeps its files."""

    kept: Path | None
    """The folder of its state."""
    files: Path
    """A folder that goes with the run; it may be absent."""
    memory: TokenMemory


@contextmanager
def workplace(folder: str | os.PathLike[str] | None, options: RunOptions) -> Iterator[Workplace]:
    """A place for a run's files, and torch with one thread: the lanes are the threads."""
    import torch

    from pumice.train.tokens import TokenMemory

    kept = None if folder is None else Path(folder)
    if kept is not None and not kept.parent.is_dir():
        raise InputError(f"{kept.parent}: no such folder to keep the run in: make it first")
    # Beside the run's state, so that what a killed run leaves goes when the run is done.
    files = Path(tempfile.mkdtemp(prefix="pumice-")) if kept is None else kept / "tokens"
    memory = TokenMemory(options.tokens_in_memory, files)
    threads_before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        yield Workplace(kept, files, memory)
    finally:
        torch.set_num_threads(threads_before)
        memory.close()
        if kept is None:
            shutil.rmtree(files, ignore_errors=True)
        else:
            with suppress(OSError):  # it holds a state, or was never made
                kept.rmdir()


def evaluation_folders(evaluation: Any) -> list[Path]:
    """Folders to measure on, or one of them; InputError for what is none."""
    if isinstance(evaluation, (str, os.PathLike)):
        evaluation = [evaluation]
    folders = [Path(one) for one in evaluation]
    for one in folders:
        if not one.is_dir():
            raise InputError(f"{one}: no such folder to evaluate on")
    return folders


def check_torch() -> None:
    """MissingExtraError where there is none."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("torch", "train") from error


def checked_device(name: str) -> str:
    """A device that torch has; InputError for another."""
    import torch

    try:
        torch.zeros(1, device=name)
    except Exception as error:  # AssertionError, RuntimeError: each backend its own
        reason = str(error).strip().split("\n")[0].split(". ")[0]
        raise InputError(f"device {name}: {reason}: use cpu") from None
    return name
