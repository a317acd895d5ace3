"""A teacher beside the pairs: its vectors are those of each text, and its answers are learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

import pumice
from pumice.cli import main
from pumice.errors import InputError
from pumice.train import TrainOptions, train
from pumice.train.contrastive import Contrastive
from pumice.train.dataset import tokenize_sources
from pumice.train.lanes import Lanes
from pumice.train.loop import Loop
from pumice.train.sources import Source
from pumice.train.taught import Reader, TaughtPairs, load_encoder, taught_pairs
from pumice.train.tokens import TokenMemory
from tests.train.conftest import make_pairs, write_jsonl

QUICK = TrainOptions(
    batch_size=64, epochs=6, learning_rate=0.05, evaluations=2, hold_out=0.1, threads=2, seed=3
)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.distill.teachers import make_bert, make_sentence_bert

    made = make_bert(tmp_path_factory.mktemp("bert"))
    return make_sentence_bert(tmp_path_factory.mktemp("sentence-bert"), bert=made)


def test_rows_are_the_vectors_of_each_pairs_texts(
    start: pumice.StaticModel, bert: Path, tmp_path: Path
) -> None:
    records = make_pairs(120, negatives=False)
    others = [*records[50:70], *make_pairs(40, seed=1, negatives=False)]
    files = [
        write_jsonl(tmp_path / "a.jsonl", records),
        write_jsonl(tmp_path / "b.jsonl", others),
    ]
    encoder = load_encoder(bert, QUICK)
    reader = Reader.of(encoder, QUICK, threads=2, kept=None, files=tmp_path / "files")
    sources = [Source(str(file)) for file in files]
    data = tokenize_sources(sources, start, QUICK, TokenMemory(1 << 30, tmp_path))
    taught = taught_pairs(sources, data, (reader, reader), QUICK)
    vectors = taught[0].queries
    assert all(one.queries is vectors and one.documents is vectors for one in taught)
    assert len(np.unique(vectors, axis=0)) == len(vectors)
    for one, source in zip(taught, (records, others), strict=True):
        chosen = np.array([5, 0, 31])
        sides = one.take(chosen, device="cpu")
        for made, name in zip(sides, ("anchor", "positive"), strict=True):
            wanted = encoder.encode([source[i][name] for i in chosen])
            np.testing.assert_allclose(made.numpy(), wanted, atol=2e-3)
    with files[1].open("a") as file:
        file.write('{"anchor": "one", "positive": "more"}\n')
    with pytest.raises(InputError, match=r"b.jsonl: has changed since it was read: start again"):
        taught_pairs(sources, data, (reader, reader), QUICK)


def test_answers_are_learnt(start: pumice.StaticModel, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(600, negatives=False))
    memory = TokenMemory(1 << 30, tmp_path)
    options = replace(QUICK, hold_out=0, epochs=20, teacher_share=1.0)
    (data,) = tokenize_sources([Source(str(file))], start, options, memory)
    rng = np.random.default_rng(5)
    rows, table = (
        rng.standard_normal((len(start.tokens), 16)).astype(np.float32) for _ in range(2)
    )
    texts = [*data.anchors.take(data.train), *data.positives.take(data.train)]

    def pooled(table: NDArray[np.float32]) -> NDArray[np.float32]:
        means = np.array([table[ids].mean(0) for ids in texts])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    count = len(data.train)
    places = np.zeros(len(data.anchors), np.int64)
    places[data.train] = np.arange(count)
    vectors = pooled(rows).astype(np.float16)
    taught = TaughtPairs(vectors, vectors, places, places + count)
    agreements = []
    for teacher in ([taught], None):
        with Lanes(2) as lanes:
            begun = torch.from_numpy(table.copy())
            objective = Contrastive(
                begun, [data], (16,), options=options, lanes=lanes, taught=teacher
            )
            loop = Loop(table.copy(), objective, (16,), options=options, lanes=lanes)
            trained = loop.run(None, folder=None).rows
        cosines = [
            (v[:count] @ v[count:].T)[~np.eye(count, dtype=bool)]
            for v in map(pooled, (trained, rows))
        ]
        agreements.append(float(np.corrcoef(cosines)[0, 1]))
    assert agreements[0] > 0.9 > agreements[1] + 0.1


def test_a_share_of_nothing_changes_nothing(
    start: pumice.StaticModel, bert: Path, tmp_path: Path
) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(400, negatives=False))
    options = replace(QUICK, dtype="float32", hold_out=0)
    without = train(file, start=start, options=options)
    nothing = train(file, start=start, teacher=bert, options=replace(options, teacher_share=0.0))
    assert nothing.history == without.history
    whole = [
        train(file, start=start, teacher=bert, options=replace(options, teacher_share=1.0))
        for _ in range(2)
    ]
    assert whole[0].model.fingerprint == whole[1].model.fingerprint
    assert whole[0].model.fingerprint != without.model.fingerprint
    assert "1 of each target answered by" in whole[0].card
    assert whole[0].model.metadata["provenance"]["teacher_dtype"] in ("float32", "bfloat16")


def test_a_static_model_teaches(start: pumice.StaticModel, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(400, negatives=False))
    options = replace(QUICK, dtype="float32", hold_out=0)
    better = train(file, start=start, options=replace(options, name="better")).model
    better.save(tmp_path / "better.pumice")
    encoder = load_encoder(tmp_path / "better.pumice", options)
    texts = ["ba ta do", "x y z", ""]
    np.testing.assert_allclose(encoder.encode(texts), better.encode(texts), atol=1e-6)
    alone = replace(options, teacher_share=1.0)
    taught = train(file, start=start, teacher=tmp_path / "better.pumice", options=alone)
    assert taught.model.metadata["provenance"]["teacher"] == "better"
    texts = [pair["positive"] for pair in make_pairs(100, seed=4, negatives=False)]

    def cosines(model: pumice.StaticModel) -> NDArray[np.float32]:
        made: NDArray[np.float32] = model.encode(texts) @ model.encode(texts).T
        return made[~np.eye(len(texts), dtype=bool)]

    agrees = [np.corrcoef(cosines(one), cosines(better))[0, 1] for one in (taught.model, start)]
    assert agrees[0] > agrees[1]
    # The command starts from such a teacher, where nothing else is said.
    out = tmp_path / "m.pumice"
    arguments = ["train", "--pairs", str(file), "-o", str(out), "--batch-size", "64", "--threads"]
    arguments += ["2", "--teacher", str(tmp_path / "better.pumice"), "--teacher-share", "0.8"]
    assert main(arguments) == 0
    made = pumice.load(out).metadata["provenance"]["start"]["fingerprint"]
    assert made == better.fingerprint


def test_a_reading_teacher_says_how_far_it_is(
    start: pumice.StaticModel, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the texts of one file too: several thousand take a transformer minutes."""
    monkeypatch.setattr("pumice.train.taught._SILENT_SECONDS", 0.0)
    monkeypatch.setattr("pumice.teachers.sentences._TOKENS", 256)
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(100))
    lines: list[str] = []
    options = replace(
        QUICK, epochs=1, teacher_share=0.5, progress=lambda step, steps, line: lines.append(line)
    )
    train(file, start=start, teacher=bert, options=options)
    told = [line for line in lines if line.startswith("teacher: ")]
    assert told[0].endswith(" reads 200 texts")
    assert told[-1].startswith("teacher: 200 of 200 texts, ")
    counts = [int(line.split()[1]) for line in told[1:-1]]
    assert len(counts) > 5
    assert counts == sorted(set(counts))
    assert all(line.endswith(" of 200 texts") for line in told[1:-1])


def test_the_command_keeps_vectors_and_names_mistakes(
    start: pumice.StaticModel, bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(200))
    start.save(tmp_path / "start.pumice")
    arguments = ["train", "--pairs", str(file), "--init", str(tmp_path / "start.pumice")]
    arguments += ["-o", str(tmp_path / "m.pumice"), "--teacher-vectors", str(tmp_path / "kept")]
    arguments += ["--batch-size", "64", "--threads", "2"]
    kept = arguments
    taught = [*arguments, "--teacher", str(bert), "--teacher-share", "0.8"]
    made = []
    assert main([*taught, "--teacher-tokens", "4"]) == 0
    assert (tmp_path / "m.pumice").exists()
    for _ in range(2):
        assert main(taught) == 0
        made.append((tmp_path / "m.pumice").read_bytes())
    assert made[0] == made[1]
    assert "texts were read before" in capsys.readouterr().err
    arguments = arguments[:-6] + arguments[-4:]  # vectors with the run's state go with it
    assert main([*arguments, "--teacher", str(bert), "--teacher-share", "0.8"]) == 0
    assert (tmp_path / "m.pumice").read_bytes() == made[0]
    assert not (tmp_path / "m.pumice.training").exists()
    for wrong, message in (
        ([*arguments, "--teacher-share", "0.8"], "--teacher-share needs a --teacher"),
        ([*kept, "--teacher", str(bert)], "--teacher-vectors has no use without"),
        ([*arguments, "--teacher-tokens", "64"], "--teacher-tokens has no use without"),
        (
            [*taught, "--teacher-tokens", "257"],
            "teacher_tokens is 257, but max_tokens cuts texts at",
        ),
        ([*taught, "--teacher-share", "1.5"], "teacher_share is 1.5: give a number"),
    ):
        assert main(wrong) == 2
        assert message in capsys.readouterr().err
    with pytest.raises(InputError, match="teacher_share is 'x'"):
        TrainOptions(teacher_share="x")  # type: ignore[arg-type]
