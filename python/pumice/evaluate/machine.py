"""Which machine measured: a figure without it says nothing."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """For people: processor, how many of them, system, and the versions that matter."""

    processor: str
    processors: int
    system: str
    versions: dict[str, str]


def this_machine() -> Machine:
    """The machine that runs."""
    names = ("pumice", "qdrant-edge-py", "sentence-transformers", "bm25s", "ir-measures", "numpy")
    return Machine(
        _processor(),
        usable_processors(),
        f"{platform.system()} {platform.machine()}",
        _versions(names),
    )


def usable_processors() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _versions(names: tuple[str, ...]) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
