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
    assert made.metadata["tokenizer"]["native"]  # with a phrase
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


def test_what_a_user_may_not_expect_is_said(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, output = tmp_path / "words.txt", tmp_path / "m.pumice"
    phrase = f"{'x' * 600} {'y' * 600}"  # longer than the core's phrases may be
    words.write_text(f"Feierabend\n\n{phrase}\nFeierabend\n \n", encoding="utf-8")
    command = ["distill", str(bert), "-o", str(output), "--dim", "8", "--vocabulary", str(words)]
    assert main(command) == 0
    _, skipped, slow = capsys.readouterr().out.splitlines()
    assert skipped == f"{words}: skipped 2 blank and 1 repeated lines"
    reason = pumice.load(output).metadata["tokenizer"]["reason"]
    assert reason.endswith("has 1201 bytes (the core finds up to 1024)")
    assert slow.startswith("note: the model splits text with the tokenizers library")
    assert slow.endswith(f"because {reason}")
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["native"], told["reason"]) == (False, reason)
    assert (told["blank_lines"], told["repeated_lines"]) == (2, 1)


def test_progress_is_plain_lines_off_a_terminal(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "m.pumice"
    assert main(["distill", str(bert), "-o", str(output), "--dim", "8", "--dtype", "int8"]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("teacher: 0 of 597 tokens of the vocabulary\n")
    assert "teacher: 597 of 597 tokens" in captured.err
    assert captured.out == (
        f"{output}: 597 tokens, 8 dimensions, int8, {output.stat().st_size / 1e6:.1f} MB\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dim", "99"], "dim is 99 but teacher"),
        (
            ["--vocabulary", "gone.txt"],
            "gone.txt: the vocabulary file cannot be read: No such file",
        ),
        (["--corpus", "gone.txt"], "gone.txt: cannot be read: No such file"),
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


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("gone/m.pumice", "no such folder to write the model to"),
        (".", "is a folder: name a file in it"),
        ("/dev/null", "is not a regular file"),
        ("/proc/m.pumice", "/proc/m.pumice: cannot be written: "),
        ("n" * 245, "cannot be written: File name too long"),
    ],
)
def test_output_is_looked_at_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, message: str
) -> None:
    if output.startswith("/") and not Path(output).parent.is_dir():
        pytest.skip(f"needs {Path(output).parent}")
    # There is no such teacher: its absence would be told were it looked for first.
    assert main(["distill", "./teacher", "-o", str(tmp_path / output)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_output_that_is_there_is_replaced_only_by_a_model(tmp_path: Path) -> None:
    (tmp_path / "m.pumice").write_bytes(b"an older model")
    assert main(["distill", "./teacher", "-o", str(tmp_path / "m.pumice")]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["m.pumice"]
    assert (tmp_path / "m.pumice").read_bytes() == b"an older model"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dim", "0"], "dim is 0"),
        (["--dim", "few"], "invalid int value"),
        (["--sif-coefficient", "2"], "sif_coefficient is 2.0"),
        (["--whitening", "-1"], "whitening is -1.0"),
        (["--remove-unseen"], "remove_unseen needs a corpus"),
        (["--only-vocabulary"], "the vocabulary is empty"),
        (["--weighting", "sif"], "needs a corpus"),
        (["--weighting", "zipf", "--corpus", "c.txt"], "a corpus has no use"),
        (["--weighting", "none", "--sif-coefficient", "0.1"], "sif_coefficient has no use"),
    ],
)
def test_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["distill", "./teacher", "-o", str(tmp_path / "m.pumice"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error.splitlines()[-1]
    assert "pumice distill: error: " in error


def test_absent_teacher_leaves_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pumice.cli", "distill", "./gone", "-o", "m.pumice"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr == (
        "pumice: teacher ./gone does not exist: give a folder or a Hugging Face id\n"
    )
