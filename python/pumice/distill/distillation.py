"""Distils a teacher into a static model: tokens, their vectors, principal components, weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pumice.distill.corpus import check_corpus, token_counts
from pumice.distill.options import DistillOptions
from pumice.distill.pca import project
from pumice.distill.replacement import check_replacement, spelled_tokens
from pumice.distill.tokenizer_json import (
    load_tokenizer,
    prepare,
    rebuild,
    token_ids,
    unknown_token,
    word_level,
)
from pumice.distill.vocabulary import (
    OwnVocabulary,
    check_entries,
    kept_tokens,
    own_vocabulary,
    seen_tokens,
)
from pumice.distill.weights import corpus_probabilities, sif_weights, zipf_probabilities
from pumice.errors import InputError
from pumice.modelfile.parts import Metadata, ModelParts
from pumice.modelfile.vocabulary import tokens_by_id
from pumice.teachers.teacher import Teacher, load_teacher

if TYPE_CHECKING:
    from pumice.model import StaticModel

_DEFAULTS = DistillOptions()
_PREFIXES = (64, 128, 256, 512, 1024, 2048)


def distill(
    teacher: str | Path,
    *,
    dim: int | None = 256,
    vocabulary: Sequence[str] | Mapping[str, Any] | None = None,
    corpus: Iterable[str] | Mapping[str, int] | None = None,
    options: DistillOptions = _DEFAULTS,
) -> StaticModel:
    """Make a static model from a sentence-transformers or Hugging Face model.

    Every token goes through the teacher alone; its vector is turned onto the ``dim`` principal
    components (None: as many as the teacher has) and weighted by how rare the token is.
    ``vocabulary`` adds words and phrases, none empty or twice; or it is a parsed tokenizer.json that takes
    the place of the teacher's (`pumice.vocabulary.learn_vocabulary` makes one): a token that the teacher
    lacks goes through it as the pieces it is there. ``corpus`` gives the texts
    in which tokens are counted (read once, a generator will do) or the counts themselves, by
    token. Raises InputError, HubError, ModelFileError, and MissingExtraError without
    ``pip install "pumice[distill]"``.
    """
    from pumice.model import StaticModel

    return StaticModel.from_parts(
        distill_parts(teacher, dim=dim, vocabulary=vocabulary, corpus=corpus, options=options)
    )


def distill_parts(
    teacher: str | Path,
    *,
    dim: int | None = 256,
    vocabulary: Sequence[str] | Mapping[str, Any] | None = None,
    corpus: Iterable[str] | Mapping[str, int] | None = None,
    options: DistillOptions = _DEFAULTS,
) -> ModelParts:
    """Do what `distill` does, but stop before the model is compiled."""
    check_settings(
        dim, options=options, vocabulary=vocabulary is not None, corpus=corpus is not None
    )
    if isinstance(vocabulary, Mapping):
        check_replacement(vocabulary, options=options)
    elif vocabulary is not None:
        check_entries(vocabulary)
    if corpus is not None:
        check_corpus(corpus)
    weighting = _weighting(options, corpus=corpus is not None)
    loaded = load_teacher(teacher, options.for_teacher())
    if dim is not None and dim > loaded.width:
        raise InputError(
            f"dim is {dim} but teacher {loaded.name} has {loaded.width} dimensions: "
            f"ask for at most {loaded.width}"
        )
    layout = _layout(loaded, vocabulary=vocabulary, options=options)
    counts = None
    if corpus is not None:
        counts = token_counts(layout.tokenizer, corpus)
        if options.remove_unseen:
            layout, counts = _without_unseen(layout, counts, loaded)

    if isinstance(vocabulary, Mapping):
        pieces = spelled_tokens(layout.tokenizer, teacher=loaded.tokenizer)
    else:
        pieces = _pieces(layout, loaded)
    vectors = loaded.embed(pieces, progress=options.progress)
    probabilities = zipf_probabilities(layout.size)
    if weighting == "sif" and counts is not None:
        probabilities = corpus_probabilities(counts)
    zipfian = weighting in ("sif", "zipf")
    whitening = options.whitening if options.whitening is not None else float(zipfian)
    embeddings = project(
        vectors,
        dim=loaded.width if dim is None else dim,
        probabilities=probabilities if zipfian else None,
        whitening=whitening,
    )
    coefficient = None
    if weighting != "none":
        coefficient = options.sif_coefficient or (1e-3 if weighting == "sif" else 1e-4)
        embeddings *= sif_weights(probabilities, coefficient=coefficient)[:, None]

    provenance = {
        "method": "distillation",
        "teacher": loaded.name,
        "pooling": options.pooling,
        "weighting": weighting,
        "sif_coefficient": coefficient,
        "whitening": whitening,
        "own_words": len(layout.own.words),
        "own_phrases": len(layout.own.phrases),
        "corpus_tokens": None if counts is None else int(counts.sum()),
        "versions": {**loaded.versions, "numpy": np.__version__},
    }
    return ModelParts(
        tokenizer=layout.tokenizer,
        embeddings=embeddings.astype(np.float32),
        metadata=Metadata(
            name=options.name or f"{loaded.name.rsplit('/', 1)[-1]}-static",
            license=loaded.license,
            source=loaded.name,
            languages=loaded.languages,
            prefixes=_prefixes(embeddings.shape[1]),
            provenance=provenance,
        ),
    )


def check_settings(
    dim: int | None, *, options: DistillOptions, vocabulary: bool, corpus: bool
) -> None:
    """Raise InputError for settings that go ill together, before anything is read or loaded.

    ``vocabulary`` and ``corpus`` say whether there is one.
    """
    if not isinstance(options, DistillOptions):
        raise InputError(f"options is of type {type(options).__name__}: give DistillOptions")
    if dim is not None and (isinstance(dim, bool) or not isinstance(dim, int) or dim < 1):
        raise InputError(f"dim is {dim!r}: give a whole number of at least 1, or None")
    if options.remove_unseen and not corpus:
        raise InputError("remove_unseen needs a corpus to look for tokens in: give one")
    if not options.teacher_vocabulary and not vocabulary:
        raise InputError("the vocabulary is empty: without the teacher's tokens, give words")
    weighting = options.weighting
    if weighting == "sif" and not corpus:
        raise InputError(
            'weighting "sif" needs a corpus to count tokens in: give one, or use "zipf"'
        )
    if corpus and weighting not in ("auto", "sif") and not options.remove_unseen:
        raise InputError(
            f'a corpus has no use with weighting "{weighting}": leave it out, or use "sif"'
        )
    if weighting == "none" and options.sif_coefficient is not None:
        raise InputError('sif_coefficient has no use with weighting "none": leave it out')


@dataclass(frozen=True)
class _Layout:
    """The new vocabulary in order: tokens of the teacher, the user's words, the user's phrases."""

    base: dict[str, Any]
    """The prepared tokenizer.json that ``tokenizer`` was rebuilt from."""
    keep: tuple[str, ...]
    own: OwnVocabulary
    tokenizer: dict[str, Any]

    @property
    def size(self) -> int:
        return len(self.keep) + len(self.own.words) + len(self.own.phrases)


def _layout(
    teacher: Teacher,
    *,
    vocabulary: Sequence[str] | Mapping[str, Any] | None,
    options: DistillOptions,
) -> _Layout:
    if isinstance(vocabulary, Mapping):
        replacement = prepare(dict(vocabulary))
        return _Layout(replacement, tuple(tokens_by_id(replacement)), OwnVocabulary(), replacement)
    base = prepare(teacher.tokenizer)
    if options.teacher_vocabulary:
        keep = kept_tokens(base, padding=teacher.padding, remove_pattern=options.remove_pattern)
    else:
        unknown = unknown_token(base) or "[UNK]"
        keep = [unknown]
        if base["model"]["type"] != "WordPiece":
            if base.get("pre_tokenizer") is None:
                raise InputError(
                    f"teacher {teacher.name} does not split text into words, so its vocabulary "
                    "cannot be replaced by words: keep teacher_vocabulary"
                )
            base = word_level(base, unknown=unknown)
    own = OwnVocabulary()
    if vocabulary is not None:
        own = own_vocabulary(vocabulary, tokenizer=base, taken=keep)
    tokenizer = rebuild(base, keep=keep, words=own.words, phrases=own.phrases)
    return _Layout(base, tuple(keep), own, tokenizer)


def _without_unseen(
    layout: _Layout, counts: NDArray[np.int64], teacher: Teacher
) -> tuple[_Layout, NDArray[np.int64]]:
    """Drop unseen tokens; the seen ones are found just as before, so their counts still hold."""
    before = len(layout.keep)
    seen = seen_tokens(
        layout.base, keep=layout.keep, counts=counts[:before].tolist(), padding=teacher.padding
    )
    stays = set(seen)
    mask = np.array([token in stays for token in layout.keep] + [True] * (layout.size - before))
    own = layout.own
    tokenizer = rebuild(layout.base, keep=seen, words=own.words, phrases=own.phrases)
    return _Layout(layout.base, tuple(seen), own, tokenizer), counts[mask]


def _pieces(layout: _Layout, teacher: Teacher) -> list[list[int]]:
    """Spell every token in the teacher's own ids, without special tokens."""
    ids = token_ids(teacher.tokenizer)
    own_texts = [word.text for word in layout.own.words]
    own_texts += [phrase.text for phrase in layout.own.phrases]
    plain = {**teacher.tokenizer, "truncation": None, "padding": None}
    spelled = load_tokenizer(plain).encode_batch(own_texts, add_special_tokens=False)
    # A word-level model of one's own words may bring an unknown token that the teacher lacks.
    pieces = [[ids.get(token, 0)] for token in layout.keep]
    return [*pieces, *(encoding.ids for encoding in spelled)]


def _weighting(options: DistillOptions, *, corpus: bool) -> str:
    if options.weighting == "auto":
        return "sif" if corpus else "zipf"
    return options.weighting


def _prefixes(dim: int) -> tuple[int, ...]:
    """Name the prefixes worth asking for: components are ordered, so any cut keeps the most."""
    return (*(prefix for prefix in _PREFIXES if prefix < dim), dim)
