"""Pairs from documents that come without queries: titles, headings and first sentences stand for these."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pumice.errors import InputError
from pumice.train.corpus import Document
from pumice.train.pair import Pair
from pumice.train.sources import Source

FEWEST_PAIRS = 8
"""A kind with fewer is left out: its pairs would be each other's only negatives."""
_LONGEST_QUERY = 300
_SHORTEST_SENTENCE, _SHORTEST_PASSAGE = 20, 20
_HEADING = re.compile(
    r"^(?:#{1,6}[ \t]+(?P<marked>\S.*?)[ \t#]*"
    # Three of ~ or * are a code block or a line in Markdown.
    r"|(?P<over>\S.{0,120})\n(?:={3,}|-{3,}|(?P<rule>[~^\"'#*+])(?P=rule){3,}))$",
    re.MULTILINE,
)
# A full stop ends a sentence before what is no small letter, and not after an initial or Dr, Mrs, Fig.
_END = re.compile(
    r"""(?:(?<!\b[A-Z])(?<!\b[A-Z][a-z])(?<!\b[A-Z][a-z]{2})[.!?…]["'”’)\]]*(?=\s+[^a-z\s])"""
    r"""|[。！？।॥؟۔።]["”’」』]*)"""
)


def pairs_from_documents(documents: Iterable[Document]) -> list[Source]:
    """Pairs as sources for `train`: "titles", "headings" and "first sentences", those that the documents have.

    A title belongs to the first text that has it, a heading to what follows it up to the next one, a first
    sentence to the rest of its text (the inverse cloze task of Lee et al. 2019, arXiv:1906.00300). A heading
    that occurs twice gets its title before it. Left out: queries without a letter or longer than 300
    characters, passages under 20 characters beside their query, and every text after the first for a query.
    Raises InputError where no kind has 8 pairs.
    """
    made = _Made([], [], [])
    for document in documents:
        if document.title:
            made.titles.append(_Found(document.title, document.text))
        rest = document.text
        sections = list(_sections(document))
        if sections:
            rest = document.text[: sections[0].begin].strip() or sections[0].text
            made.headings.extend(_Found(s.heading, s.text, document.title) for s in sections)
        end = _END.search(rest, _SHORTEST_SENTENCE)
        if end is not None:
            made.sentences.append(_Found(rest[: end.end()], rest[end.end() :]))
    kinds = {
        "titles": list(_usable(made.titles)),
        "headings": list(_usable(_told_apart(made.headings))),
        "first sentences": list(_usable(made.sentences)),
    }
    sources = [Source(name, pairs=ps) for name, ps in kinds.items() if len(ps) >= FEWEST_PAIRS]
    if not sources:
        counted = ", ".join(f"{len(pairs)} from {name}" for name, pairs in kinds.items())
        raise InputError(
            f"the corpus gives too few pairs ({counted}; one kind needs {FEWEST_PAIRS}): "
            "give more documents, or pairs"
        )
    return sources


def pairs_of_corpus(documents: Sequence[Document]) -> list[Source]:
    """For `pumice.train.align`: "texts", each its own document, and pairs made as above where there are any."""
    texts = dict.fromkeys(document.text for document in documents)
    sources = [Source("texts", pairs=[Pair(text, text) for text in texts])]
    with suppress(InputError):  # too few of every kind
        sources += pairs_from_documents(documents)
    return sources


@dataclass(frozen=True)
class _Found:
    query: str
    passage: str
    title: str = ""


@dataclass(frozen=True)
class _Made:
    titles: list[_Found]
    headings: list[_Found]
    sentences: list[_Found]


@dataclass(frozen=True)
class _Section:
    begin: int
    heading: str
    text: str


def _sections(document: Document) -> Iterator[_Section]:
    text = document.text
    marks = list(_HEADING.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)][1:]
    for mark, end in zip(marks, ends, strict=True):
        heading = mark["marked"] or mark["over"]
        yield _Section(mark.start(), heading.strip(), text[mark.end() : end].strip())


def _told_apart(headings: list[_Found]) -> Iterator[_Found]:
    """ "Parameters" alone belongs to no text; "os.path: Parameters" may."""
    counts = Counter(_folded(one.query) for one in headings)
    for one in headings:
        repeated = counts[_folded(one.query)] > 1
        if repeated and one.title and _folded(one.title) != _folded(one.query):
            yield _Found(f"{one.title}: {one.query}", one.passage)
        elif not repeated:
            yield one


def _usable(found: Iterable[_Found]) -> Iterator[Pair]:
    seen: set[str] = set()
    for one in found:
        query, passage = " ".join(one.query.split()), one.passage.strip()
        folded = _folded(query)
        if folded in seen or len(query) > _LONGEST_QUERY or not any(map(str.isalpha, query)):
            continue
        if passage[: len(query)].casefold() == folded:  # a text that begins with its title again
            passage = passage[len(query) :].lstrip(" \t\n.:-–—#=")
        # Counted without the query: a passage that is only its query teaches nothing.
        if len(_folded(passage).replace(folded, "")) < _SHORTEST_PASSAGE:
            continue
        seen.add(folded)
        yield Pair(query, passage)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
