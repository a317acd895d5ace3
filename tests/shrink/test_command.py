"""pumice shrink: on a real model, real texts and a judged set."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pumice
from pumice.cli import main

WORDS = ("passport", "bread", "piano", "snow", "battery", "doctor", "river", "mountain")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 64 dimensions, texts to count in, and a test collection."""
    folder = tmp_path_factory.mktemp("shrink")
    words = dict.fromkeys(WORDS, 1)
    whole = pumice.shrink(pumice.load(), tokens=3000, dim=128, corpus=words)
    whole.save(folder / "model.pumice")
    (folder / "texts").mkdir()
    lines = [f"the {a} and the {b}: number {i}" for i, a in enumerate(WORDS) for b in WORDS]
    (folder / "texts" / "one.txt").write_text("\n".join(lines), encoding="utf-8")
    judged = folder / "sets" / "tiny"
    (judged / "qrels").mkdir(parents=True)
    for stem, text in (("corpus", "all about the {}"), ("queries", "a {}?")):
        records = [
            {"_id": f"{stem} {word}", "title": "", "text": text.format(word)} for word in WORDS
        ]
        content = "".join(json.dumps(record) + "\n" for record in records)
        (judged / f"{stem}.jsonl").write_text(content, encoding="utf-8")
    (judged / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n"
        + "".join(f"queries {word}\tcorpus {word}\t1\n" for word in WORDS)
    )
    return folder


def test_a_setting_its_ladder_and_its_file(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = places / "small.pumice"
    command = ["shrink", str(places / "model.pumice"), "-o", str(output)]
    command += ["--tokens", "2000", "--dim", "64", "--corpus", str(places / "texts")]
    assert main(command) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["tokens", "dim", "rows", "stored", "gzip", "brotli", "neighbours"]
    assert said[1].split()[:3] == ["3000", "128", "int8"]
    assert said[1].split()[-1] == "1.0000"
    assert said[-1].startswith(f"{output}: 2000    64  int8")
    model = pumice.load(output)
    assert (len(model.tokens), model.dimensions) == (2000, 64)
    assert set(WORDS) <= set(model.tokens)
    size = f"{output.stat().st_size / 1e6:.2f}"
    assert size in said[-1]


def test_the_file_is_there_before_the_ladder(places: Path) -> None:
    output = places / "first.pumice"
    command = [sys.executable, "-m", "pumice.cli", "shrink", str(places / "model.pumice")]
    command += ["-o", str(output), "--tokens", "2000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("tokens")
        assert len(pumice.load(output).tokens) == 2000
        running.kill()


def test_the_best_that_fits(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("brotli")
    pytest.importorskip("ir_measures")
    output = places / "fitted.pumice"
    command = ["shrink", str(places / "model.pumice"), "-o", str(output), "--json"]
    command += ["--max-size", "280kB", "--compressed", "brotli", "--dtype", "int8"]
    assert main([*command, "--eval", str(places / "sets")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["quality"] == "nDCG@10"
    assert said["ladder"][0]["quality"] == 1.0
    assert said["chosen"] == said["ladder"][1]
    assert said["chosen"]["sizes"]["brotli"] <= 280_000
    assert {rung["setting"]["dim"] for rung in said["ladder"][1:]} == {64, 128}
    assert said["fingerprint"] == pumice.load(output).fingerprint
    assert len(pumice.load(output).tokens) == said["chosen"]["setting"]["tokens"]


def test_without_an_output_the_ladder_alone(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(places.iterdir())
    assert main(["shrink", str(places / "model.pumice"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["model"] is None
    assert said["quality"] is None
    assert said["chosen"] == said["ladder"][0]
    assert len(said["ladder"]) >= 3
    assert sorted(places.iterdir()) == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "what shall be smaller?"),
        (["--tokens", "0"], "--tokens 0: give a positive whole number"),
        (["--dim", "64", "--compressed", "gzip"], "give --max-size"),
        (["--max-size", "4MB"], "give --eval or --corpus"),
        (["--max-size", "4 apples", "--corpus", "x"], "'4 apples' is no size"),
    ],
)
def test_wrong_usage(
    places: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["shrink", str(places / "model.pumice"), "-o", str(places / "never.pumice")]
    assert main([*command, *flags]) == 2
    assert message in capsys.readouterr().err
    assert not (places / "never.pumice").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dim", "100"], "dim=100 is not among the dimensions that the model has: 64, 128"),
        (["--tokens", "9000"], "--tokens 9000: the model has 3000 tokens"),
        (["--tokens", "7"], "tokens=7 is fewer than"),
        (["--dim", "64", "--corpus", "gone.txt"], "gone.txt: cannot be read"),
        (["--dim", "64", "--eval", "gone/gone/gone"], "gone/gone/gone: no such folder"),
        (["--max-size", "1kB", "--corpus", "TEXTS"], "no model of 1,000 bytes can be made"),
    ],
)
def test_what_fails_is_one_sentence(
    places: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [str(places / "texts") if flag == "TEXTS" else flag for flag in flags]
    command = ["shrink", str(places / "model.pumice"), "-o", str(places / "never.pumice")]
    assert main([*command, *flags]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not (places / "never.pumice").exists()
