"""What docs/scaling.md shows runs as it is shown, in every engine that is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scaling.md").read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ENGINES = ("polars", "duckdb", "pyspark", "dask", "daft", "ray", "sklearn")
QUICK = ("polars",)


def engine_of(snippet: str) -> str:
    """The library that a snippet shows, empty for pumice alone."""
    return next((e for e in ENGINES if re.search(rf"^(import|from) {e}\b", snippet, re.M)), "")


def marked(snippet: str) -> object:
    engine = engine_of(snippet)
    slow = [] if engine in ("", *QUICK) else [pytest.mark.slow]
    return pytest.param(snippet, marks=slow, id=engine or f"pumice-{SNIPPETS.index(snippet)}")


@pytest.mark.parametrize("snippet", [marked(one) for one in SNIPPETS])
def test_snippets_run(snippet: str, tmp_path: Path) -> None:
    engine = engine_of(snippet)
    if engine and find_spec(engine) is None:
        pytest.skip(f"{engine} is absent")
    assert "assert" in snippet
    (tmp_path / "articles").mkdir()
    rows = pa.table({"id": [1, 2], "body": ["Renew a passport.", "Bake bread."]})
    pq.write_table(rows, tmp_path / "articles" / "a.parquet")
    command = [sys.executable, "-c", snippet]
    own = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    ran = subprocess.run(
        command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr


def test_every_engine_is_shown() -> None:
    assert set(ENGINES) - {"sklearn"} <= {engine_of(snippet) for snippet in SNIPPETS}
