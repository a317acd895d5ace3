"""pumice train: a model, its card and its plot; one sentence and an exit code for each mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("torch")

import pumice
from pumice.cli import main
from pumice.train import TrainOptions
from tests.train.conftest import make_pairs, tokenizer_json, write_jsonl


@pytest.fixture
def start_file(start: pumice.StaticModel, tmp_path: Path) -> Path:
    start.save(tmp_path / "start.pumice")
    return tmp_path / "start.pumice"


def test_model_card_and_plot(
    start_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [{"query": p["anchor"], "passage": p["positive"]} for p in make_pairs(300)]
    file = write_jsonl(tmp_path / "a|b.jsonl", pairs)
    output = tmp_path / "my model.pumice"
    arguments = ["train", "--pairs", f"{file}:2", "--init", str(start_file), "-o", str(output)]
    arguments += ["--columns", "anchor=query", "positive=passage", "--dims", "16,4"]
    arguments += ["--batch-size", "32", "--hold-out", "0.1", "--evaluations", "2", "--json"]
    assert main([*arguments, "--license", "CC0-1.0"]) == 0
    captured = capsys.readouterr()
    made = json.loads(captured.out)
    assert captured.err == ""
    model = pumice.load(output)
    assert (made["prefixes"], made["fingerprint"]) == ([4, 16], model.fingerprint)
    assert model.name == "my model"
    provenance = model.metadata["provenance"]
    assert provenance["sources"] == [
        {
            "name": "a|b",
            "weight": 2.0,
            "pairs": 300,
            "triplets": 0,
            "duplicates": 0,
            "without_tokens": 0,
        }
    ]
    card = (tmp_path / "my model.md").read_text("utf-8")
    assert card.startswith("# my model\n")
    assert "| a\\|b | 2 | 300 | 0 | 0 | 0 |" in card
    assert "Licence: CC0-1.0." in card
    assert "![loss and figures over the steps](my%20model.svg)" in card
    assert "| learning_rate | 0.02 |" in card
    # What played no part is not told.
    assert not any(f"| {name} |" in card for name in ("teacher_dtype", "code_share", "mine_below"))
    root = ElementTree.parse(tmp_path / "my model.svg").getroot()
    assert root.tag.endswith("svg")
    groups = {group.get("id", ""): group for group in root.iter()}
    beside = [group.get("id", "") for group in groups["figure_1"]]
    assert "legend_1" in beside  # and so upon no curve
    assert 'pumice.load("my model.pumice")' in card
    assert not (tmp_path / "my model.pumice.training").exists()


def test_a_file_that_is_no_card_stays(
    start_file: Path, pairs_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """faq.pumice's card would be faq.md, which may be what it is trained on."""
    (tmp_path / "faq.md").write_text("# Questions\n")
    output = tmp_path / "faq.pumice"
    arguments = ["train", "--pairs", str(pairs_file), "--init", str(start_file)]
    assert main([*arguments, "-o", str(output)]) == 1
    assert "faq.md: the model's card would take its place" in capsys.readouterr().err
    assert (tmp_path / "faq.md").read_text() == "# Questions\n"
    assert not output.exists()


def test_lines_off_a_terminal(
    start_file: Path, pairs_file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["train", "--pairs", str(pairs_file), "--init", str(start_file)]
    arguments += ["--batch-size", "32", "--evaluations", "1", "--hold-out", "0.1"]
    assert main([*arguments, "-o", str(tmp_path / "m.pumice")]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("pairs: 600 pairs, 300 with a negative\nstep 0: nDCG@10 0.")
    assert "48 tokens, 16 dimensions, int8" in captured.out
    assert "held-out pairs: 0." in captured.out


@pytest.mark.parametrize(("batch", "told"), [(300, "2 steps in all"), (16, "")])
def test_few_steps_are_told(
    start: pumice.StaticModel, pairs_file: Path, batch: int, told: str
) -> None:
    lines: list[str] = []
    options = TrainOptions(
        dims=(16,),
        batch_size=batch,
        hold_out=0,
        progress=lambda done, steps, line: lines.append(line),
    )
    pumice.train(pairs_file, start=start, options=options)
    found = [line for line in lines if "in all" in line]
    assert len(found) == bool(told)
    assert all(line.startswith(told) for line in found)


@pytest.mark.parametrize("flag", ["--teacher", "--align-to"])
def test_a_bad_line_is_found_before_a_teacher_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complains: Callable[..., None], flag: str
) -> None:
    """The teacher is not even there: what is read first is what is named."""
    monkeypatch.chdir(tmp_path)
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(10))
    teacher = [flag, "./gone", "-o", "m.pumice"]
    (tmp_path / "empty.jsonl").touch()

    def given(*arguments: str, message: str) -> None:
        complains([*teacher, *arguments], code=1, message=message)

    given("--pairs", "p.jsonl", "empty.jsonl", message="empty.jsonl: holds no pair")
    given("--pairs", "p.jsonl", "--eval", ".", message="corpus.jsonl: cannot be read")
    given("--pairs", "p.jsonl", "--device", "none", message="device none: ")
    file.write_text(file.read_text() + "{")
    given("--pairs", "p.jsonl", message="p.jsonl:11: not a JSON object")
    (tmp_path / "c.jsonl").write_text('{"text": 5}')
    if flag == "--teacher":  # pairs are made of it, and so it is read, before any alignment
        given("--corpus", "c.jsonl", message='c.jsonl:1: "text" is a number')


def test_random_start(pairs_file: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer_json()))
    arguments = ["train", "--pairs", str(pairs_file), "--random", str(tmp_path), "--dims", "8"]
    assert main([*arguments, "-o", str(tmp_path / "m.pumice"), "--json"]) == 0
    assert pumice.load(tmp_path / "m.pumice").dimensions == 8


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--dims", "8,8"], 2, "pumice train: error: dims holds 8 twice"),
        (["--dims", "many"], 2, "pumice train: error: --dims many: write whole numbers"),
        (["--columns", "anchor"], 2, "pumice train: error: --columns anchor: write ROLE=NAME"),
        (["--columns", "query=anchor"], 2, "is called, such as anchor=query"),
        (["--batch-size", "0"], 2, "pumice train: error: batch_size is 0"),
        (["--init", "a", "--random", "b"], 2, "not allowed with argument"),
        (["--eval", "gone"], 1, "pumice: gone: no such folder to evaluate on"),
        (["--eval", "."], 1, "corpus.jsonl: cannot be read: No such file"),
        (["--init", "gone.pumice"], 1, "pumice: gone.pumice: no such file"),
        (["--teacher", "./gone"], 1, "pumice: teacher ./gone does not exist"),
        (["--random", "gone.json"], 1, "pumice: gone.json: cannot be read: No such file"),
        (["-o", "gone/m.pumice"], 1, "pumice: gone: no such folder to write the model to"),
        (["--pairs", "gone.jsonl"], 1, "pumice: gone.jsonl: no such file or folder"),
        (["--code-share", "0.5"], 2, "--code-share has no use without --codes"),
        (["--pairs", "p.jsonl:0"], 2, "pumice train: error: p.jsonl:0: weight 0"),
    ],
)
def test_mistakes_are_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    complains: Callable[..., None],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "p.jsonl", make_pairs(10))
    complains(["--pairs", "p.jsonl", "-o", "m.pumice", *arguments], code=code, message=message)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.jsonl"]


def test_a_dimension_past_the_starts_is_told(
    start_file: Path, pairs_file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["train", "--pairs", str(pairs_file), "--init", str(start_file), "--json"]
    assert main([*arguments, "--dims", "100", "-o", str(tmp_path / "m.pumice")]) == 0
    assert "of 100 begin as small noise" in capsys.readouterr().err


def test_codes_need_pairs(inside: Callable[[str], Path], complains: Callable[..., None]) -> None:
    write_jsonl(inside("c.jsonl"), [{"text": pair["positive"]} for pair in make_pairs(10)])
    given = ["--corpus", "c.jsonl", "--teacher", "x", "-o", "m.pumice", "--codes", "binary"]
    complains(given, code=2, message="--codes has no use without pairs: give --pairs")


def test_a_batch_larger_than_the_data_is_told(
    start_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = write_jsonl(tmp_path / "p.jsonl", make_pairs(20))
    arguments = ["train", "--pairs", str(pairs), "--init", str(start_file), "--hold-out", "0"]
    assert main([*arguments, "--batch-size", "64", "-o", str(tmp_path / "m.pumice")]) == 0
    told = "p: 20 pairs; fewer than a batch of 64: its batches are of 20"
    assert capsys.readouterr().err.splitlines()[0] == told


def test_how_tokens_count_reaches_the_model(start_file: Path, tmp_path: Path) -> None:
    pairs = write_jsonl(tmp_path / "p.jsonl", make_pairs(20))
    arguments = ["train", "--pairs", str(pairs), "--init", str(start_file), "--repeats", "0.5"]
    assert main([*arguments, "--lead", "20", "-o", str(tmp_path / "m.pumice"), "--json"]) == 0
    counting = pumice.load(tmp_path / "m.pumice").parts().counting
    assert counting.repeats
    assert counting.positions


def test_a_typo_is_no_option(pairs_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--pair", str(pairs_file), "-o", "m.pumice"]) == 2
    assert "--pairs" in capsys.readouterr().err
