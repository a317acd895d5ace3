"""Fuzz targets over their committed inputs, and threads over one model, under sanitizers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "core"
FUZZ = CORE / "fuzz"
MODEL = ROOT / "testdata" / "golden-int8.pumice"
MEMORY = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
THREADS = ("-fsanitize=thread", "-pthread")

EMPTY = "int main() { return 0; }"


def compiler() -> str:
    found = os.environ.get("CXX") or next(
        filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None
    )
    if found is None:
        pytest.skip("no C++ compiler")
    return found


def build(program: Path, flags: tuple[str, ...], *sources: Path) -> Path:
    """Compile sources and the core into a program; skips where the sanitizers cannot link or run."""
    cxx = compiler()
    empty = program.with_suffix(".cpp")
    empty.write_text(EMPTY)
    probe = subprocess.run([cxx, *flags, empty, "-o", program], capture_output=True, text=True)
    if probe.returncode == 0:
        probe = subprocess.run([program], capture_output=True, text=True)
    if probe.returncode != 0:
        reason = (probe.stderr.splitlines() or ["it does not start"])[-1]
        pytest.skip(f"{cxx} {flags[0]} does not work here: {reason}")
    options = ["-std=c++20", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"]
    defined = [f"-I{CORE / 'include'}", f'-DPUMICE_FUZZ_MODEL="{MODEL}"']
    core = [*CORE.glob("src/*.cpp"), *CORE.glob("src/simd/*.cpp")]
    command = [cxx, *options, *flags, *defined, *sources, *core, "-o", program]
    built = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert built.returncode == 0, built.stderr
    return program


@pytest.mark.parametrize("target", ["open_model", "encode"])
def test_regressions_of_the_fuzz_targets(target: str, tmp_path: Path) -> None:
    program = build(tmp_path / target, MEMORY, FUZZ / f"{target}.cpp", FUZZ / "replay.cpp")
    inputs = sorted((FUZZ / "regressions" / target).iterdir())
    assert inputs
    ran = subprocess.run([program, *inputs], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout == f"replayed {len(inputs)}\n"


def test_threads_share_a_model(tmp_path: Path) -> None:
    program = build(tmp_path / "threads", THREADS, CORE / "tests" / "threads.cpp")
    golden = (ROOT / "testdata" / "golden.jsonl").read_text("utf-8").splitlines()
    lines = [json.loads(line)["text"].replace("\n", " ") for line in golden]
    text = tmp_path / "lines.txt"
    text.write_bytes("\n".join(lines).encode())
    ran = subprocess.run([program, MODEL, text], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout == f"{len(lines)} lines, 4 threads\n"
