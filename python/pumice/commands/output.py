"""Looks at the place for a model before minutes are spent on making it."""

from __future__ import annotations

import os
from pathlib import Path

from pumice.errors import InputError


def check_output(output: Path) -> None:
    """Find out before anything runs for minutes whether the model can be written there."""
    if output.is_dir():
        raise InputError(f"{output}: is a folder: name a file in it, such as model.pumice")
    if output.exists() and not output.is_file():
        raise InputError(f"{output}: is not a regular file: name another to write the model to")
    if not output.parent.is_dir():
        raise InputError(f"{output.parent}: no such folder to write the model to: make it first")
    # Only a write tells: permission bits know nothing of read-only mounts, nor do they stop root.
    # The name is as long as the one that the model is first saved under.
    probe = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{output}: cannot be written: {error.strerror}: name another place"
        ) from None
