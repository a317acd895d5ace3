"""Whole runs: they learn, repeat bit for bit, go on after a real SIGKILL, stop at NaN, tell what was done."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pumice
from pumice import _core
from pumice.errors import InputError
from pumice.modelfile.counting import counting_of
from pumice.train import Source, TrainOptions
from pumice.train.initial import random_model, starting_table
from tests.train.conftest import make_pairs, tokenizer_json, write_jsonl

torch = pytest.importorskip("torch")

QUICK = TrainOptions(
    batch_size=64, epochs=4, learning_rate=0.1, evaluations=4, hold_out=0.1, threads=2
)


def beir_folder(folder: Path, pairs: Sequence[dict[str, str]]) -> Path:
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": f"d{i}", "title": "", "text": p["positive"]} for i, p in enumerate(pairs)]
    queries = [{"_id": f"q{i}", "text": p["anchor"]} for i, p in enumerate(pairs)]
    for name, records in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    judged = "".join(f"q{i}\td{i}\t1\n" for i in range(len(pairs)))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    return folder


def test_a_run_learns_and_repeats_itself(start: pumice.StaticModel, pairs_file: Path) -> None:
    first, second = (pumice.train(pairs_file, start=start, options=QUICK) for _ in range(2))
    assert first.model.fingerprint == second.model.fingerprint
    assert first.history == second.history
    before = np.mean([figure.ndcg for figure in first.first_figures])
    after = np.mean([figure.ndcg for figure in first.figures])
    assert after > before + 0.1
    losses = np.array([one[1:] for one in first.history["losses"]])
    assert (losses[-5:].mean(0) < losses[:5].mean(0)).all()
    assert first.model.prefixes == (4, 8, 16)
    assert first.model.metadata["dtype"] == "int8"
    assert first.model.metadata["license"] == ""  # that of the start is not that of the pairs
    other = pumice.train(pairs_file, start=start, options=replace(QUICK, seed=1))
    assert other.model.fingerprint != first.model.fingerprint


@pytest.mark.parametrize("settings", [{}, {"symmetric": False}, {"codes": ("binary", "int8")}])
def test_kernels_of_both_kinds_learn_alike(
    start: pumice.StaticModel, pairs_file: Path, settings: dict[str, Any]
) -> None:
    options = replace(QUICK, **settings)
    own, torchs = (
        pumice.train(pairs_file, start=start, options=replace(options, kernels=kernels))
        for kernels in ("auto", "torch")
    )
    apart = [np.array(one.history["losses"])[:, 1:] for one in (own, torchs)]
    np.testing.assert_allclose(apart[0], apart[1], rtol=2e-3)
    if _core.training_kernels():
        assert own.model.fingerprint != torchs.model.fingerprint
    # A file of torch's arithmetic is that of a version which had no other.
    assert own.model.metadata["provenance"]["settings"]["kernels"] == "auto"
    assert "kernels" not in torchs.model.metadata["provenance"]["settings"]


def test_counting_is_trained_with_and_kept(start: pumice.StaticModel, tmp_path: Path) -> None:
    pairs = [{**p, "positive": f"{p['positive']} the the the of of"} for p in make_pairs(300)]
    file = write_jsonl(tmp_path / "p.jsonl", pairs)
    folder = beir_folder(tmp_path / "own", pairs[:40])
    options = replace(QUICK, repeats=0.5, lead=5, dtype="float32")
    trained = pumice.train(file, start=start, evaluation=[folder], options=options)
    counting = trained.model.parts().counting
    assert counting == counting_of(repeats=0.5, lead=5)
    # What was measured in training is what the model's own vectors give.
    queries = trained.model.encode([p["anchor"] for p in pairs[:40]])
    documents = trained.model.encode([p["positive"] for p in pairs[:40]])
    hits = float(((queries @ documents.T).argmax(1) == np.arange(40)).mean())
    assert [f.accuracy for f in trained.figures if f.name == "own" and f.dim == 16] == [hits]
    again = pumice.train(file, start=trained.model, options=QUICK)
    assert again.model.parts().counting == counting


@pytest.mark.parametrize("dtype", ["int8", "int4", "int2"])
def test_figures_are_those_of_the_stored_model(
    start: pumice.StaticModel, tmp_path: Path, dtype: str
) -> None:
    pairs = make_pairs(300)
    file = write_jsonl(tmp_path / "p.jsonl", pairs)
    folder = beir_folder(tmp_path / "own", make_pairs(40, seed=9))
    options = replace(QUICK, dtype=dtype)
    training = pumice.train(file, start=start, evaluation=[folder], options=options)
    assert training.model.metadata["dtype"] == dtype
    measured = {(f.name, f.dim): f for f in training.figures}
    evaluation = make_pairs(40, seed=9)
    for dim in (4, 8, 16):
        queries = training.model.encode([p["anchor"] for p in evaluation], dim=dim)
        documents = training.model.encode([p["positive"] for p in evaluation], dim=dim)
        scores = queries @ documents.T
        own = np.diag(scores)
        ranks = (scores > own[:, None]).sum(1)
        expected = np.where(ranks < 10, 1 / np.log2(ranks + 2), 0).mean()
        assert measured["own", dim].ndcg == pytest.approx(
            expected, abs=0.02
        )  # rounding breaks ties


def test_every_start(start: pumice.StaticModel, pairs_file: Path) -> None:
    random = random_model(tokenizer_json(), dim=12, seed=1)
    options = replace(QUICK, epochs=1, dims=(12, 6), sif_coefficient=1e-2, dtype="float32")
    made = pumice.train(pairs_file, start=random, options=options)
    assert made.model.prefixes == (6, 12)
    assert made.model.metadata["license"] == ""
    longer = pumice.train(pairs_file, start=start, options=replace(options, dims=(24, 8)))
    assert longer.model.dimensions == 24
    filtered = replace(options, dims=(16,), false_negative_margin=0.1, patience=1)
    assert pumice.train(pairs_file, start=start, options=filtered).model.dimensions == 16


def test_starting_rows_carry_weights_scales_and_shared_rows() -> None:
    from pumice.modelfile import ModelParts

    parts = ModelParts(
        tokenizer_json(),
        np.array([[100, 0], [0, 50]], np.int8),
        token_rows=np.array([0, 1, 1], np.uint32),
        token_weights=np.array([1, 2, 4], np.float32),
        row_scales=np.array([0.5, 1.0], np.float32),
    )
    table = starting_table(parts, dim=3, seed=0)
    ratio = table[:, :2] / table[0, 0]
    np.testing.assert_allclose(ratio, [[1, 0], [0, 2], [0, 4]], rtol=1e-6)
    assert np.sqrt(np.square(table[:, :2]).mean()) == pytest.approx(1)
    assert 0 < np.abs(table[:, 2]).max() < 1
    counts = np.array([0, 10, 30])
    weighted = starting_table(parts, dim=2, seed=0, counts=counts, sif_coefficient=0.25)
    np.testing.assert_allclose(weighted[2, 1] / weighted[0, 0], 4 * 0.25 / 1.0, rtol=1e-6)


def test_not_a_number_stops_with_the_best_state(
    start: pumice.StaticModel, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pumice.train.loop import Loop

    update = Loop.update

    def damaged(self: Loop, batch: object, step: int) -> list[float]:
        if step == 20:
            self._table[5:] = float("inf")
        return update(self, batch, step)  # type: ignore[arg-type]

    monkeypatch.setattr(Loop, "update", damaged)
    training = pumice.train(pairs_file, start=start, options=QUICK)
    assert training.diverged
    assert training.stopped.startswith("the loss became nan at step 21 (source pairs): ")
    assert training.history["best_step"] <= 20
    assert np.isfinite(training.model.encode("the ba")).all()
    assert "The run ended early" in training.card


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dims": (8, 8)}, "dims holds 8 twice"),
        ({"dims": ()}, "dims is ()"),
        ({"dims": (8, -4)}, "dims holds -4"),
        ({"dims": (8, True)}, "dims holds True"),
        ({"dims": (8,), "dim_weights": (1.0, 2.0)}, "dim_weights has 2 numbers and dims 1"),
        ({"dims": (8,), "dim_weights": (0,)}, "dim_weights are all 0"),
        ({"batch_size": 1}, "batch_size is 1: give a number from 2"),
        ({"batch_size": 2.5}, "batch_size is 2.5: give a whole number"),
        ({"epochs": float("nan")}, "epochs is nan"),
        ({"scale": 100}, "scale is 100: give a number from 0.1 to 40"),
        ({"learning_rate": "big"}, "learning_rate is 'big'"),
        ({"columns": {"question": "q"}}, "columns names 'question'"),
        ({"dtype": "int3"}, "dtype 'int3' is not one of"),
        ({"kernels": "mkl"}, "kernels 'mkl' is not one of auto, torch"),
        ({"symmetric": 1}, "symmetric is 1"),
        ({"device": "abacus"}, "device abacus: "),
        ({"name": "a\udcff"}, "name holds a lone surrogate"),
    ],
)
def test_settings_that_are_none(
    pairs_file: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as raised:
        pumice.train(pairs_file, options=TrainOptions(**settings))  # type: ignore[arg-type]
    assert message in str(raised.value)


def command(folder: Path, start_file: Path, *more: str) -> list[str]:
    settings = "--batch-size 64 --epochs 30 --learning-rate 0.1 --evaluations 6 --threads 2"
    pairs = ["--pairs", str(folder / "pairs.jsonl"), "--init", str(start_file)]
    run = [sys.executable, "-m", "pumice.cli", "train", *pairs, *settings.split()]
    return [*run, "--checkpoint-seconds", "0", "-o", "m.pumice", *more]


def test_a_killed_run_goes_on_to_the_same_model(start: pumice.StaticModel, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", make_pairs(600, negatives=True))
    start.save(tmp_path / "start.pumice")
    folders = [tmp_path / "whole", tmp_path / "killed"]
    for folder in folders:
        folder.mkdir()
    arguments = command(tmp_path, tmp_path / "start.pumice")
    subprocess.run(arguments, cwd=folders[0], check=True, capture_output=True, timeout=120)
    killed = subprocess.Popen(arguments, cwd=folders[1], stderr=subprocess.DEVNULL)
    state = folders[1] / "m.pumice.training" / "state.npz"
    deadline = time.monotonic() + 60
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(0.1)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert state.exists()
    assert not (folders[1] / "m.pumice").exists()

    other = subprocess.run(
        [*arguments, "--seed", "9"], cwd=folders[1], capture_output=True, text=True, timeout=120
    )
    assert other.returncode == 1
    assert (
        "m.pumice.training: holds another run, with seed 0, not 9: "
        in other.stderr.splitlines()[-1]
    )

    again = subprocess.run(arguments, cwd=folders[1], capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    assert "going on after step" in again.stderr
    whole, resumed = ((folder / "m.pumice").read_bytes() for folder in folders)
    assert whole == resumed
    assert (folders[0] / "m.svg").read_bytes() == (folders[1] / "m.svg").read_bytes()
    assert sorted(path.name for path in folders[1].iterdir()) == ["m.md", "m.pumice", "m.svg"]


def test_a_damaged_state_is_refused(start: pumice.StaticModel, pairs_file: Path) -> None:
    from pumice.train.checkpoint import RunFolder, State

    folder = pairs_file.parent / "run"
    kept = RunFolder(folder, {"seed": 1})
    kept.save(State(3, {}, {"table": np.ones((2, 2), np.float32)}))
    assert RunFolder(folder, {"seed": 1}).load().step == 3  # type: ignore[union-attr]
    data = (folder / "state.npz").read_bytes()
    (folder / "state.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"state.npz: is damaged: remove .*run to begin anew"):
        kept.load()
    (folder / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run.json: is damaged"):
        RunFolder(folder, {"seed": 1})


def test_a_run_goes_on_only_where_sums_round_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pumice.train import checkpoint

    def opened() -> object:
        return checkpoint.RunFolder.of(tmp_path / "run", QUICK, dims=(64,), threads=1, run={})

    monkeypatch.setattr(checkpoint, "native_kernels", lambda choice: "avx512")
    assert opened()
    monkeypatch.setattr(checkpoint, "native_kernels", lambda choice: "avx2")
    assert opened()  # the same bits
    monkeypatch.setattr(checkpoint, "native_kernels", lambda choice: None)
    with pytest.raises(InputError, match=r'with kernels "native", not "torch": repeat'):
        opened()


def test_one_source_smaller_than_a_batch(start: pumice.StaticModel, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(10))
    options = replace(QUICK, batch_size=4096, epochs=1, hold_out=0)
    training = pumice.train(Source(str(file), 3.0), start=start, options=options)
    assert len(training.history["losses"]) == 1
    assert training.figures == []
    assert "nothing was measured" in training.card


def test_real_pairs_teach_random_rows(model: pumice.StaticModel, data_dir: Path) -> None:
    files = [data_dir / "train" / f"{name}.jsonl.xz" for name in ("tldr_en", "medquad")]
    options = TrainOptions(batch_size=512, epochs=0.2, evaluations=1, dims=(64,), hold_out=0.05)
    training = pumice.train(files, start=model, options=options)
    before = np.mean([figure.ndcg for figure in training.first_figures])
    assert np.mean([figure.ndcg for figure in training.figures]) > before + 0.05
