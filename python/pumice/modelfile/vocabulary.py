"""The vocabulary of a tokenizer.json: every token by id, from the model and the added tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pumice.errors import ModelFileError, PumiceError


@contextmanager
def damage_named() -> Iterator[None]:
    """What a tokenizer.json of another form than the library writes raises, as a ModelFileError."""
    try:
        yield
    except PumiceError:
        raise
    except (LookupError, AttributeError, RecursionError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"tokenizer.json is damaged ({type(error).__name__}: {error}): save the tokenizer again"
        ) from error


def model_vocabulary(tokenizer: dict[str, Any]) -> dict[str, int]:
    """Token to id of ``model.vocab``, whichever of the two shapes it has (a map, or a Unigram list)."""
    model = tokenizer.get("model")
    if not isinstance(model, dict) or "vocab" not in model:
        raise ModelFileError(
            "tokenizer.json: model.vocab is missing: pass a Hugging Face tokenizer.json"
        )
    vocab = model["vocab"]
    if isinstance(vocab, list):
        return {piece: index for index, (piece, _score) in enumerate(vocab)}
    return dict(vocab)


def tokens_by_id(tokenizer: dict[str, Any]) -> list[str]:
    """Every token in the order of ids.

    ModelFileError unless ids run from 0 without gap or repetition, the model's own tokens first and
    added tokens after them: any other numbering is changed by the ``tokenizers`` library on loading.
    """
    vocab = model_vocabulary(tokenizer)
    tokens = sorted(vocab, key=vocab.__getitem__)
    for position, token in enumerate(tokens):
        if vocab[token] != position:
            raise ModelFileError(
                f'tokenizer.json: token "{token}" has id {vocab[token]} where {position} comes next: '
                "renumber the vocabulary from 0 without gaps or repetitions"
            )
    for added in tokenizer.get("added_tokens") or []:
        expected = vocab.setdefault(added["content"], len(tokens))
        if expected == len(tokens):
            tokens.append(added["content"])
        if added["id"] != expected:
            raise ModelFileError(
                f'tokenizer.json: added token "{added["content"]}" has id {added["id"]}, '
                f"but the vocabulary gives it {expected}: renumber it"
            )
    return tokens


def unknown_id(tokenizer: dict[str, Any]) -> int | None:
    """The id of the unknown token, or None; Unigram names it by id, the other models by text."""
    model = tokenizer["model"]
    if "unk_id" in model:
        index = model["unk_id"]
        return None if index is None else int(index)
    token = model.get("unk_token")
    for added in tokenizer.get("added_tokens") or []:
        if added["content"] == token:
            return int(added["id"])
    return model_vocabulary(tokenizer).get(token) if token is not None else None
