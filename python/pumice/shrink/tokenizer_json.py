"""A tokenizer.json of fewer tokens: ids from 0 again, merges that still hold, new single characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pumice.modelfile.vocabulary import model_vocabulary, tokens_by_id
from pumice.shrink.choice import merge_parts


def with_tokens(
    tokenizer: dict[str, Any], kept: Iterable[int], *, new: Sequence[str] = ()
) -> dict[str, Any]:
    """The same tokenizer with the tokens of these ids, then ``new`` ones, then those that are added alone.

    `order_after` tells which token each new id was.
    """
    tokens = tokens_by_id(tokenizer)
    own = model_vocabulary(tokenizer)
    names = [tokens[index] for index in kept]
    ids = {
        name: index
        for index, name in enumerate(
            [*(n for n in names if n in own), *new, *(n for n in names if n not in own)]
        )
    }
    model = dict(tokenizer["model"])
    within = [name for name in ids if name in own or name in new]
    if isinstance(model["vocab"], list):
        scores = dict(model["vocab"])
        lowest = min(scores.values(), default=0.0)
        model["vocab"] = [[name, scores.get(name, lowest)] for name in within]
        if model.get("unk_id") is not None:
            model["unk_id"] = ids[tokens[model["unk_id"]]]
    else:
        model["vocab"] = {name: ids[name] for name in within}
    if model.get("merges"):
        model["merges"] = [merge for merge in model["merges"] if _holds(merge, model["vocab"])]
    added = [
        {**one, "id": ids[one["content"]]}
        for one in tokenizer.get("added_tokens") or []
        if one["content"] in ids
    ]
    return {
        **tokenizer,
        "model": model,
        # The library wants those that it must number itself in the order of their numbers.
        "added_tokens": sorted(added, key=lambda one: one["id"]),
        "post_processor": _renumbered(tokenizer.get("post_processor"), ids),
    }


def order_after(
    tokenizer: dict[str, Any], kept: Iterable[int], *, new: int = 0
) -> list[int | None]:
    """The old id of each token that `with_tokens` numbers; None for the new ones."""
    own = len(model_vocabulary(tokenizer))
    kept = list(kept)
    inside = [index for index in kept if index < own]
    return [*inside, *[None] * new, *(index for index in kept if index >= own)]


def _holds(merge: str | Sequence[str], vocab: dict[str, int]) -> bool:
    left, right = merge_parts(merge)
    return left in vocab and right in vocab and left + right in vocab


def _renumbered(post_processor: dict[str, Any] | None, ids: dict[str, int]) -> Any:
    """The post-processor with the new ids of the tokens that it names."""
    if post_processor is None:
        return None
    renumbered = dict(post_processor)
    for key, value in post_processor.items():
        if key in ("cls", "sep"):
            renumbered[key] = [value[0], ids[value[0]]]
        elif key == "special_tokens":
            renumbered[key] = {
                name: {**special, "ids": [ids[token] for token in special["tokens"]]}
                for name, special in value.items()
            }
        elif key == "processors":
            renumbered[key] = [_renumbered(one, ids) for one in value]
    return renumbered
