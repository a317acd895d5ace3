"""Vector kernels against the portable one, bit for bit, in a C++ program."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[1] / "core"


def test_kernels_give_the_portable_kernels_bits(tmp_path: Path) -> None:
    cxx = (
        os.environ.get("CXX")
        or shutil.which("c++")
        or shutil.which("g++")
        or shutil.which("clang++")
    )
    if cxx is None:
        pytest.skip("no C++ compiler")
    program = tmp_path / "kernels"
    sources = [*CORE.glob("src/simd/*.cpp"), CORE / "tests" / "kernels_test.cpp"]
    options = ["-std=c++20", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([cxx, *options, *sources, "-o", program], check=True, timeout=300)
    ran = subprocess.run([program], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout
    assert "chosen compared" in ran.stdout
