"""Alignment: queries go where the teacher has them, the finished model knows its document encoder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

import pumice
from pumice.cli import main
from pumice.errors import InputError
from pumice.teachers.options import TeacherOptions
from pumice.teachers.sentences import SentenceEncoder
from pumice.teachers.teacher import load_teacher
from pumice.train import AlignOptions, Pair, Source, align
from pumice.train.alignment import Alignment
from pumice.train.corpus import Document
from pumice.train.dataset import tokenize_sources
from pumice.train.lanes import Lanes
from pumice.train.queries import pairs_of_corpus
from pumice.train.taught import TaughtPairs
from pumice.train.tokens import TokenMemory
from tests.train.conftest import make_pairs, write_jsonl

QUICK = AlignOptions(
    batch_size=64, epochs=8, learning_rate=0.05, evaluations=2, hold_out=0.1, threads=2
)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 dimensions; queries and documents have prompts of their own."""
    from tests.distill.teachers import make_bert, make_sentence_bert

    bert = make_bert(tmp_path_factory.mktemp("bert"))
    folder = make_sentence_bert(tmp_path_factory.mktemp("sentence-bert"), bert=bert)
    config = folder / "config_sentence_transformers.json"
    described = json.loads(config.read_text())
    described["prompts"] = {"query": "find ", "passage": "text: "}
    config.write_text(json.dumps({**described, "default_prompt_name": None}))
    return folder


@pytest.fixture(scope="module")
def beir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beir") / "little"
    (folder / "qrels").mkdir(parents=True)
    pairs = make_pairs(40, seed=9)
    for name, role in (("corpus", "positive"), ("queries", "anchor")):
        records = [{"_id": str(n), "text": pair[role]} for n, pair in enumerate(pairs)]
        write_jsonl(folder / f"{name}.jsonl", records)
    lines = ["query-id\tcorpus-id\tscore", *(f"{n}\t{n}\t1" for n in range(40))]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    return folder


def test_queries_come_near(start: pumice.StaticModel, teacher: Path, tmp_path: Path) -> None:
    """Without an evaluation set the best state is the nearest one."""
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(500))
    aligned = align(file, teacher=teacher, start=start, options=QUICK)
    assert aligned.agreement[0] > aligned.first_agreement[0] + 0.1
    losses = np.array(aligned.history["losses"])[:, 1]
    assert losses[-8:].mean() < losses[:8].mean()
    queries = [pair["anchor"] for pair in make_pairs(40, seed=9)]
    encoder = SentenceEncoder(load_teacher(teacher, TeacherOptions(prompt="find ")), max_tokens=256)
    cosines = (encoder.encode(queries) * aligned.model.encode(queries)).sum(1)
    assert cosines.mean() > aligned.first_agreement[0] + 0.05


def test_the_model_knows_its_encoder(
    start: pumice.StaticModel, teacher: Path, beir: Path, tmp_path: Path
) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(500))
    options = replace(QUICK, teacher_vectors=tmp_path / "kept", name="near")
    first = align(file, teacher=teacher, start=start, evaluation=[beir], options=options)
    assert [(f.name, f.code, f.dim) for f in first.figures] == [
        ("little", "", 16),
        ("little", "teacher", 16),
    ]
    assert "| little, teacher |" in first.card
    assert "encode_documents" in first.card
    model = first.model
    assert model.document_encoder is not None
    assert (model.document_encoder.name, model.document_encoder.prompt) == (str(teacher), "text: ")
    # What it measures: static queries over documents read with their own prompt.
    documents = [pair["positive"] for pair in make_pairs(40, seed=9)]
    queries = [pair["anchor"] for pair in make_pairs(40, seed=9)]
    vectors = model.encode_documents(documents)
    found = (model.encode(queries) @ vectors.T).argmax(1)
    assert (found == np.arange(40)).mean() == pytest.approx(first.figures[0].accuracy, abs=0.03)
    encoder = SentenceEncoder(
        load_teacher(teacher, TeacherOptions(prompt="text: ")), max_tokens=256
    )
    assert (encoder.encode(documents) * vectors).sum(1).min() > 1 - 1e-5
    again = align(file, teacher=teacher, start=start, evaluation=[beir], options=options)
    assert again.model.fingerprint == model.fingerprint


def test_anchors_that_come_twice(start: pumice.StaticModel, teacher: Path, tmp_path: Path) -> None:
    """A question with two answers: the other one is no negative."""
    pairs = make_pairs(60)
    pairs += [{**pair, "positive": f"and {pair['positive']}"} for pair in pairs]
    file = write_jsonl(tmp_path / "p.jsonl", pairs)
    aligned = align(file, teacher=teacher, start=start, options=replace(QUICK, epochs=1))
    assert not aligned.diverged


def test_a_finished_run_is_there_at_once(
    start: pumice.StaticModel, teacher: Path, tmp_path: Path
) -> None:
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(100))
    options = replace(QUICK, keep_folder=True, epochs=2)
    first, second = (
        align(file, teacher=teacher, start=start, folder=tmp_path / "run", options=options)
        for _ in range(2)
    )
    assert first.model.fingerprint == second.model.fingerprint
    assert second.pairs_per_second == 0
    other = replace(options, ranking_share=0.3)
    with pytest.raises(InputError, match="ranking_share"):
        align(file, teacher=teacher, start=start, folder=tmp_path / "run", options=other)


@pytest.mark.parametrize(("ranking", "pair"), [(0.0, 0.2), (1.0, 0.0), (0.6, 0.3)])
def test_gradients_equal_autograd(
    start: pumice.StaticModel, tmp_path: Path, ranking: float, pair: float
) -> None:
    pairs = [Pair(p["anchor"], p["positive"]) for p in make_pairs(40)]
    options = replace(QUICK, ranking_share=ranking, pair_share=pair, hold_out=0, scale=8.0)
    memory = TokenMemory(1 << 30, tmp_path)
    data = tokenize_sources([Source("some", pairs=pairs)], start, options, memory)
    rng = np.random.default_rng(1)
    units = rng.standard_normal((80, 16)).astype(np.float32)
    units = (units / np.linalg.norm(units, axis=1, keepdims=True)).astype(np.float16)
    taught = [TaughtPairs(units, units, np.arange(40), np.arange(40, 80))]
    with Lanes(2) as lanes:
        objective = Alignment(data, taught, (8, 16), options=options, lanes=lanes)
        batch = objective.prepare(0)
        vectors = torch.randn(40, 16, requires_grad=True)
        slope = objective.slope(batch, vectors.detach().clone())
        gradients = slope.gradients.clone()
    shares = torch.softmax(8 * batch.queries @ batch.documents.T, 1) * (1 - pair)
    shares = shares + pair * torch.eye(40)
    total = torch.zeros(())
    for level, dim in enumerate((8, 16)):
        unit = torch.nn.functional.normalize
        mine, documents = unit(vectors[:, :dim]), unit(batch.documents[:, :dim])
        cosine = 1 - (mine * unit(batch.queries[:, :dim])).sum(1).mean()
        ranked = -(shares * torch.log_softmax(8 * mine @ documents.T, 1)).sum(1).mean()
        loss = (1 - ranking) * 8 * cosine + ranking * ranked
        assert float(slope.losses[level]) == pytest.approx(loss.item(), abs=1e-4)
        total = total + loss
    total.backward()
    assert vectors.grad is not None
    np.testing.assert_allclose(gradients.numpy(), vectors.grad.numpy(), atol=1e-5)


def test_a_corpus_gives_texts_and_queries() -> None:
    documents = [
        Document(title=f"title {n}", text=f"{pair['positive']}. {pair['anchor']} more of it {n}")
        for n, pair in enumerate(make_pairs(20))
    ]
    sources = {source.name: source.pairs for source in pairs_of_corpus(documents)}
    assert sources.keys() >= {"texts", "titles"}
    assert sources["texts"] == [Pair(one.text, one.text) for one in documents]
    assert [source.name for source in pairs_of_corpus(documents[:3])] == ["texts"]


def test_the_command(
    teacher: Path, beir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = write_jsonl(tmp_path / "p.jsonl", make_pairs(100))
    corpus = write_jsonl(tmp_path / "c.jsonl", [{"text": p["positive"]} for p in make_pairs(30)])
    output = tmp_path / "m.pumice"
    arguments = ["train", "--align-to", str(teacher), "--pairs", str(pairs), "--epochs", "2"]
    arguments += ["--corpus", str(corpus), "--eval", str(beir), "--batch-size", "32"]
    assert main([*arguments, "-o", str(output), "--words", "3"]) == 0
    told = capsys.readouterr()
    assert f"documents are encoded by {teacher}" in told.out
    assert "% of the mean that the teacher's own queries reach" in told.out
    assert pumice.load(output).metadata["dtype"] == "float32"
    assert main(["info", str(output)]) == 0
    assert "document_encoder" in capsys.readouterr().out
    assert {path.name for path in tmp_path.glob("m.*")} == {"m.pumice", "m.md", "m.svg"}


def test_an_index_says_that_a_transformer_reads_its_passages(
    start: pumice.StaticModel,
    teacher: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("qdrant_edge")
    file = write_jsonl(tmp_path / "p.jsonl", make_pairs(40))
    aligned = align(file, teacher=teacher, start=start, options=replace(QUICK, epochs=1))
    aligned.save(tmp_path / "m.pumice")
    (tmp_path / "note.txt").write_text(make_pairs(1)[0]["positive"])
    arguments = ["index", str(tmp_path / "note.txt"), "--index", str(tmp_path / "index")]
    assert main([*arguments, "--model", str(tmp_path / "m.pumice")]) == 0
    told = capsys.readouterr()
    assert f"passages are encoded by {teacher}, a transformer" in told.err
    assert "indexed  1 file, 1 passage" in told.out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--teacher", "x"], 2, "--teacher has no use with --align-to"),
        (["--codes", "binary"], 2, "--codes has no use with --align-to"),
        (["--ranking-share", "2"], 2, "ranking_share is 2.0: give a number from 0 to 1"),
        (["--dims", "8"], 1, "the largest of dims must be 16"),
        (["--align-to", "owner/gone", "--offline"], 1, "owner/gone: it is not in the local cache"),
    ],
)
def test_mistakes_are_one_sentence(
    teacher: Path,
    inside: Callable[[str], Path],
    complains: Callable[..., None],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    write_jsonl(inside("p.jsonl"), make_pairs(10))
    given = ["--pairs", "p.jsonl", "-o", "m.pumice"]
    if "--align-to" not in arguments:
        given += ["--align-to", str(teacher)]
    complains([*given, *arguments], code=code, message=message)
    assert [path.name for path in inside(".").iterdir()] == ["p.jsonl"]


def test_flags_of_an_alignment_need_one(
    inside: Callable[[str], Path], complains: Callable[..., None]
) -> None:
    write_jsonl(inside("p.jsonl"), make_pairs(10))
    given = ["--pairs", "p.jsonl", "-o", "m.pumice", "--query-prompt", "query: "]
    complains(given, code=2, message="--query-prompt has no use without --align-to")


def test_a_teacher_that_is_gone_is_told(
    start: pumice.StaticModel, teacher: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(teacher, moved)
    pairs = [Pair(p["anchor"], p["positive"]) for p in make_pairs(20)]
    training = align(
        Source("some", pairs=pairs), teacher=moved, start=start, options=replace(QUICK, epochs=1)
    )
    training.save(tmp_path / "m.pumice")
    shutil.rmtree(moved)
    model = pumice.load(tmp_path / "m.pumice", offline=True)
    assert model.encode("the bata").any()
    with pytest.raises(pumice.PumiceError, match=r"pumice.load\(model, document_encoder=FOLDER\)"):
        model.encode_documents("the bata")
    model = pumice.load(tmp_path / "m.pumice", document_encoder=teacher)
    assert model.encode_documents("the bata").any()
