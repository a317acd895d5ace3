"""Tuning: targets, front and choice by hand; sizes against Edge's own files; the command for real."""

from __future__ import annotations

import json
import os
import random
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pumice
from pumice.cli import main
from pumice.commands.tune import written
from pumice.evaluate import Model
from pumice.evaluate.memory import bytes_in_memory, code_bytes
from pumice.evaluate.tuning import Target, Trial, TuneOptions, parse_target, tune
from pumice.evaluate.tuning.held_out import held_out_queries
from pumice.evaluate.tuning.trial import Candidate
from pumice.evaluate.tuning.tuning import MINIMIZED, choose, pareto, without_excess
from pumice.search import Storage

WORDS = [
    "bread",
    "salt",
    "water",
    "flour",
    "piano",
    "river",
    "snow",
    "mountain",
    "battery",
    "doctor",
    "window",
    "garden",
    "train",
]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    dice = random.Random(3)
    return [
        ". ".join(" ".join(dice.choices(WORDS, k=6)).capitalize() + f" {at}" for _ in range(3))
        + "."
        for at in range(2000)
    ]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("recall@10 >= 0.98", Target("recall@10", 0.98)),
        ("recall@10≥98%", Target("recall@10", 0.98)),
        ("ndcg@10 >= 97 %", Target("nDCG@10", 0.97, relative=True)),
        ("MRR@10 >= 0.5", Target("MRR@10", 0.5)),
    ],
)
def test_targets(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "recall@10",
        "recall@10 > 0.9",
        "recall@5 >= 0.9",
        "recall@10 >= 1.2",
        "x@1 >= .",
        "recall@10 >= 0",
    ],
)
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(pumice.PumiceError, match="is no target: write"):
        parse_target(text)


def trial(quality: float, memory: float, speed: float = 100) -> Trial:
    return Trial(64, Storage(), quality, quality, memory, 256, speed, 1)


def test_the_front_and_the_choice_by_hand() -> None:
    best, middle, small, beaten = trial(1, 256), trial(0.99, 64), trial(0.5, 8), trial(0.98, 128)
    slow, fast = trial(0.99, 64, 10), trial(0.99, 64, 1000)
    trials = [best, middle, small, beaten, slow, fast]
    assert pareto(trials, "memory") == [small, fast, best]
    assert choose(trials, 0.98, "memory") == fast
    assert choose(trials, 0.98, "time") == fast
    assert choose(trials, 0.4, "memory") == small
    assert choose(trials[:-1], 0.995, "memory") == best
    assert choose(trials[1:], 1.0, "memory") is None


def test_what_is_chosen_is_never_beaten() -> None:
    """As large and enough, but faster than what finds more: both are on the front, nothing beats the choice."""
    dice = np.random.default_rng(3)
    lean, thorough = trial(0.985, 64, 900), trial(0.999, 64, 300)
    assert pareto([thorough, lean, trial(0.98, 64, 899)], "memory") == [thorough, lean]
    assert choose([thorough, lean], 0.98, "memory") == lean
    assert choose([trial(0.985, 64, 900), trial(0.99, 64, 900)], 0.98, "memory") == trial(
        0.99, 64, 900
    )
    for minimize in MINIMIZED:
        for _ in range(50):
            trials = [
                trial(*map(float, one)) for one in dice.integers(1, 5, size=(12, 3)) / (4, 1, 1)
            ]
            chosen = choose(trials, 0.5, minimize)
            assert chosen is None or chosen in pareto(trials, minimize)


def test_a_sample_is_not_rescored_whole() -> None:
    storage = Storage(quantize="binary", stages=(64,))
    candidate = Candidate(512, storage, [1.0, 2.0, 4.0, 16.0])
    assert without_excess(candidate, 10_000).oversampling == [
        1.0,
        2.0,
        4.0,
    ]  # 160 of 10,000, not 2,560
    plain = replace(candidate, storage=Storage(quantize="binary"))
    assert without_excess(plain, 10_000).oversampling == [1.0, 2.0, 4.0, 16.0]


@pytest.mark.parametrize("kind", ["int8", "binary", "binary-2", "turbo-2", "product-16"])
def test_sizes_are_those_of_edges_files(tmp_path: Path, model: Any, kind: str) -> None:
    vectors = np.random.default_rng(1).standard_normal((2000, 64)).astype(np.float32)
    storage = Storage(quantize=kind, sparse=False, m=0)
    with pumice.Index(tmp_path / "index", model, storage=storage) as index:
        index.add([{"id": at, "text": "bread"} for at in range(2000)], vectors=vectors)
        index.optimize()
    sizes = [
        os.path.getsize(Path(folder) / name)
        for folder, _, names in os.walk(tmp_path)
        for name in names
        if name == "quantized.data"
    ]
    assert max(sizes) / 2000 == pytest.approx(code_bytes(kind, 64))
    assert bytes_in_memory(storage, dim=64) == code_bytes(kind, 64)


def test_memory_of_stages_and_graphs() -> None:
    assert bytes_in_memory(Storage(m=0), dim=512) == 2048
    assert bytes_in_memory(Storage(m=0, stages=(64,)), dim=512) == 256
    assert bytes_in_memory(Storage(m=0, stages=(128,), quantize="binary"), dim=512) == 16
    assert bytes_in_memory(Storage(m=16, quantize="binary"), dim=512) == 64 + 128
    assert (
        bytes_in_memory(Storage(m=0, quantize="binary", originals="memory"), dim=512) == 64 + 2048
    )


def test_queries_are_sentences_that_their_texts_have_lost(texts: list[str]) -> None:
    documents = {str(at): text for at, text in enumerate(texts)}
    data = held_out_queries("made", documents, queries=40)
    assert len(data.queries) == 40
    for query, sentence in data.queries.items():
        [document] = data.judgments[query]
        assert sentence in documents[document]
        assert sentence not in data.documents[document]
    assert held_out_queries("made", documents, queries=40) == data
    with pytest.raises(pumice.PumiceError, match="only 0 texts have two sentences"):
        held_out_queries("made", {"a": "one"}, queries=40)


def test_the_choice_reaches_the_target(texts: list[str], model: pumice.StaticModel) -> None:
    """On all trials of a small model: what is chosen is enough, and nothing smaller is."""
    data = held_out_queries("made", {str(at): text for at, text in enumerate(texts)}, queries=30)
    found = tune(
        Model("random-64", model, model, static=True),
        data,
        options=TuneOptions(parse_target("recall@10 >= 0.9"), documents=1990),
    )
    assert found.trials[0].recall == 1
    assert found.chosen is not None
    assert found.chosen.recall >= 0.9
    assert found.chosen.memory < found.trials[0].memory
    smaller = [one for one in found.trials if one.memory < found.chosen.memory]
    assert smaller
    assert all(one.recall < 0.9 for one in smaller)


@pytest.mark.slow
def test_the_command(tmp_path: Path, texts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What it writes is an index's own description, and an index made so finds as promised."""
    data, config = tmp_path / "texts.jsonl", tmp_path / "index.json"
    data.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    page = tmp_path / "trials.html"
    wanted = ["--data", str(data), "--target", "recall@10 >= 0.9"]
    assert main(["tune", *wanted, "-o", str(config), "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    assert "<- chosen" in printed
    assert f"pumice index PATH --config {config}" in printed
    settings = json.loads(config.read_text("utf-8"))
    dim = settings.pop("dim")
    storage = Storage.from_json(settings)
    with pumice.Index(tmp_path / "index", dim=dim, storage=storage) as index:
        index.add([{"id": at, "text": text} for at, text in enumerate(texts)])
        assert index.search(texts[7], k=1, mode="dense")[0].id == 7
    assert page.read_text("utf-8").count("<svg") == 2
    assert main(["tune", "--json", *wanted]) == 0
    trials = json.loads(capsys.readouterr().out)
    assert (trials["format"], trials["version"]) == ("pumice-tune", 1)
    assert main(["tune", "--data", str(data), "--target", "MRR@10 >= 1", "-o", str(config)]) == 1
    assert "Nothing reaches MRR@10 >= 1" in capsys.readouterr().out


@pytest.mark.skipif(sys.version_info < (3, 11), reason="reading TOML needs Python 3.11")
def test_settings_in_toml_are_those_in_json() -> None:
    import tomllib

    settings = {"dim": 256, **asdict(Storage(quantize="binary", stages=(64,), oversampling=8))}
    as_toml = tomllib.loads(written(settings, Path("index.toml")))
    as_json = json.loads(written(settings, Path("index.json")))
    assert as_json.pop("dim") == as_toml.pop("dim") == 256
    assert Storage.from_json(as_toml) == Storage.from_json(as_json)


def test_failures_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "texts.txt").write_text("one\n", "utf-8")
    (tmp_path / "asked.txt").write_text("two\n", "utf-8")
    texts, asked = str(tmp_path / "texts.txt"), str(tmp_path / "asked.txt")
    for arguments, said in (
        (["--data", str(tmp_path / "none.txt")], "no such file"),
        (["--data", str(tmp_path)], "has no corpus.jsonl"),
        (["--data", texts], "only 0 texts have two sentences"),
        (["--data", texts, "--model", "bm25"], "bm25 has no vectors"),
        (["--data", texts, "--queries", asked, "--target", "MRR@10 >= 0.5"], "needs judgments"),
        (["--data", texts, "-o", str(tmp_path)], "name a file in it, such as index.json"),
    ):
        assert main(["tune", *arguments]) == 1
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    assert main(["tune", "--data", texts, "--target", "speed"]) == 2
    assert "is no target" in capsys.readouterr().err
