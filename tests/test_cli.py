"""The command line: exit codes, one sentence for every error, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pumice
from pumice.cli import VERBS, main


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pumice.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd)


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    assert f"usage: pumice {verb}" in capsys.readouterr().out


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pumice {pumice.__version__}\n"
    assert main([]) == 2
    said = capsys.readouterr().out
    assert all(verb in said for verb in VERBS)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["info", "--nonsense"],
        ["index"],
        ["search"],
        ["distill"],
        ["search", "q", "-k", "x"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: pumice")
    assert "Traceback" not in said


def test_failures_are_1_and_one_sentence(tmp_path: Path) -> None:
    truncated = tmp_path / "cut.pumice"
    truncated.write_bytes(Path(pumice.loading.shipped_path()).read_bytes()[:5000])
    for arguments in (
        ["info", str(truncated)],
        ["info", str(tmp_path / "missing.pumice")],
        ["info", "no/such-model", "--offline"],
        ["search", "a question", "--index", str(tmp_path / "missing")],
        ["index", str(tmp_path / "missing")],
        ["distill", str(tmp_path / "missing"), "-o", str(tmp_path / "m.pumice")],
    ):
        ran = run(*arguments, cwd=tmp_path)
        assert ran.returncode == 1, (arguments, ran)
        assert ran.stderr.startswith("pumice: "), ran.stderr
        assert len(ran.stderr.strip().splitlines()) == 1, ran.stderr


def test_info_as_json_and_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    model = pumice.load()
    assert main(["info", "--json", "--verify"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fingerprint"] == model.fingerprint
    assert said["checksum"] == "verified"
    assert said["runs_in"] == "core"
    assert main(["info"]) == 0
    assert model.fingerprint in capsys.readouterr().out


def test_info_names_why_a_tokenizer_is_not_native(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    parts = pumice.load()._file.parts()
    whitespace = {**parts.tokenizer, "pre_tokenizer": {"type": "Whitespace"}}
    path = tmp_path / "m.pumice"
    pumice.StaticModel.from_parts(replace(parts, tokenizer=whitespace)).save(path)
    assert main(["info", str(path)]) == 0
    said = capsys.readouterr().out
    assert "tokenizers library (slower, same results)" in said
    assert "pre_tokenizer.type is Whitespace (the core runs BertPreTokenizer)" in said


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m pumice.cli info | head -n 1"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    assert ran.stderr == ""
