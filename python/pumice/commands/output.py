"""Looks at the place for a file before minutes are spent on making it."""

from __future__ import annotations

import os
from pathlib import Path

from pumice.errors import InputError


def check_output(output: Path, *, what: str = "the model", example: str = "model.pumice") -> None:
    """Find out before anything runs for minutes whether it can be written there."""
    if output.is_dir():
        raise InputError(f"{output}: is a folder: name a file in it, such as {example}")
    if output.exists() and not output.is_file():
        raise InputError(f"{output}: is not a regular file: name another to write {what} to")
    if not output.parent.is_dir():
        raise InputError(f"{output.parent}: no such folder to write {what} to: make it first")
    # Only a write tells: permission bits know nothing of read-only mounts, nor do they stop root.
    # The name is as long as the one that it is first saved under.
    probe = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{output}: cannot be written: {error.strerror}: name another place"
        ) from None
