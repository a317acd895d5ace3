"""The state of a run on disk: replaced whole, refused where another run's settings lie in the folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.modelfile.writing import write_whole
from pumice.train.lanes import native_kernels

if TYPE_CHECKING:
    from pumice.train.options import RunOptions

_VERSION = 1


@dataclass(frozen=True)
class State:
    """What a run needs to go on. Batches follow from the seed and the step: there is no other state."""

    step: int
    history: dict[str, Any]
    arrays: dict[str, NDArray[np.float32]]


class RunFolder:
    """A folder with run.json, what the run is, and state.npz, how far it is."""

    def __init__(self, path: Path, run: Mapping[str, Any]) -> None:
        """Make the folder, or take one that the same run left. Raises InputError for another run's."""
        self.path = path
        described = {"version": _VERSION, **json.loads(json.dumps(run))}
        file = path / "run.json"
        try:
            path.mkdir(exist_ok=True)
            before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
            stateless = file.exists() or not (path / "state.npz").exists()
        except OSError as error:
            raise InputError(f"{path}: cannot be used: {error.strerror}") from None
        except (ValueError, RecursionError):
            raise InputError(f"{file}: is damaged: remove the folder to begin anew") from None
        if not stateless:
            raise InputError(f"{path}: holds a state without run.json: remove the folder")
        if file.exists():
            _check_same(before, described, path)
        write_whole(file, (json.dumps(described, indent=1) + "\n").encode())

    @classmethod
    def of(
        cls,
        path: Path | None,
        options: RunOptions,
        *,
        dims: Sequence[int],
        threads: int,
        run: Mapping[str, Any],
    ) -> RunFolder | None:
        """That of a run with these settings, on what ``run`` names; None where none is kept."""
        if path is None:
            return None
        # What "auto" is on this processor: a run that goes on elsewhere must round as it did.
        kernels = "torch" if native_kernels(options.kernels) is None else "native"
        settings = {**options.settings(), "dims": list(dims), "threads": threads}
        return cls(path, {**settings, "kernels": kernels, **run})

    def save(self, state: State) -> None:
        """Replace the state; what is killed meanwhile leaves the old one."""
        partial = self.path / "state.npz.partial"
        meta = json.dumps({"step": state.step, "history": state.history})
        try:
            with partial.open("wb") as file:
                np.savez(file, meta=np.array(meta), **state.arrays)  # type: ignore[arg-type]  # the stub has options alone
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path / "state.npz")
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise InputError(
                f"{self.path}: the run's state cannot be kept there: {error.strerror}: free some "
                "space and start the same command again"
            ) from None

    def load(self) -> State | None:
        """The state, None where there is none yet."""
        file = self.path / "state.npz"
        if not file.exists():
            return None
        try:
            with np.load(file, allow_pickle=False) as stored:
                meta = json.loads(str(stored["meta"]))
                arrays = {name: stored[name] for name in stored.files if name != "meta"}
            return State(meta["step"], meta["history"], arrays)
        except Exception as error:  # zipfile, numpy and json each have their own
            raise InputError(f"{file}: is damaged: remove {self.path} to begin anew") from error


def _check_same(before: Any, now: Mapping[str, Any], path: Path) -> None:
    if not isinstance(before, dict):
        raise InputError(f"{path}/run.json: is damaged: remove the folder to begin anew")
    for name in (*now, *before):
        if before.get(name) != now.get(name):
            raise InputError(
                f"{path}: holds another run, with {name} {_short(before.get(name))}, not "
                f"{_short(now.get(name))}: repeat that run's command, or remove the folder"
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"
