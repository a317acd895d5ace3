"""A learned vocabulary in the teacher's place: its tokens spelled in the teacher's ids, its vectors theirs."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pumice.distill import DistillOptions, distill, distill_parts
from pumice.distill.replacement import spelled_tokens
from pumice.distill.tokenizer_json import token_ids
from pumice.errors import InputError, ModelFileError
from pumice.modelfile.vocabulary import tokens_by_id
from pumice.teachers.options import TeacherOptions
from pumice.teachers.teacher import load_teacher
from pumice.vocabulary import LearnedVocabulary, VocabularyOptions, learn_vocabulary
from tests.vocabulary.corpora import NAMES, made_texts

PLAIN = DistillOptions(weighting="none", whitening=0.0)


@pytest.fixture(scope="module")
def learned() -> LearnedVocabulary:
    return learn_vocabulary(made_texts(), options=VocabularyOptions(126, words=12, phrases=4))


def reference(tokenizer: dict[str, Any]) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(json.dumps(tokenizer))


@pytest.mark.parametrize("name", ["bert", "sentence_bert", "unigram_bert", "gpt"])
def test_every_token_is_the_teachers_pieces(
    name: str, learned: LearnedVocabulary, request: pytest.FixtureRequest
) -> None:
    teacher = load_teacher(request.getfixturevalue(name), TeacherOptions(device="cpu"))
    spelled = spelled_tokens(learned.tokenizer, teacher=teacher.tokenizer)
    ids = token_ids(teacher.tokenizer)
    plain = reference({**teacher.tokenizer, "truncation": None, "padding": None})
    checked = 0
    for token, pieces in zip(tokens_by_id(learned.tokenizer), spelled, strict=True):
        assert pieces
        if token == "[UNK]":
            continue
        if not token.startswith("##"):
            assert pieces == plain.encode(token, add_special_tokens=False).ids
        elif token in ids:
            assert pieces == [ids[token]]
            checked += 1
        elif name.endswith("bert") and name != "unigram_bert":
            # What follows a letter that stands alone is spelled so within a word as well.
            whole = plain.encode(f"q{token[2:]}", add_special_tokens=False)
            if whole.tokens[0] == "q":
                assert pieces == whole.ids[1:]
                checked += 1
    assert checked > 20 or name in ("unigram_bert", "gpt")


def test_the_rows_are_what_the_teacher_makes_of_the_pieces(
    bert: Path, learned: LearnedVocabulary
) -> None:
    parts = distill_parts(bert, dim=None, vocabulary=learned.tokenizer, options=PLAIN)
    assert tokens_by_id(parts.tokenizer) == list(learned.counts)
    model = distill(bert, dim=None, vocabulary=learned.tokenizer, options=PLAIN)
    assert model.metadata["tokenizer"]["native"]
    teacher = load_teacher(bert, TeacherOptions(device="cpu"))
    vectors = teacher.embed(spelled_tokens(learned.tokenizer, teacher=teacher.tokenizer))
    centred = vectors - vectors.mean(axis=0)
    # Principal components turn the space: what stays is every inner product.
    np.testing.assert_allclose(
        parts.embeddings @ parts.embeddings.T, centred @ centred.T, rtol=1e-3, atol=1e-3
    )
    assert {token for token in tokens_by_id(parts.tokenizer) if " " in token} == set(NAMES)


def test_counts_are_folded_into_the_rows(bert: Path, learned: LearnedVocabulary) -> None:
    options = DistillOptions(weighting="sif", whitening=0.0, sif_coefficient=0.01)
    rows = distill_parts(
        bert, dim=None, vocabulary=learned.tokenizer, corpus=learned.counts, options=options
    ).embeddings
    common = tokens_by_id(learned.tokenizer).index("the")
    share = learned.counts["the"] / sum(learned.counts.values())
    without = distill_parts(
        bert,
        dim=None,
        vocabulary=learned.tokenizer,
        corpus={**learned.counts, "of": 10**9},
        options=options,
    ).embeddings
    assert share > 0.02
    assert np.linalg.norm(rows[common]) < 0.5 * np.linalg.norm(without[common])


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"type": "Unigram"}, PLAIN, "vocabulary is a tokenizer.json of Unigram: give one of"),
        ({"vocab": {"a": 4}}, PLAIN, 'token "a" has id 4 where 0 comes next'),
        ({}, DistillOptions(teacher_vocabulary=False), "teacher_vocabulary has no use"),
    ],
)
def test_mistakes(
    bert: Path, change: dict[str, Any], options: DistillOptions, message: str
) -> None:
    tokenizer = copy.deepcopy(
        learn_vocabulary(["a b c"] * 9, options=VocabularyOptions(4)).tokenizer
    )
    tokenizer["model"] |= change
    with pytest.raises((InputError, ModelFileError)) as error:
        distill(bert, vocabulary=tokenizer, options=options)
    assert message in str(error.value)
    with pytest.raises((InputError, ModelFileError)):
        distill(bert, vocabulary={"nothing": 1})
