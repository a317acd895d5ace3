"""pumice encode, as it is typed."""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.cli import main
from tests.batch.tables import as_parquet, table, vectors_of, written


def test_a_run_and_the_same_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.parquet").write_bytes(as_parquet(table(300)))
    command = [
        "encode",
        str(tmp_path / "a.parquet"),
        "--text",
        "body",
        "--keep",
        "id",
        "--dim",
        "128",
    ]
    command += ["--dtype", "int8", "-o", str(tmp_path / "out"), "--memory", "1GB"]
    assert main(command) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("embedded  300 rows, ")
    assert said[-1].startswith(f"output    {tmp_path}/out: 300 rows in 1 file, ")
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["files_unchanged"], told["embedded_rows"], told["rows"]) == (1, 0, 300)
    found = vectors_of(written(tmp_path / "out")["vector"], "int8", 128)
    expected = pumice.load().encode(table(300)["body"].to_pylist(), dim=128, dtype="int8")
    np.testing.assert_array_equal(found, expected)


def test_failures_are_1_and_wrong_usage_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "a.parquet", str(tmp_path / "out")
    file.write_bytes(as_parquet(table(10)))
    assert main(["encode", str(file), "-o", out, "--text", "txt"]) == 1
    assert capsys.readouterr().err == f'pumice: {file}: has no column "txt": it has "id", "body"\n'
    assert main(["encode", str(file), "-o", out, "--text", "body", "--memory", "1"]) == 1
    assert main(["encode", str(file), "-o", out, "--text", "body", "--memory", "lots"]) == 2
    assert "'lots' is no size: write one such as 512MB" in capsys.readouterr().err
    assert main(["encode", str(file), "--text", "body"]) == 2
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    command = ["encode", str(file), str(tmp_path / "b.parquet"), "-o", out, "--text", "body"]
    assert main([*command, "--on-error", "null"]) == 1
    said = capsys.readouterr().out
    assert f"failed    {tmp_path}/b.parquet: cannot be read as Parquet" in said
    assert "10 rows in 1 file" in said


def test_progress_is_lines_away_from_a_terminal_and_a_bar_on_one(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.parquet").write_bytes(as_parquet(table(50)))
    code = (
        "import pumice.commands.encode as e, pumice.cli, sys; e._PLAIN_LINE_SECONDS = 0.0\n"
        "sys.exit(pumice.cli.main(sys.argv[1:]))"
    )
    arguments = ["encode", f"{tmp_path}/*.parquet", "--text", "body", "-o", str(tmp_path / "out")]
    command = [sys.executable, "-c", code, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = ran.stderr.splitlines()
    assert len(lines) == 40
    assert lines[1].startswith("2 of 40 files, 100 rows, ")
    assert " MB/s, 0:0" in lines[1]
    assert lines[1].endswith(" left")
    if sys.platform == "win32":
        return
    import fcntl
    import termios

    parent, child = os.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    ran = subprocess.run(
        [*command[:-1], str(tmp_path / "out2")], stdout=subprocess.PIPE, stderr=child, text=True
    )
    # Read while the child's end is open: some kernels forget what was drawn when it closes.
    drawn = os.read(parent, 1 << 20).decode() if select.select([parent], [], [], 0)[0] else ""
    os.close(child)
    os.close(parent)
    assert ran.returncode == 0
    assert "MB/s of text" in drawn
    assert "files," in drawn
