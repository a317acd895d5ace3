"""The core's Unicode tables are what their generator writes, and are looked up right."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[2] / "core"


@pytest.mark.slow
@pytest.mark.parametrize("generator", ["generate.py", "generate_classes.py"])
def test_tables_are_up_to_date(generator: str) -> None:
    """Probes the installed tokenizers for every code point; 0.22.2 and later agree."""
    pytest.importorskip("tokenizers", minversion="0.22.2")
    command = [sys.executable, str(CORE / "unicode" / generator), "--check"]
    subprocess.run(command, check=True, timeout=300)


def test_look_ups(tmp_path: Path) -> None:
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    program = tmp_path / "unicode_test"
    sources = [
        CORE / "tests" / "unicode_test.cpp",
        CORE / "src" / "normal_forms.cpp",
        CORE / "src" / "unicode.cpp",
        CORE / "src" / "worker.cpp",
    ]
    flags = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{CORE / 'include'}"]
    subprocess.run([compiler, *flags, *map(str, sources), "-o", str(program)], check=True)
    subprocess.run([str(program)], check=True, timeout=60)
