"""Cross-encoder labels by a real, tiny cross-encoder: lists with scores, runs that learn them, mistakes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import pumice
from pumice.cli import main
from pumice.errors import InputError
from pumice.train import Pair, Source, TrainOptions
from pumice.train.dataset import tokenize_sources
from pumice.train.drawn import Drawn
from pumice.train.tokens import TokenMemory
from tests.train.conftest import make_pairs, write_jsonl
from tests.train.cross_encoders import listed

QUICK = TrainOptions(
    batch_size=64, epochs=2, learning_rate=0.1, evaluations=2, hold_out=0.1, threads=2
)


HOSTILE = [
    ({"scores": [1.0, 2.0]}, '"scores" has length 2 for 2 negatives'),
    ({"scores": [1.0, 2.0, float("nan")]}, '"scores" holds nan: give numbers from'),
    ({"scores": [1.0, 2.0, 10**400]}, '"scores" holds 1000'),
    ({"scores": [1.0, 2.0, "3"]}, '"scores" holds a string, not a number'),
    ({"scores": [1.0, 2.0, True]}, '"scores" holds true or false, not a number'),
    ({"scores": 3}, '"scores" is a number, not a list of numbers'),
    ({"scores": [1.0], "negatives": []}, 'has "scores" and no negative'),
    ({"negatives": "a text"}, '"negatives" is a string, not a list of strings'),
    ({"negatives": ["a", ""]}, '"negatives[1]" is empty'),
    ({"negatives": ["a", None]}, '"negatives[1]" is null, not a string'),
    ({"negative": "a"}, 'has "negative" and "negatives": put all into the second'),
    ({"positive": None}, '"positive" is null'),
]


@pytest.mark.parametrize(("fields", "message"), HOSTILE)
def test_hostile_lists(
    start: pumice.StaticModel, tmp_path: Path, fields: dict[str, object], message: str
) -> None:
    good = {"anchor": "bata", "positive": "dori", "negatives": ["fipek", "kusun"]}
    file = write_jsonl(tmp_path / "p.jsonl", [good, {**good, **fields}])
    with pytest.raises(InputError) as raised:
        pumice.train(file, start=start)
    assert f"p.jsonl:2: {message}" in str(raised.value)


def as_records(pairs: Sequence[Pair], *, scores: bool = True) -> list[dict[str, object]]:
    rng = np.random.default_rng(0)
    return [
        {
            "anchor": pair.anchor,
            "positive": pair.positive,
            "negatives": [*pair.negatives],
            **({"scores": rng.normal(size=1 + len(pair.negatives)).tolist()} if scores else {}),
        }
        for pair in pairs
    ]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_lists_and_scores_come_with_the_pairs(
    start: pumice.StaticModel, tmp_path: Path, kind: str
) -> None:
    records = as_records(listed(50, negatives=4))
    records[3]["negatives"][1] = "zzz"  # type: ignore[index]  # no token: no candidate
    records[4] = {"anchor": "bata", "positive": "dori", "negatives": ["zzz"], "scores": [1, 2]}
    file = tmp_path / f"p.{kind}"
    if kind == "jsonl":
        write_jsonl(file, records)
    else:
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow.Table.from_pylist(records), file)
    options = replace(QUICK, hold_out=0)
    (source,) = tokenize_sources(
        [Source(str(file))], start, options, TokenMemory(1 << 40, tmp_path)
    )
    assert source.counts["labelled"] == 49
    assert len(source.negatives.texts) < 4 * 50  # each text once
    chosen = np.array([7, 3, 4, 30])
    drawn = Drawn.of(source, chosen, options, step=1)
    assert drawn.ranked == 3
    lists = drawn.lists(source, chosen, device="cpu")
    assert lists is not None
    ids = [*source.anchors.take(chosen), *source.positives.take(chosen)]
    ids += source.take_passages(source.negatives.passages[drawn.places])
    for row, number in enumerate((7, 3, 30)):
        record = records[number]
        texts = [record["positive"], *record["negatives"]]  # type: ignore[misc]
        wanted = [
            (score, start.tokenize(text))
            for score, text in zip(record["scores"], texts, strict=True)  # type: ignore[call-overload]
            if text != "zzz"
        ]
        inside = lists.present[row]
        assert lists.anchors[row] == [0, 1, 3][row]
        made = lists.candidates[row][inside].tolist()
        assert [ids[place].tolist() for place in made] == [tokens for _, tokens in wanted]
        assert lists.scores[row][inside].tolist() == pytest.approx([s for s, _ in wanted], rel=1e-6)
    used = np.concatenate((lists.anchors, lists.candidates[lists.present]))
    assert len(set(used.tolist())) == len(used)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("kind", ["kl", "margin-mse"])
def test_scores_are_learnt(
    start: pumice.StaticModel, tmp_path: Path, kind: str, weight: float
) -> None:
    """Every positive is scored below its negatives: what labels alone must turn round."""
    records = as_records(listed(200))
    for record in records:
        record["scores"] = [-5.0, 5.0, 5.0, 5.0]
    file = write_jsonl(tmp_path / "p.jsonl", records)
    options = replace(QUICK, hold_out=0, epochs=12, label_loss=kind, label_weight=weight)
    training = pumice.train(file, start=start, options=options)

    def margin(model: pumice.StaticModel) -> float:
        first = [r["negatives"][0] for r in records]  # type: ignore[index]
        columns = [[r[name] for r in records] for name in ("anchor", "positive")]
        anchors, positives, negatives = (model.encode(texts) for texts in (*columns, first))
        return float((anchors * positives - anchors * negatives).sum(1).mean())

    if weight == 1:
        assert margin(training.model) < margin(start) - 0.1
    if weight == 0:
        assert margin(training.model) > margin(start)
    again = pumice.train(file, start=start, options=options)
    assert again.model.fingerprint == training.model.fingerprint


def test_a_better_negative_is_none(start: pumice.StaticModel, tmp_path: Path) -> None:
    from pumice.train.contrastive import Contrastive
    from pumice.train.initial import starting_table
    from pumice.train.lanes import Lanes

    records = as_records(listed(40, negatives=1))
    for number, record in enumerate(records):
        record["scores"] = [1.0, float(number % 2 * 2)]
    file = write_jsonl(tmp_path / "p.jsonl", records)
    options = replace(QUICK, hold_out=0)
    data = tokenize_sources([Source(str(file))], start, options, TokenMemory(1 << 40, tmp_path))
    table = torch.from_numpy(starting_table(start.parts(), dim=16, seed=0))
    with Lanes(1) as lanes:
        objective = Contrastive(table, data, (16,), options=options, lanes=lanes)
        batch = objective.prepare(0)
        order = objective.plan.batch(0).pairs.tolist()
    assert batch.excluded is not None
    excluded = set(
        zip(batch.excluded.anchors.tolist(), batch.excluded.candidates.tolist(), strict=True)
    )
    own = {(row, 40 + row) for row, pair in enumerate(order) if pair % 2}
    assert own <= excluded
    assert not {(row, 40 + row) for row, pair in enumerate(order) if not pair % 2} & excluded


def test_the_whole_path_repeats_itself(
    start: pumice.StaticModel, encoder_folder: Path, tmp_path: Path
) -> None:
    pairs = [Pair(p["anchor"], p["positive"]) for p in make_pairs(300)]
    lines: list[str] = []
    options = replace(
        QUICK,
        cross_encoder=str(encoder_folder),
        mine=3,
        progress=lambda step, steps, line: lines.append(line) if line else None,
    )
    made = [
        pumice.train(Source("mine", pairs=pairs), start=start, options=options) for _ in range(2)
    ]
    assert made[0].model.fingerprint == made[1].model.fingerprint
    told = made[0].model.metadata["provenance"]["sources"][0]
    assert told["mined"] > 500
    assert 200 < told["labelled"] <= 300
    assert "hard negatives mined" in made[0].card
    assert any(line.startswith("mine: ") and line.endswith("lists scored") for line in lines)
    unlabelled = pumice.train(
        Source("mine", pairs=pairs), start=start, options=replace(options, cross_encoder=None)
    )
    assert unlabelled.model.fingerprint != made[0].model.fingerprint


def test_scores_and_the_runs_settings_are_the_runs(
    start: pumice.StaticModel, encoder_folder: Path, tmp_path: Path
) -> None:
    """What a run keeps in its folder is another run's where it was mined or labelled otherwise."""
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(200))

    class StoppedError(Exception):
        pass

    def stop(step: int, steps: int, line: str) -> None:
        if step == 2 and not line:
            raise StoppedError

    options = replace(QUICK, cross_encoder=str(encoder_folder), mine=3, checkpoint_seconds=0)
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        pumice.train(file, start=start, folder=folder, options=replace(options, progress=stop))
    assert [path.suffix for path in (folder / "labels").iterdir()] == [".scores"]
    for changed, message in (
        ({"mine": 2}, "with mine 3, not 2"),
        ({"label_loss": "margin-mse"}, 'with label_loss null, not "margin-mse"'),
        ({"cross_encoder": None, "mine": 3}, "with cross_encoder "),
    ):
        with pytest.raises(InputError, match=message):
            pumice.train(
                file,
                start=start,
                folder=folder,
                options=replace(options, **changed),  # type: ignore[arg-type]
            )
    whole = pumice.train(file, start=start, options=options)
    resumed = pumice.train(file, start=start, folder=folder, options=options)
    assert resumed.model.fingerprint == whole.model.fingerprint
    with pytest.raises(InputError, match=f"what was trained is kept in {folder}: free some space"):
        resumed.save(tmp_path / "gone" / "m.pumice")  # as where the disk is full
    assert (folder / "state.npz").exists()
    resumed.save(tmp_path / "m.pumice")
    assert not folder.exists()


def test_no_negative_to_score(start: pumice.StaticModel, encoder_folder: Path) -> None:
    pairs = [Pair(p["anchor"], p["positive"]) for p in make_pairs(20)]
    options = replace(QUICK, cross_encoder=str(encoder_folder), mine=0)
    with pytest.raises(InputError, match="no pair has a hard negative for the cross-encoder"):
        pumice.train(Source("mine", pairs=pairs), start=start, options=options)


def test_a_killed_labelling_goes_on_to_the_same_model(
    start: pumice.StaticModel, encoder_folder: Path, tmp_path: Path
) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", make_pairs(1500))
    start.save(tmp_path / "start.pumice")
    given = ["--pairs", str(tmp_path / "pairs.jsonl"), "--init", str(tmp_path / "start.pumice")]
    given += ["--cross-encoder", str(encoder_folder), "--offline", "--threads", "1"]
    run = [sys.executable, "-m", "pumice.cli", "train", *given, "-o", "m.pumice"]
    run += ["--batch-size", "256"]
    folders = [tmp_path / "whole", tmp_path / "killed"]
    for folder in folders:
        folder.mkdir()
    subprocess.run(run, cwd=folders[0], check=True, capture_output=True, timeout=240)
    killed = subprocess.Popen(run, cwd=folders[1], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    kept = folders[1] / "m.pumice.labels"
    while time.monotonic() < deadline:
        if any(file.stat().st_size > 2000 for file in kept.glob("*.scores")):
            break
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    (scores,) = kept.iterdir()
    part = scores.stat().st_size
    subprocess.run(run, cwd=folders[1], check=True, capture_output=True, timeout=240)
    assert 2000 < part < scores.stat().st_size
    assert len({(folder / "m.pumice").read_bytes() for folder in folders}) == 1


def test_a_corpus_alone_makes_a_model(
    start: pumice.StaticModel, encoder_folder: Path, tmp_path: Path
) -> None:
    start.save(tmp_path / "start.pumice")
    corpus = tmp_path / "docs"
    corpus.mkdir()
    records = [
        {
            "title": p["anchor"],
            "text": f"{p['positive']} is a bata of dori. {p['positive']}, kusun.",
        }
        for p in make_pairs(60)
    ]
    write_jsonl(corpus / "docs.jsonl", records)
    output = tmp_path / "m.pumice"
    arguments = ["train", "--corpus", str(corpus), "--init", str(tmp_path / "start.pumice")]
    arguments += ["--cross-encoder", str(encoder_folder), "--mine", "2", "--json"]
    assert main([*arguments, "--label-loss", "margin-mse", "-o", str(output)]) == 0
    sources = pumice.load(output).metadata["provenance"]["sources"]
    assert sources[0]["name"] == "titles"
    assert sources[0]["labelled"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "there is nothing to train on: give --pairs, or a --corpus"),
        (["--pairs", "p.jsonl", "--mine", "-1"], 2, "mine is -1: give a number from 0"),
        (["--pairs", "p.jsonl", "--label-loss", "mse"], 2, "invalid choice: 'mse'"),
        (["--pairs", "p.jsonl", "--label-weight", "2"], 2, "label_weight is 2.0"),
        (
            ["--pairs", "p.jsonl", "--cross-encoder", "x", "--label-weight", "0"],
            2,
            "label_weight is 0: a cross-encoder's scores would not be learnt",
        ),
        (["--pairs", "p.jsonl", "--cross-encoder", "./x"], 1, "cross-encoder ./x does not exist"),
        (["--pairs", "p.jsonl", "--label-loss", "kl"], 1, "no pair has scores to learn: give a"),
        (["--corpus", "gone"], 1, "gone: no such file or folder"),
        (["--corpus", "few.txt"], 1, "the corpus gives too few pairs"),
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
    (tmp_path / "few.txt").write_text("One paragraph.\n")
    complains(["-o", "m.pumice", "--offline", *arguments], code=code, message=message)
    assert not (tmp_path / "m.pumice").exists()
