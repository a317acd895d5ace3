"""STS files in every form; Spearman's correlation against scipy's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.cli import main
from pumice.evaluate import Model
from pumice.evaluate.sts import measure_sts, read_pairs, spearman

PAIRS = [
    ("bread and salt", "bread and salt", 5.0),
    ("bread and salt", "bread and water", 3.5),
    ("bread and salt", 'the "old" piano', 0.0),
    ("", "a piano", 0.0),
]


def test_every_form_says_the_same(tmp_path: Path) -> None:
    tsv, jsonl, csv_file = (tmp_path / f"pairs.{kind}" for kind in ("tsv", "jsonl", "csv"))
    lines = ["score\tgenre\tsentence1\tsentence2"]
    lines += [f"{score}\tnews\t{a}\t{b}" for a, b, score in PAIRS]
    tsv.write_text("\n".join(lines) + "\n", "utf-8")
    jsonl.write_text(
        "".join(
            json.dumps({"sentence1": a, "sentence2": b, "score": score}) + "\n"
            for a, b, score in PAIRS
        ),
        "utf-8",
    )
    quoted = ["sentence1,sentence2,score"]
    quoted += [f'"{a}","{b.replace(chr(34), chr(34) * 2)}",{score}' for a, b, score in PAIRS]
    csv_file.write_text("\n".join(quoted) + "\n", "utf-8")
    for path in (tsv, jsonl, csv_file):
        pairs = read_pairs(path)
        assert list(zip(pairs.first, pairs.second, pairs.scores.tolist(), strict=True)) == PAIRS


def test_spearman_is_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(5)
    for _ in range(20):
        one, other = rng.integers(0, 9, (2, 40)).astype(float)  # many ties
        assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
    assert spearman(np.ones(5), np.arange(5.0)) == 0


def test_a_model_is_measured_at_each_prefix(tmp_path: Path, model: pumice.StaticModel) -> None:
    path = tmp_path / "tiny.jsonl"
    path.write_text(
        "".join(
            json.dumps({"sentence1": a, "sentence2": b, "score": score}) + "\n"
            for a, b, score in PAIRS[:3]
        )
    )
    figures = measure_sts(Model("random", model, model, static=True), read_pairs(path))
    assert [figure.dim for figure in figures] == [64, 32, 16]
    assert figures[0].spearman == pytest.approx(1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", r'pairs\.tsv:1: the header has no "sentence1"'),
        ("sentence1\tsentence2\tscore\n", "has 0 pairs"),
        ("sentence1\tsentence2\tscore\na\tb\n", r"pairs\.tsv:2: has 2 columns, the header 3"),
        ("sentence1\tsentence2\tscore\na\tb\tx\n", r"pairs\.tsv:2: the score 'x' is no number"),
        ("sentence1\tsentence2\tscore\na\tb\tnan\n", r"pairs\.tsv:2: the score 'nan' is no number"),
        ("sentence1\tsentence2\tscore\na\tb\t1\na\tc\t1\n", "every score is 1: nothing correlates"),
        ("sentence1\tsentence2\tscore\na\rb\tc\t1\n", r"pairs\.tsv:2: not CSV"),
        ("a" * (65 << 20), r"pairs\.tsv:1: not CSV: field larger than field limit"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text(content, "utf-8")
    with pytest.raises(pumice.PumiceError, match=said):
        read_pairs(path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tiny.tsv"
    lines = [f"{a}\t{b}\t{score}" for a, b, score in PAIRS]
    path.write_text("\n".join(["sentence1\tsentence2\tscore", *lines]) + "\n", "utf-8")
    assert main(["eval", "--sts", str(path)]) == 0
    assert "tiny  pumice-base-en  512" in capsys.readouterr().out
    assert main(["eval", "--json", "--sts", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["sts"][0]["pairs"] == 4
    assert main(["eval", "bm25", "--sts", str(path)]) == 1
    assert "bm25 has no vectors" in capsys.readouterr().err
