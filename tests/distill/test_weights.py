"""Token probabilities and SIF weights: by hand, and against model2vec's formula."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pumice.distill import DistillOptions, distill_parts
from pumice.distill.corpus import token_counts
from pumice.distill.weights import corpus_probabilities, sif_weights, zipf_probabilities
from pumice.errors import InputError
from pumice.text_files import read_texts

TOKENIZER: dict[str, Any] = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": {"type": "Lowercase"},
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None,
    "model": {
        "type": "WordLevel",
        "vocab": {"[UNK]": 0, "a": 1, "rose": 2, "is": 3, "tulip": 4},
        "unk_token": "[UNK]",
    },
}


def test_zipf_is_model2vecs_formula() -> None:
    inference = pytest.importorskip("model2vec.distill.inference", reason="the oracle is model2vec")
    weights = sif_weights(zipf_probabilities(1000), coefficient=1e-4)
    np.testing.assert_allclose(weights, inference.compute_weights(1000, 1e-4), rtol=1e-12)


def test_sif_by_hand() -> None:
    weights = sif_weights(corpus_probabilities(np.array([0, 1, 3])), coefficient=0.25)
    np.testing.assert_allclose(weights, [1.0, 0.5, 0.25])


def test_counting_tokens_of_a_generator_of_texts() -> None:
    pytest.importorskip("tokenizers", reason="counting needs the tokenizers library")
    texts = (text for text in ["A rose is a rose", "is a rose?", "\ud55c \0"])
    assert token_counts(TOKENIZER, texts).tolist() == [3, 3, 3, 2, 0]


def test_given_counts_are_looked_up_by_token() -> None:
    assert token_counts(TOKENIZER, {"rose": 7, "absent": 3}).tolist() == [0, 0, 7, 0, 0]


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ("one text", "corpus is one string"),
        ([], "the corpus holds no text"),
        (["fine", 3], "corpus text 1 is of type int"),
        (["\ud800"], "holds a lone surrogate"),
        ({"rose": -1}, "corpus counts 'rose' as -1"),
    ],
)
def test_bad_corpus(corpus: Any, message: str) -> None:
    pytest.importorskip("tokenizers", reason="counting needs the tokenizers library")
    with pytest.raises(InputError, match=message):
        token_counts(TOKENIZER, corpus)


def test_a_corpus_without_known_tokens() -> None:
    with pytest.raises(InputError, match="no known token"):
        corpus_probabilities(np.zeros(5, dtype=np.int64))


def test_reading_corpus_files(tmp_path: Path) -> None:
    record = json.dumps({"_id": 1, "title": "a rose", "text": "is red"})
    (tmp_path / "a.txt").write_text("one\n\ntwo\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(record + "\n", encoding="utf-8")
    with lzma.open(tmp_path / "c.jsonl.xz", "wt", encoding="utf-8") as out:
        out.write(record)
    with gzip.open(tmp_path / "d.txt.gz", "wt", encoding="utf-8") as out:
        out.write("\ud55c\uad6d\uc5b4")
    texts = [text.strip() for text in read_texts(sorted(tmp_path.iterdir()))]
    assert texts == ["one", "two", *["a rose", "is red"] * 2, "\ud55c\uad6d\uc5b4"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("latin.txt", b"caf\xe9", "latin.txt: is not UTF-8"),
        ("bad.jsonl", b'{"a": 1}\n[]', "bad.jsonl:2: not a JSON object"),
        ("bad.jsonl", b"nonsense", "bad.jsonl:1: not a JSON object"),
        ("bad.jsonl", b'{"a": "\\ud800"}', 'bad.jsonl:1: "a" holds a lone surrogate'),
        (
            "bad.txt.gz",
            gzip.compress(b"a" * 99, mtime=0)[:-9] + b"\xff" * 9,
            "bad.txt.gz: cannot be read",
        ),
        ("bad.txt.gz", gzip.compress(b"", mtime=0)[:10] + b"\xff" * 9, "cannot be read: Error -3"),
        ("bad.txt.gz", b"not gzip", "bad.txt.gz: cannot be read"),
        ("bad.txt.xz", b"not xz", "bad.txt.xz: cannot be read"),
    ],
)
def test_bad_corpus_files(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        list(read_texts([tmp_path / name]))
    with pytest.raises(InputError, match=r"gone\.txt: cannot be read: No such file or dir\w+$"):
        list(read_texts([tmp_path / "gone.txt"]))


def test_frequent_tokens_weigh_less_in_the_model(bert: Path) -> None:
    options = DistillOptions(sif_coefficient=1e-3, whitening=0.0)
    given = {"the": 900, "help": 1}
    counted = distill_parts(bert, dim=8, corpus=given, options=options)
    plain = DistillOptions(sif_coefficient=0.999999, whitening=0.0)
    alike = distill_parts(bert, dim=8, corpus=given, options=plain)
    vocabulary = counted.tokenizer["model"]["vocab"]
    lengths = np.linalg.norm(counted.embeddings, axis=1) / np.linalg.norm(alike.embeddings, axis=1)
    ratio = (1e-3 / (1e-3 + 900 / 901)) / (0.999999 / (0.999999 + 900 / 901))
    assert lengths[vocabulary["the"]] == pytest.approx(ratio, rel=1e-4)
    assert lengths[vocabulary["argument"]] == pytest.approx(1.0, rel=1e-4)
