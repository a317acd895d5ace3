"""What docs/scaling.md shows runs as it is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scaling.md").read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_snippets_run(snippet: str, tmp_path: Path) -> None:
    assert "assert" in snippet
    (tmp_path / "articles").mkdir()
    rows = pa.table({"id": [1, 2], "body": ["Renew a passport.", "Bake bread."]})
    pq.write_table(rows, tmp_path / "articles" / "a.parquet")
    command = [sys.executable, "-c", snippet]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
