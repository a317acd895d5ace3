"""Passages are slices of their document, together hold all of it, and hostile texts take no hour."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumice.search.documents import splitting
from pumice.search.documents.document import Document, Kind
from pumice.search.documents.splitting import PASSAGE_CHARACTERS, split_document, split_sentences

KINDS: list[Kind] = ["text", "markdown", "python", "record"]
pieces = st.sampled_from(
    ["# Title\n", "word ", "Sentence one. ", "\n\n", "def f(x):\n    return x\n", "日本語。", "ไทย",
     "e\u0301", "👨‍👩‍👧", "```\n", "- item\n", "x" * 700, "\r\n", "\0", "\u2028", " ", "| a | b |\n"]
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(parts=st.lists(pieces, max_size=60), kind=st.sampled_from(KINDS))
def test_passages_are_slices_that_hold_everything(parts: list[str], kind: Kind) -> None:
    check("".join(parts), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_long_texts_meet(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "_PIECE_CHARACTERS", 900)
    for text in ("a sentence here. " * 500, "# h\n\npara\n\n" * 300, "é" * 5000, "x = 1\n" * 900):
        check(text, kind)


def check(text: str, kind: Kind) -> None:
    passages = list(split_document(Document(text, kind)))
    end = 0
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text
        assert 0 < len(passage.text) <= PASSAGE_CHARACTERS
        assert passage.text.strip()
        assert text[end : passage.start].strip() == ""
        assert passage.line == text.count("\n", 0, passage.start) + 1
        end = passage.end
    assert text[end:].strip() == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "unit", ["a", "a b ", "\n", "# x\n", "- x\n", "e\u0301", "[", "x(", "if a:\n"]
)
def test_hostile_texts_are_split_in_time(kind: Kind, unit: str) -> None:
    text = (unit * 200_000)[:200_000]
    started = time.process_time()
    list(split_document(Document(text, kind)))
    assert time.process_time() - started < 10


def test_sentences_are_spans() -> None:
    text = (
        "Renew at the town hall. Bring a photograph of yourself, please. Pay the fee at the desk."
    )
    spans = split_sentences(text)
    assert len(spans) > 1
    assert " ".join(text[start:end] for start, end in spans) == text
