"""Vector kernels against the portable one, bit for bit, in a C++ program, here and on other machines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
CORE = TESTS.parent / "core"
SOURCES = [*CORE.glob("src/simd/*.cpp"), CORE / "tests" / "kernels_test.cpp"]
OPTIONS = ["-std=c++20", "-O2", "-ffp-contract=off", "-fno-exceptions", "-Wall", "-Wextra"]


def run(compiler: list[str], program: Path, runner: list[str]) -> str:
    subprocess.run([*compiler, *OPTIONS, *SOURCES, "-o", program], check=True, timeout=600)
    ran = subprocess.run([*runner, program], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_kernels_give_the_portable_kernels_bits(tmp_path: Path) -> None:
    cxx = (
        os.environ.get("CXX")
        or shutil.which("c++")
        or shutil.which("g++")
        or shutil.which("clang++")
    )
    if cxx is None:
        pytest.skip("no C++ compiler")
    assert "chosen compared" in run([cxx, "-Werror"], tmp_path / "kernels", [])


def test_search_is_brute_force(tmp_path: Path) -> None:
    cxx = os.environ.get("CXX") or next(
        filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None
    )
    if cxx is None:
        pytest.skip("no C++ compiler")
    sources = [*CORE.glob("src/simd/code*.cpp"), CORE / "src" / "topk.cpp"]
    sources += [CORE / "src" / "capi_search.cpp", CORE / "tests" / "topk_test.cpp"]
    program = tmp_path / "topk"
    command = [cxx, *OPTIONS, f"-I{CORE / 'include'}", *sources, "-o", program]
    subprocess.run(command, check=True, timeout=600)
    ran = subprocess.run([program], capture_output=True, text=True, timeout=300)
    assert ran.stdout == "search compared\n"


def test_blocks_are_cut_as_by_the_patterns(tmp_path: Path) -> None:
    cxx = os.environ.get("CXX") or next(
        filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None
    )
    if cxx is None:
        pytest.skip("no C++ compiler")
    sources = [*CORE.glob("src/simd/*.cpp"), CORE / "src" / "split_patterns.cpp"]
    program = tmp_path / "split"
    command = [cxx, *OPTIONS, *sources, CORE / "tests" / "split_test.cpp", "-o", program]
    subprocess.run(command, check=True, timeout=600)
    ran = subprocess.run([program], capture_output=True, text=True, timeout=300)
    assert ran.stdout == "patterns compared\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kernels", "target", "runner"),
    [
        ("neon", ["aarch64-linux-musl"], ["qemu-aarch64"]),
        ("wasm", ["wasm32-wasi", "-msimd128"], ["node", str(TESTS / "run_wasi.mjs")]),
    ],
)
def test_kernels_of_other_machines(
    kernels: str, target: list[str], runner: list[str], tmp_path: Path
) -> None:
    """Built by zig; NEON runs in QEMU, WebAssembly's SIMD in Node."""
    if find_spec("ziglang") is None:
        pytest.skip("no cross compiler: pip install ziglang")
    if shutil.which(runner[0]) is None:
        pytest.skip(f"no {runner[0]}: on Debian, apt-get install qemu-user nodejs")
    compiler = [sys.executable, "-m", "ziglang", "c++", "-target", *target]
    assert f"{kernels} compared" in run(compiler, tmp_path / "kernels", runner)
