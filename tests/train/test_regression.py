"""Regression on raw text: exact targets are found again, killed runs go on, what is damaged is told."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

import pumice
from pumice.cli import main
from pumice.errors import InputError, ModelFileError
from pumice.teachers.options import TeacherOptions
from pumice.teachers.sentences import SentenceEncoder, _batches
from pumice.teachers.teacher import load_teacher
from pumice.train import RegressOptions, regress
from pumice.train import teacher_vectors as windows
from pumice.train.corpus_texts import document_texts, strings_of, tokenize_corpus
from pumice.train.lanes import Lanes
from pumice.train.loop import Loop
from pumice.train.regression import AgreementJudge, FittedTexts, Regression
from pumice.train.taught import load_encoder
from pumice.train.teacher_vectors import TeacherVectors, Window, cut_into_windows
from pumice.train.tokens import TokenMemory
from tests.train.conftest import make_pairs, write_jsonl

QUICK = RegressOptions(
    batch_size=64, epochs=10, learning_rate=0.05, evaluations=4, hold_out=0.1, threads=2
)


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.distill.teachers import make_bert

    return make_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="session")
def sentence_bert(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.distill.teachers import make_sentence_bert

    return make_sentence_bert(tmp_path_factory.mktemp("sentence-bert"), bert=bert)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "corpus.jsonl", make_pairs(500))


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_MEAN", 64)
    monkeypatch.setattr(windows, "_LONGEST", 100)


TEXTS = [
    "help",
    "the parser " * 100,
    "",
    "Überraschung 한국어",
    "argument value of the action",
    "a" * 99,
]


@pytest.mark.parametrize("max_tokens", [16, 512])
def test_vectors_are_those_of_sentence_transformers(sentence_bert: Path, max_tokens: int) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(sentence_bert), device="cpu")
    model.max_seq_length = min(max_tokens, model.max_seq_length or max_tokens)
    encoder = SentenceEncoder(load_teacher(sentence_bert, TeacherOptions()), max_tokens=max_tokens)
    np.testing.assert_allclose(encoder.encode(TEXTS), model.encode(TEXTS), atol=1e-5)


def test_a_real_teachers_vectors_in_both_precisions(teacher_folder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [*TEXTS, *(pair["positive"] for pair in make_pairs(50))]
    expected = SentenceTransformer(str(teacher_folder), device="cpu").encode(texts)
    made = {}
    for precision, least in (("float32", 1 - 1e-6), ("bfloat16", 0.999)):
        teacher = load_teacher(teacher_folder, TeacherOptions(precision=precision))  # type: ignore[arg-type]
        encoder = SentenceEncoder(teacher, max_tokens=256)
        assert (expected * encoder.encode(texts)).sum(1).min() > least
        made[encoder.identity] = precision
    assert len(made) == 2


def test_threads_of_their_own_change_no_bit(teacher_folder: Path) -> None:
    import torch

    texts = [*TEXTS, *(pair["positive"] * 12 for pair in make_pairs(80))]
    encoder = SentenceEncoder(load_teacher(teacher_folder, TeacherOptions()), max_tokens=256)
    assert (
        len(_batches(range(2), [3000, 3000])) == 2
    )  # more than one: threads have something to share
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = encoder.encode(texts)
        for threads in (1, 2, 5):
            assert (encoder.encode(texts, threads=threads) == alone).all()
        torch.set_num_threads(2)
        np.testing.assert_allclose(encoder.encode(texts), alone, atol=1e-3)
    finally:
        torch.set_num_threads(before)


def test_a_teacher_may_read_less_than_is_trained_on(
    start: pumice.StaticModel, sentence_bert: Path
) -> None:
    options = replace(QUICK, max_tokens=64, teacher_tokens=8)
    encoder = load_encoder(sentence_bert, options)
    long = " ".join(pair["positive"] for pair in make_pairs(40))
    assert (encoder.encode([long]) == encoder.encode([long[: len(long) // 2]])).all()
    whole = load_encoder(sentence_bert, replace(options, teacher_tokens=None))
    assert (whole.encode([long]) != encoder.encode([long])).any()
    assert whole.identity == load_encoder(sentence_bert, replace(QUICK, max_tokens=64)).identity
    with pytest.raises(InputError, match=r"teacher_tokens is 65, but max_tokens cuts texts at 64"):
        replace(options, teacher_tokens=65)


@pytest.mark.parametrize("pooling", ["mean", "token", "first", "last"])
def test_padding_changes_no_vector(bert: Path, pooling: str) -> None:
    teacher = load_teacher(bert, TeacherOptions(pooling=pooling))  # type: ignore[arg-type]
    encoder = SentenceEncoder(teacher, max_tokens=64)
    texts = [text for text in TEXTS if text]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(encoder.encode(texts), alone, atol=1e-5)


@pytest.mark.parametrize(
    ("loss", "least"), [("cosine", 0.999), ("contrastive", 0.9), ("similarity", 0.97)]
)
def test_a_table_of_rows_is_found_again(
    start: pumice.StaticModel, tmp_path: Path, loss: str, least: float
) -> None:
    file = write_jsonl(tmp_path / "c.jsonl", make_pairs(1000))
    read = tokenize_corpus(
        document_texts(file, columns={}, max_tokens=64),
        start,
        max_tokens=64,
        memory=TokenMemory(1 << 30, tmp_path),
    )
    rows = np.random.default_rng(5).standard_normal((len(start.tokens), 16)).astype(np.float32)
    ids = read.texts.take(np.arange(len(read.texts)))
    targets = np.array([rows[one].mean(0) for one in ids]).astype(np.float16)
    order = np.arange(len(ids))
    fitted = FittedTexts(read.texts, targets, order[200:], order[:200])
    options = replace(QUICK, loss=loss, epochs=40, scale=10.0)  # type: ignore[arg-type]
    table = np.random.default_rng(6).standard_normal(rows.shape).astype(np.float32)
    with Lanes(2) as lanes:
        judge = AgreementJudge(fitted, [], (8, 16), loss=loss, lanes=lanes)
        loop = Loop(table, Regression(fitted, (8, 16), options=options, lanes=lanes), (8, 16),
                    options=options, lanes=lanes)  # fmt: skip
        outcome = loop.run(judge, folder=None)
    agreement = [one["agreement"] for one in outcome.history["evaluations"]]
    assert agreement[0][1] < 0.6
    assert agreement[-1][1] > least


@pytest.mark.parametrize("loss", ["cosine", "contrastive", "similarity"])
def test_a_run_learns_and_repeats_itself(
    start: pumice.StaticModel, sentence_bert: Path, corpus: Path, tmp_path: Path, loss: str
) -> None:
    options = replace(QUICK, loss=loss, teacher_vectors=tmp_path / "kept")  # type: ignore[arg-type]
    first, second = (
        regress(corpus, teacher=sentence_bert, start=start, options=options) for _ in range(2)
    )
    assert first.model.fingerprint == second.model.fingerprint
    losses = np.array(first.history["losses"])[:, 1:]
    assert (losses[-8:].mean(0) < 0.95 * losses[:8].mean(0)).all(), losses
    assert first.model.prefixes == (4, 8, 16)
    provenance = first.model.metadata["provenance"]
    assert provenance["teacher_dtype"] in ("float32", "bfloat16")
    assert f"computed in {provenance['teacher_dtype']}, by the {loss} loss" in first.card
    first.save(tmp_path / "m.pumice")
    assert {p.suffix for p in tmp_path.glob("m.*")} == {".pumice", ".md", ".svg"}
    assert list((tmp_path / "kept").glob("*/*.f16"))


def test_windows_move_only_where_texts_change(small_windows: None) -> None:
    hashes = np.random.default_rng(1).integers(0, 2**64, 3000, dtype=np.uint64)
    before = cut_into_windows(hashes)
    assert [one.first for one in before[1:]] == [one.last for one in before[:-1]]
    assert (before[0].first, before[-1].last) == (0, 3000)
    assert max(one.last - one.first for one in before) <= 100
    after = cut_into_windows(np.insert(hashes, 5, np.uint64(7)))
    names = {one.name for one in before}
    assert sum(one.name not in names for one in after) <= 3


def test_strings_come_again_window_by_window(
    start: pumice.StaticModel, corpus: Path, tmp_path: Path, small_windows: None
) -> None:
    def strings() -> Iterator[str]:
        return document_texts(corpus, columns={}, max_tokens=64)

    memory = TokenMemory(1 << 30, tmp_path)
    read = tokenize_corpus(strings(), start, max_tokens=64, memory=memory)
    assert len(read.windows) > 5
    some = read.windows[1::2]
    ids = [ids for _, texts in strings_of(strings(), some) for ids in start.tokenize(texts)]
    wanted = np.concatenate([np.arange(w.first, w.last) for w in some])
    assert [list(one) for one in ids] == [list(one) for one in read.texts.take(wanted)]
    corpus.write_text(corpus.read_text().replace("ba", "do"))
    with pytest.raises(InputError, match="the corpus changed while it was read"):
        list(strings_of(strings(), some))


def test_damaged_and_missing_vectors(tmp_path: Path) -> None:
    kept = TeacherVectors(tmp_path, identity="id", width=3)
    window = Window(4, 6, "name")
    vectors = np.eye(3, dtype=np.float32)[:2]
    assert kept.missing([window]) == [window]
    kept.write(window, vectors)
    assert kept.missing([window]) == []
    assert (kept.read(window) == vectors).all()
    file = tmp_path / "id" / "name.f16"
    data = file.read_bytes()
    for damaged in (data[:-1], data[:40], b"", data[:30] + b"\x00\x01" + data[32:], data + b"x"):
        file.write_bytes(damaged)
        with pytest.raises(InputError, match=r"name.f16: is damaged: remove it and start the same"):
            kept.read(window)
    other = TeacherVectors(tmp_path, identity="another", width=3)
    assert other.missing([window]) == [window]


def test_a_full_disk_keeps_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    kept = TeacherVectors(tmp_path, identity="id", width=2)
    kept.write(Window(0, 1, "a"), np.ones((1, 2), np.float32))
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"No space left on device: what is there is kept: free"):
        kept.write(Window(1, 2, "b"), np.ones((1, 2), np.float32))
    assert [path.name for path in (tmp_path / "id").iterdir()] == ["a.f16"]


def test_another_teacher_makes_other_vectors(
    start: pumice.StaticModel, bert: Path, sentence_bert: Path, corpus: Path, tmp_path: Path
) -> None:
    options = replace(QUICK, epochs=1, teacher_vectors=tmp_path / "kept", dims=(8,))
    changed = tmp_path / "changed"
    shutil.copytree(bert, changed)
    from transformers import AutoModel

    model = AutoModel.from_pretrained(changed)
    model.embeddings.word_embeddings.weight.data[20] *= 1.001
    model.save_pretrained(changed)
    for teacher in (bert, sentence_bert, changed):
        regress(corpus, teacher=teacher, start=start, options=options)
    shorter = replace(options, teacher_tokens=4)
    regress(corpus, teacher=bert, start=start, options=shorter)
    assert len(list((tmp_path / "kept").iterdir())) == 4
    model.embeddings.word_embeddings.weight.data[:] = float("nan")
    model.save_pretrained(changed)
    with pytest.raises(ModelFileError, match=r"vectors are zero or hold NaN or infinity"):
        regress(corpus, teacher=changed, start=start, options=options)


def command(corpus: Path, teacher: Path, start: Path, *more: str) -> list[str]:
    code = (
        "import sys, pumice.train.teacher_vectors as w; w._MEAN, w._LONGEST = 16, 24\n"
        "from pumice.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    settings = "--batch-size 64 --learning-rate 0.05 --evaluations 4 --threads 2 --hold-out 0.1"
    run = [sys.executable, "-c", code, "train", "--corpus", str(corpus), "--teacher", str(teacher)]
    run += ["--init", str(start), *settings.split(), "--regression-epochs", "5"]
    return [*run, "--checkpoint-seconds", "0", "-o", "m.pumice", *more]


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param("teacher", marks=pytest.mark.slow),
        pytest.param("regression", marks=pytest.mark.slow),
        "training",
    ],
)
def test_a_killed_run_goes_on_to_the_same_model(
    start: pumice.StaticModel, sentence_bert: Path, tmp_path: Path, stage: str
) -> None:
    corpus = write_jsonl(tmp_path / "corpus.jsonl", make_pairs(1000))
    pairs = write_jsonl(tmp_path / "pairs.jsonl", make_pairs(600))
    start.save(tmp_path / "start.pumice")
    more = ("--pairs", str(pairs), "--epochs", "5") if stage == "training" else ()
    arguments = command(corpus, sentence_bert, tmp_path / "start.pumice", *more)
    folders = [tmp_path / "whole", tmp_path / "killed"]
    for folder in folders:
        folder.mkdir()
    subprocess.run(arguments, cwd=folders[0], check=True, capture_output=True, timeout=120)
    killed = subprocess.Popen(arguments, cwd=folders[1], stderr=subprocess.DEVNULL)
    pattern = {
        "teacher": "m.pumice.regression/teacher/*/*.f16",
        "regression": "m.pumice.regression/state.npz",
        "training": "m.pumice.training/state.npz",
    }[stage]
    deadline = time.monotonic() + 60
    while not list(folders[1].glob(pattern)) and time.monotonic() < deadline:
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert list(folders[1].glob(pattern))
    again = subprocess.run(arguments, cwd=folders[1], capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    assert "texts were read before" in again.stderr
    if stage != "teacher":
        assert "going on after step" in again.stderr
    whole, resumed = ((folder / "m.pumice").read_bytes() for folder in folders)
    assert whole == resumed
    assert sorted(path.name for path in folders[1].iterdir()) == ["m.md", "m.pumice", "m.svg"]


def test_both_stages_from_the_command_line(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    lines = [pair["positive"] for pair in make_pairs(200)]
    (tmp_path / "docs" / "a.md").write_text("# Title\n\n" + "\n\n".join(lines))
    pairs = write_jsonl(tmp_path / "pairs.jsonl", make_pairs(200))
    arguments = ["train", "--corpus", str(tmp_path / "docs"), "--pairs", str(pairs), "--teacher"]
    arguments += [
        str(bert),
        "--batch-size",
        "64",
        "--hold-out",
        "0.1",
        "--teacher-dtype",
        "float32",
    ]
    output = tmp_path / "m.pumice"
    assert main([*arguments, "-o", str(output), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["agreement_name"] == "mean cosine"
    assert len(made["agreement"]) == len(made["agreement_dims"])
    before = pumice.load(output).metadata["provenance"]["start_provenance"]
    assert (before["method"], before["teacher_dtype"]) == (
        "regression on a teacher's vectors",
        "float32",
    )
    assert main([*arguments, "-o", str(output)]) == 0
    told = capsys.readouterr().out
    assert "with the teacher, mean cosine, before -> after the regression: " in told
    assert "held-out pairs: 0." in told
    assert sorted(path.name for path in tmp_path.glob("m.*")) == ["m.md", "m.pumice", "m.svg"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "there is nothing to train on: give --pairs, or a --corpus"),
        (
            ["--corpus", "c", "--regression-loss", "cosine"],
            2,
            "--regression-loss has no use without",
        ),
        (["--pairs", "p", "--teacher-dtype", "float32"], 2, "--teacher-dtype has no use without"),
        (["--pairs", "p", "--regression-epochs", "0"], 2, "--regression-epochs has no use without"),
        (["--pairs", "p", "--teacher", "t", "--init", "m"], 2, "--teacher and --init are both a"),
        (["--corpus", "c", "--teacher", "t", "--regression-epochs", "0"], 2, "epochs is 0.0: give"),
        (
            ["--corpus", "c", "--teacher", "t", "--regression-loss", "mse"],
            2,
            "invalid choice: 'mse'",
        ),
        (["--corpus", "c.txt", "--teacher", "./t"], 1, "teacher ./t does not exist"),
        (["--corpus", "gone.txt", "--teacher", "BERT"], 1, "gone.txt: no such file or folder"),
        (["--corpus", "e.txt", "--teacher", "BERT"], 1, "the corpus holds no text"),
        (["--corpus", "s.jsonl", "--teacher", "BERT"], 1, "holds a lone surrogate"),
        (
            ["--corpus", "c.txt", "--teacher", "BERT"],
            1,
            "the corpus has 1 usable texts to train on",
        ),
        (["--corpus", "c.txt", "--teacher", "BERT", "--dims", "99"], 1, "dims asks for 99 but the"),
    ],
)
def test_mistakes_are_one_sentence(
    bert: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    complains: Callable[..., None],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.txt").write_text("one text.")
    Path("e.txt").write_text("\n \n")
    Path("s.jsonl").write_text('{"text": "\\ud800"}')
    given = [str(bert) if one == "BERT" else one for one in arguments]
    init = [] if "--init" in given or "--pairs" in given else ["--random", str(bert)]
    complains([*given, *init, "-o", "m.pumice"], code=code, message=message)
