"""pumice train with a learned vocabulary: random rows or a teacher's, and one sentence for each mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import pumice
from pumice.cli import main
from pumice.train.initial import random_model
from pumice.vocabulary import VocabularyOptions, learn_vocabulary
from tests.distill.conftest import bert  # noqa: F401
from tests.train.conftest import write_jsonl
from tests.vocabulary.corpora import NAMES, made_texts

TEXTS = made_texts()
QUICK = ["--batch-size", "32", "--evaluations", "1", "--hold-out", "0.1", "--json"]


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    rows = [{"anchor": a, "positive": b} for a, b in zip(TEXTS[::2], TEXTS[1::2], strict=True)]
    return str(write_jsonl(tmp_path / "made.jsonl", rows))


def trained(output: Path, *arguments: str) -> pumice.StaticModel:
    assert main(["train", *arguments, *QUICK, "-o", str(output)]) == 0
    model = pumice.load(output)
    assert model.metadata["tokenizer"]["native"]
    return model


def test_random_rows(pairs: str, tmp_path: Path) -> None:
    wanted = ["--vocab-size", "126", "--words", "12", "--phrases", "4", "--dims", "16,8"]
    model = trained(tmp_path / "a.pumice", "--pairs", pairs, *wanted)
    order = [text for pair in zip(TEXTS[::2], TEXTS[1::2], strict=True) for text in pair]
    learned = learn_vocabulary(order, options=VocabularyOptions(126, words=12, phrases=4))
    assert list(model.tokens) == list(learned.counts)
    assert set(NAMES) <= set(model.tokens)
    again = trained(tmp_path / "b.pumice", "--pairs", pairs, *wanted, "--name", "a")
    assert (tmp_path / "a.pumice").read_bytes() == (tmp_path / "b.pumice").read_bytes()
    assert again.fingerprint == model.fingerprint
    start = model.metadata["provenance"]["start_provenance"]
    assert start["corpus_tokens"] == sum(learned.counts.values())


def test_sif_weights_are_folded_into_random_rows() -> None:
    learned = learn_vocabulary(TEXTS, options=VocabularyOptions(100))
    plain = random_model(learned.tokenizer, dim=8, seed=3).parts().embeddings
    rows = (
        random_model(learned.tokenizer, dim=8, seed=3, counts=learned.counts, sif_coefficient=0.01)
        .parts()
        .embeddings
    )
    total = sum(learned.counts.values())
    weights = [0.01 / (0.01 + count / total) for count in learned.counts.values()]
    np.testing.assert_allclose(rows, plain * np.array(weights)[:, None], rtol=1e-5)
    assert min(weights) < 0.3 < max(weights)


@pytest.mark.parametrize("size", [[], ["--vocab-size", "130", "--no-lowercase"]])
def test_a_teacher(pairs: str, bert: Path, tmp_path: Path, size: list[str]) -> None:  # noqa: F811
    wanted = [*size, "--words", "4", "--phrases", "4", "--teacher", str(bert), "--offline"]
    model = trained(tmp_path / "m.pumice", "--pairs", pairs, *wanted)
    names = [name.title() for name in NAMES] if size else NAMES
    assert set(names) <= set(model.tokens)
    assert (len(model.tokens) == 130) == bool(size)
    provenance = model.metadata["provenance"]["start_provenance"]
    assert (provenance["weighting"], provenance["teacher"]) == ("sif", bert.name)
    assert len(model.tokenize([f"in {names[0]}"])[0]) <= 3


def test_corpus_and_pairs(pairs: str, bert: Path, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "raw.txt").write_text("\n\n".join(f"Zebras graze {n}." for n in range(300)))
    model = trained(
        tmp_path / "m.pumice",
        *("--pairs", pairs, "--corpus", str(tmp_path / "raw.txt"), "--teacher", str(bert)),
        *("--vocab-size", "150", "--offline"),
    )
    assert {"zebras", "graze", "garden"} <= set(model.tokens)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--vocab-size", "-5"], 2, "error: size is -5: give a whole number from 2"),
        (["--vocab-size", "many"], 2, "invalid int value: 'many'"),
        (["--vocab-size", "9", "--words", "9"], 2, "leave no room for sub-words"),
        (["--vocab-size", "9", "--words", "-1"], 2, "error: --words is -1: give 0 or more"),
        (["--vocab-size", "9", "--init", "a"], 2, "--vocab-size has no use with --init"),
        (["--phrases", "9", "--random", "a"], 2, "--phrases has no use with --random"),
        (["--words", "9"], 2, "--words needs a --vocab-size, or a --teacher to add to"),
        (["--words", "0", "--teacher", "."], 2, "--words 0 asks for nothing: leave it out"),
        (["--no-lowercase"], 2, "--no-lowercase has no use without --vocab-size"),
        (["--vocab-size", "9"], 1, "characters of the corpus alone are 39 tokens"),
        (["--vocab-size", "99999"], 1, "the corpus supports"),
        (["--vocab-size", "99", "--teacher", "./gone"], 1, "teacher ./gone does not exist"),
        (["--words", "9", "--teacher", "./gone"], 1, "teacher ./gone does not exist"),
    ],
)
def test_mistakes_are_one_sentence(
    pairs: str,
    tmp_path: Path,
    complains: Callable[..., None],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    output = tmp_path / "m.pumice"
    complains(["--pairs", pairs, "-o", str(output), *arguments], code=code, message=message)
    assert not output.exists()
