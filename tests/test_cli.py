"""The command line: exit codes, one sentence for every error, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pumice
from pumice.cli import VERBS, main
from pumice.loading import shipped_path


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pumice.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd)


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"usage: pumice {verb}" in told
    assert f"{VERBS[verb][1:]}." in told  # names keep their capitals


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pumice {pumice.__version__}\n"
    assert main([]) == 2
    said = capsys.readouterr().out
    assert all(verb in said for verb in VERBS)


def test_an_argument_of_other_bytes_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = tmp_path / "a.txt"
    texts.write_text("a text\n")
    named = os.fsdecode(b"vector \xff")
    assert main(["encode", str(texts), "-o", str(tmp_path / "out"), "--column", named]) == 1
    assert capsys.readouterr().err == (
        "pumice: 'vector \\udcff' is not UTF-8: give it another name\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["info", "--nonsense"],
        ["index"],
        ["search"],
        ["distill"],
        ["search", "q", "-k", "x"],
        ["search", "q", "-k", "0"],
        ["search", "q", "-k", "-1"],
        ["search", "q", "-k", str(2**64)],
        ["search", "q", "--filter", "foo"],
        ["search", "q", "--filter", "=3"],
        ["search", "q", "--filter", "year>=abc"],
        ["search", "q", "--filter", "year!=2003"],
        ["search", "q", "--filter", "year==3"],
        ["search", "q", "--filter", "year=>3"],
        ["search", "q", "--filter", "a=1", "--filter", "a>2"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: pumice")
    assert "Traceback" not in said


@pytest.mark.parametrize("arguments", [["--bogus"], ["-k", "1", "b"]])
def test_a_wrong_flag_shows_the_usage_of_its_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "a", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: pumice search")
    assert "unrecognized arguments" in said
    assert ("quotes" in said) == (arguments[0] == "-k")


def test_failures_are_1_and_one_sentence(tmp_path: Path) -> None:
    truncated = tmp_path / "cut.pumice"
    truncated.write_bytes(Path(shipped_path()).read_bytes()[:5000])
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


# What else takes address space by the number of processors: threads' stacks, and glibc's arenas for each.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "ARROW_IO_THREADS", "MALLOC_ARENA_MAX")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by setrlimit")
def test_too_little_memory_is_one_sentence(tmp_path: Path) -> None:
    import resource

    with (tmp_path / "one_line.txt").open("wb") as file:
        file.truncate(250 << 20)  # of NULs, which take no room
    run = subprocess.run(
        [sys.executable, "-m", "pumice.cli", "encode", str(file.name), "-o", "vectors"],
        cwd=tmp_path,
        env={**os.environ, **dict.fromkeys(ONE_THREAD, "1")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20)),
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("pumice: there is not enough memory for it: ")
    assert run.stderr.count("\n") == 1


def test_info_as_json_and_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    model = pumice.load()
    assert main(["info", "--json", "--verify"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fingerprint"] == model.fingerprint
    assert said["checksum"] == "verified"
    assert said["runs_in"] == "core"
    assert main(["info"]) == 0
    told = capsys.readouterr().out
    assert model.fingerprint in told
    assert max(map(len, told.splitlines())) < 300  # a model remembers every source it was made of
    assert "--json has its sources, settings" in told


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
    assert (
        "pre_tokenizer.type is Whitespace (with WordPiece the core runs BertPreTokenizer)" in said
    )


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m pumice.cli info | head -n 1"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    assert ran.stderr == ""


def test_a_stream_that_cannot_print_a_character_gets_an_escape(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pumice.cli", "info", "caf\u00e9.pumice"]
    narrow = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=narrow)
    assert ran.returncode == 1
    assert ran.stderr.startswith("pumice: caf\\")


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(closed: str) -> None:
    command = f"{sys.executable} -m pumice.cli info {closed}"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("module", ["numpy", "pumice.commands.search", "pumice.search.index"])
def test_an_interrupt_during_imports_is_one_line(module: str) -> None:
    code = f"""
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["pumice", "search", "x"]
from pumice.cli import main
sys.exit(main())
"""
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (130, "pumice: interrupted\n")
