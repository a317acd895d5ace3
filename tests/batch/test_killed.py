"""kill -9 at random moments: the same call goes on where it was, to the same bytes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.batch.killing import Kills, kill_often, run, run_killing
from tests.batch.tables import as_jsonl, as_parquet, table, tree

KILLS = 50


def inputs(folder: Path, rows: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "a.parquet").write_bytes(as_parquet(table(rows), row_group_size=rows // 20))
    (folder / "b.jsonl").write_bytes(as_jsonl(table(rows, seed=2)))
    return folder


def arguments(source: Path, out: Path, rows: int) -> list[str]:
    return [
        *(str(source), "-o", str(out), "--text", "body", "--keep", "id,body"),
        *("--dim", "64", "--rows-per-file", str(rows // 20), "--threads", "1"),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    check(tmp_path, rows=2_000, kills=2)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_fifty_kills(tmp_path: Path) -> None:
    kill_often(check, tmp_path, kills=KILLS)


def check(folder: Path, *, rows: int, kills: int, seed: int = 0) -> int:
    """Run whole, then killed again and again; return how many kills there were."""
    source = inputs(folder / "in", rows)
    whole = run(arguments(source, folder / "whole", rows))
    assert (whole.report["rows"], whole.report["embedded_rows"]) == (2 * rows, 2 * rows)
    idle = run(arguments(source, folder / "whole", rows)).seconds
    latest = idle + (whole.seconds - idle) / 4
    out = folder / "killed"
    killed = run_killing(
        arguments(source, out, rows),
        Kills(idle * 0.4, latest, kills, seed),
        rows_done=lambda: rows_recorded(out),
    )
    assert tree(out) == tree(folder / "whole")
    assert killed.report["embedded_rows"] == 2 * rows - killed.rows_before  # nothing twice
    for total in ("rows", "text_bytes", "output_files", "output_bytes", "bad"):
        assert killed.report[total] == whole.report[total]
    return killed.kills


def rows_recorded(out: Path) -> int:
    """Rows of the files that are complete."""
    records = [json.loads(path.read_text()) for path in out.glob("_pumice/records/**/*.json")]
    return sum(record["counts"]["rows"] for record in records)
