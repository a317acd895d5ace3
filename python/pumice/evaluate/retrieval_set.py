"""A test collection: documents, queries, and which documents answer which query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pumice.errors import InputError

Judgments = Mapping[str, Mapping[str, int]]
"""Query id to document id to grade; a grade of 0 or less is a document judged and found wrong."""


@dataclass(frozen=True)
class RetrievalSet:
    """What is measured on. Ids are unique, every judged id is there, each query has a relevant document."""

    name: str
    documents: Mapping[str, str]
    """Text by id; title and text are joined by a space, as BEIR does."""
    queries: Mapping[str, str]
    """Text by id, of judged queries only."""
    judgments: Judgments

    @cached_property
    def document_ids(self) -> tuple[str, ...]:
        """In the order of the corpus."""
        return tuple(self.documents)

    @cached_property
    def overlap(self) -> bool:
        """Whether a query may find itself, as ArguAna's do; BEIR leaves such hits out."""
        return not self.documents.keys().isdisjoint(self.queries)

    def ask_only(self, queries: int, *, seed: int = 0) -> RetrievalSet:
        """Fewer queries, drawn at random."""
        if queries >= len(self.queries):
            return self
        names = list(self.queries)
        drawn = {names[at] for at in np.random.default_rng(seed).permutation(len(names))[:queries]}
        return RetrievalSet(
            self.name,
            self.documents,
            {one: text for one, text in self.queries.items() if one in drawn},
            {one: grades for one, grades in self.judgments.items() if one in drawn},
        )

    def sample(self, documents: int, *, seed: int = 0) -> RetrievalSet:
        """Fewer documents: those that are relevant to a query, and others drawn at random."""
        if documents >= len(self.documents):
            return self
        relevant = {
            document
            for grades in self.judgments.values()
            for document, grade in grades.items()
            if grade > 0
        }
        others = [one for one in self.documents if one not in relevant]
        room = max(0, documents - len(relevant))
        drawn = np.random.default_rng(seed).permutation(len(others))[:room].tolist()
        kept = relevant | {others[at] for at in drawn}
        return RetrievalSet(
            self.name,
            {one: text for one, text in self.documents.items() if one in kept},
            self.queries,
            {
                query: {one: grade for one, grade in grades.items() if one in kept}
                for query, grades in self.judgments.items()
            },
        )


def checked_set(
    name: str, documents: Mapping[str, str], queries: Mapping[str, str], judgments: Judgments
) -> RetrievalSet:
    """The set of those queries that have a relevant document; InputError where nothing is left."""
    if not documents:
        raise InputError(f"{name}: its corpus is empty: there is nothing to search")
    judged = {
        query: grades for query, grades in judgments.items() if any(g > 0 for g in grades.values())
    }
    if not judged:
        raise InputError(f"{name}: its qrels judge no document relevant: nothing can be measured")
    return RetrievalSet(name, documents, {one: queries[one] for one in judged}, judged)
