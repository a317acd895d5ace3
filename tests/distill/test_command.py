"""pumice distill on a tiny teacher: a model file that loads, one sentence for each mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.cli import main
from pumice.distill import DistillOptions


def test_command_makes_the_same_model_as_the_function(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "words.txt").write_text("Feierabend\nnew york\n", encoding="utf-8")
    texts = ["the parser adds an argument", "help with an error in the parser"]
    (tmp_path / "corpus.txt").write_text("\n".join(texts), encoding="utf-8")
    output = tmp_path / "m.pumice"
    arguments = ["--vocabulary", str(tmp_path / "words.txt"), "--dim", "8", "--name", "tiny"]
    arguments += ["--corpus", str(tmp_path / "corpus.txt"), "--json"]
    assert main(["distill", str(bert), "-o", str(output), *arguments]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bytes"] == output.stat().st_size
    made = pumice.load(output)
    assert (made.name, made.dimensions, len(made.tokens)) == ("tiny", 8, told["tokens"])
    model = pumice.distill(
        bert,
        dim=8,
        vocabulary=["Feierabend", "new york"],
        corpus=texts,
        options=DistillOptions(name="tiny"),
    )
    np.testing.assert_array_equal(made.encode(texts), model.encode(texts))
    assert made.encode("Feierabend").any()


def test_progress_is_plain_lines_off_a_terminal(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "m.pumice"
    assert main(["distill", str(bert), "-o", str(output), "--dim", "8", "--dtype", "int8"]) == 0
    captured = capsys.readouterr()
    assert "teacher: 597 of 597 tokens" in captured.err
    assert captured.out == (
        f"{output}: 597 tokens, 8 dimensions, int8, {output.stat().st_size / 1e6:.1f} MB\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dim", "99"], "dim is 99 but teacher"),
        (["--sif-coefficient", "2"], "sif_coefficient is 2.0"),
        (["--vocabulary", "gone.txt"], "gone.txt: the vocabulary file cannot be read"),
        (["--corpus", "gone.txt"], "gone.txt: the corpus file cannot be read"),
    ],
)
def test_mistakes_are_one_sentence(
    bert: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    start = ["distill", str(bert), "-o", str(tmp_path / "m.pumice"), "--dim", "8"]
    assert main([*start, *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("pumice: ")
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "m.pumice").exists()


def test_output_folder_is_looked_for_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["distill", "teacher", "-o", str(tmp_path / "gone" / "m.pumice")]) == 1
    assert "no such folder to write the model to" in capsys.readouterr().err


def test_absent_teacher_leaves_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pumice.cli", "distill", "./gone", "-o", "m.pumice"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr == (
        "pumice: teacher ./gone does not exist: give a folder or a Hugging Face id\n"
    )
