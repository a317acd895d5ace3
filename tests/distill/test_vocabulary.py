"""The new tokenizer.json against the tokenizers library: old text alike, new words found whole."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pumice.distill import DistillOptions, distill_parts
from pumice.distill.tokenizer_json import needed_by_model, prepare, rebuild, token_ids
from pumice.distill.vocabulary import read_vocabulary
from pumice.errors import InputError, ModelFileError
from pumice.modelfile.parts import ModelParts

LINES = Path(argparse.__file__).read_text(encoding="utf-8").splitlines()
TEACHERS = ["bert", "unigram_bert", "gpt"]
WORDS = ["Feierabend", "new york", "Überraschung", "c++", "the"]


def tokens(parts: ModelParts, text: str) -> list[str]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(json.dumps(parts.tokenizer))
    assert tokenizer.get_vocab_size() == len(parts.embeddings)
    encoding: list[str] = tokenizer.encode(text, add_special_tokens=False).tokens
    return encoding


def teacher_tokens(folder: Path, text: str) -> list[str]:
    from transformers import AutoTokenizer

    backend = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    encoding: list[str] = backend.encode(text, add_special_tokens=False).tokens
    return encoding


@pytest.mark.parametrize("teacher", TEACHERS)
def test_text_is_split_as_the_teacher_does(teacher: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(teacher)
    parts = distill_parts(folder, dim=8)
    for line in [*LINES[:300], "안녕 ไทย é 👩‍👩‍👧", "", "a" * 300]:
        # Byte-level tokenizers see a space before the first word.
        text = f" {line.lstrip()}" if teacher == "gpt" else line
        assert tokens(parts, text) == teacher_tokens(folder, text)


@pytest.mark.parametrize("teacher", TEACHERS)
def test_own_words_and_phrases_are_found(teacher: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(teacher)
    parts = distill_parts(folder, dim=8, vocabulary=WORDS)
    found = tokens(parts, "a Feierabend in new york, Überraschung with c++ here")
    whole = [token.strip("▁Ġ ").lower() for token in found]
    assert [word for word in whole if word in ("feierabend", "new york", "c++")] == [
        "feierabend",
        "new york",
        "c++",
    ]
    # A phrase is matched at word boundaries, unlike in model2vec.
    assert "new york" not in [token.strip() for token in tokens(parts, "a new yorker")]
    # Ids are contiguous: one row each, and no token twice.
    ids = token_ids(parts.tokenizer)
    assert list(ids.values()) == list(range(len(parts.embeddings)))


@pytest.mark.parametrize("teacher", TEACHERS)
def test_own_words_change_no_other_word(teacher: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(teacher)
    before = distill_parts(folder, dim=8)
    after = distill_parts(folder, dim=8, vocabulary=["Feierabend", "zzz zzz"])
    for line in LINES[:200]:
        assert tokens(after, line) == tokens(before, line)


def test_a_words_vector_is_the_teachers_vector_of_the_word(bert: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    parts = distill_parts(
        bert, dim=24, vocabulary=["Feierabend"], options=DistillOptions(weighting="none")
    )
    tokenizer, model = AutoTokenizer.from_pretrained(bert), AutoModel.from_pretrained(bert).eval()
    with torch.inference_mode():
        states = [
            model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0).numpy()
            for text in ("Feierabend", "help")
        ]
    vocabulary = parts.tokenizer["model"]["vocab"]
    ours = parts.embeddings[[vocabulary["feierabend"], vocabulary["help"]]]
    # Principal components keep distances.
    expected = np.linalg.norm(states[0] - states[1])
    assert np.linalg.norm(ours[0] - ours[1]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("teacher", TEACHERS)
def test_only_own_words(teacher: str, request: pytest.FixtureRequest) -> None:
    options = DistillOptions(teacher_vocabulary=False)
    folder = request.getfixturevalue(teacher)
    parts = distill_parts(folder, dim=4, vocabulary=[*WORDS, "rose"], options=options)
    unknown = next(iter(token_ids(parts.tokenizer)))
    assert len(parts.embeddings) == 7
    found = tokens(parts, "Feierabend xyz in new york")
    assert [token.strip("▁Ġ ").lower() for token in found if token != unknown] == [
        "feierabend",
        "new york",
    ]


def test_unused_and_special_tokens_go(bert: Path) -> None:
    vocabulary = distill_parts(bert, dim=8).tokenizer["model"]["vocab"]
    assert list(vocabulary)[:2] == ["[PAD]", "[UNK]"]
    assert not any(token.startswith(("[unused", "[CLS", "[SEP", "[MASK")) for token in vocabulary)
    kept = distill_parts(bert, dim=8, options=DistillOptions(remove_pattern=None))
    assert "[unused1]" in kept.tokenizer["model"]["vocab"]


@pytest.mark.parametrize("teacher", TEACHERS)
def test_unseen_tokens_go_and_seen_text_stays(teacher: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(teacher)
    seen = LINES[:150]
    whole = distill_parts(folder, dim=8, corpus=seen)
    options = DistillOptions(remove_unseen=True)
    parts = distill_parts(folder, dim=8, corpus=seen, options=options)
    assert len(parts.embeddings) < len(whole.embeddings)
    for line in seen:
        assert tokens(parts, line) == tokens(whole, line)
    # Unseen words still fall apart into known pieces.
    assert "[UNK]" not in tokens(parts, "zigzag quartz")


def test_bpe_keeps_the_parts_of_kept_tokens() -> None:
    tokenizer = {
        "added_tokens": [],
        "pre_tokenizer": None,
        "model": {
            "type": "BPE",
            "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4, "ca": 5},
            "merges": ["a b", ["ab", "c"], "c a"],
        },
    }
    assert needed_by_model(tokenizer, {"abc"}) == {"a", "b", "c", "ab"}
    rebuilt = rebuild(tokenizer, keep=["a", "b", "c", "ab", "abc"])
    assert rebuilt["model"]["merges"] == ["a b", ["ab", "c"]]
    assert tokenizer["model"]["merges"] == ["a b", ["ab", "c"], "c a"]


def test_unknown_tokenizer_model() -> None:
    with pytest.raises(ModelFileError, match=r"model\.type 'Foo' is not supported"):
        prepare({"model": {"type": "Foo"}})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty: give at least one word"),
        (b"\n \n", r"words\.txt: the vocabulary is empty"),
        (b"caf\xe9\n", "not UTF-8"),
    ],
)
def test_bad_vocabulary_files(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "words.txt").write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_vocabulary(tmp_path / "words.txt")
    with pytest.raises(InputError, match=r"gone\.txt: .* cannot be read: No such file or dir\w+$"):
        read_vocabulary(tmp_path / "gone.txt")
    with pytest.raises(InputError, match=r"cannot be read: Is a directory$"):
        read_vocabulary(tmp_path)


def test_lines_that_say_nothing_new_are_skipped_and_counted(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_bytes(b"\xef\xbb\xbfrose\r\n\r\n tulip\nrose \n \nrose\n")
    found = read_vocabulary(tmp_path / "words.txt")
    assert found.entries == ("rose", "tulip")
    assert (found.blank, found.repeated) == (2, 2)


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ([], "the vocabulary is empty"),
        ("rose", "vocabulary is one string"),
        (["rose", " "], "vocabulary entry 1: the vocabulary entry is empty"),
        (["rose", "rose"], "'rose' is there already"),
        (["rose", 3], "vocabulary entry 1: a vocabulary entry must be str: 3 is not"),
        (["rose", "a\ud800"], "vocabulary entry 1 holds a lone surrogate at character 1"),
        (3, "vocabulary is of type int: give a list"),
        (iter(["rose"]), "vocabulary is of type list_iterator: give a list"),
        (["\u0301"], "is empty once the teacher's tokenizer has normalised it"),
        (["word " * 80], "reads at most 64"),
    ],
)
def test_bad_vocabularies(bert: Path, vocabulary: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        distill_parts(bert, dim=8, vocabulary=vocabulary)
