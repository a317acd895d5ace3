"""What a model costs to run, measured in a process of its own: memory, processor time, time to open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pumice.errors import PumiceError

_MODULE = "pumice.evaluate.comparison.cost_process"
MILLION = 1_000_000


@dataclass(frozen=True)
class Cost:
    """Of one model on one sample of texts."""

    texts: int
    """Encoded while the clock ran, each counted as often as it was."""
    text_bytes: int
    processor_seconds: float
    """Of all processors together."""
    seconds: float
    load_seconds: float
    """Until the model could encode, its libraries included."""
    query_milliseconds: float
    """The median for one query by itself."""
    resident_bytes: int
    """The most that the process ever had in memory, Python and libraries included."""
    model_bytes: int
    """The model's own weights."""
    dimensions: int

    @property
    def processor_hours_per_million(self) -> float:
        """Extrapolated from the sample."""
        return self.processor_seconds / self.texts * MILLION / 3600

    def price_per_million(self, core_hour: float) -> float:
        """In the currency of `core_hour`."""
        return self.processor_hours_per_million * core_hour


def measure_cost(
    model: str | None, texts: Sequence[str], queries: Sequence[str], *, seconds: float
) -> Cost:
    """Encode texts for about so many seconds in a new process. Raises PumiceError with what it said."""
    with tempfile.TemporaryDirectory(prefix="pumice-compare-") as folder:
        task = Path(folder) / "task.json"
        content = {
            "model": model,
            "texts": list(texts),
            "queries": list(queries),
            "seconds": seconds,
        }
        task.write_text(json.dumps(content), "utf-8")
        ran = subprocess.run(
            [sys.executable, "-m", _MODULE, str(task)],
            capture_output=True,
            env=_environment(),
            check=False,
        )
    lines = ran.stdout.decode(errors="replace").strip().splitlines()
    if ran.returncode != 0 or not lines:
        said = ran.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it was killed"]
        raise PumiceError(f"{model or 'the shipped model'} could not be measured: {said[0][:300]}")
    return Cost(**json.loads(lines[-1]))


def _environment() -> dict[str, str]:
    """The process finds modules where this one does, and not in the working directory."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
