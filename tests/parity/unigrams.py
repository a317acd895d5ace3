"""Unigram tokenizers as parsed tokenizer.json: trained ones, and hand-made ones with ties."""

from __future__ import annotations

import functools
import json
import random
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from tests.parity import small_tokenizers as small

Json = dict[str, Any]

METASPACES: dict[str, Json | None] = {
    f"metaspace_{scheme}_{'split' if split else 'whole'}": {
        "type": "Metaspace",
        "replacement": "\u2581",
        "prepend_scheme": scheme,
        "split": split,
    }
    for scheme in ("always", "first", "never")
    for split in (True, False)
}
PRE_TOKENIZERS: dict[str, Json | None] = METASPACES | {
    "none": None,
    "old_metaspace": {"type": "Metaspace", "replacement": "_", "add_prefix_space": True},
    "whitespace_split": {"type": "WhitespaceSplit"},
    "split_then_metaspace": {
        "type": "Sequence",
        "pretokenizers": [{"type": "WhitespaceSplit"}, METASPACES["metaspace_always_split"]],
    },
}


@functools.cache
def trained() -> str:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=2000, unk_token="<unk>", special_tokens=["<unk>", "</s>"], show_progress=False
    )
    tokenizer.train_from_iterator(small.corpus(), trainer)
    return str(tokenizer.to_str())


def unigram(
    *,
    normalizer: Json | None = None,
    pre_tokenizer: Json | None = METASPACES["metaspace_always_split"],
    byte_fallback: bool = False,
) -> Json:
    """A trained Unigram with another normalizer, pre-tokenizer or rule for unknown characters."""
    tokenizer: Json = json.loads(trained())
    model = tokenizer["model"]
    vocab = [piece for piece in model["vocab"] if "\0" not in piece[0]]
    if byte_fallback:
        vocab += [[f"<0x{byte:02X}>", 0.0] for byte in range(256)]
    model = {**model, "vocab": vocab, "byte_fallback": byte_fallback}
    return {**tokenizer, "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "model": model}


def by_hand(
    vocab: list[tuple[str, float]], *, unk_id: int = 0, byte_fallback: bool = False
) -> Json:
    """An untrained Unigram without normalizer and pre-tokenizer."""
    model = {
        "type": "Unigram",
        "unk_id": unk_id,
        "vocab": [list(piece) for piece in vocab],
        "byte_fallback": byte_fallback,
    }
    return {**unigram(pre_tokenizer=None), "added_tokens": [], "model": model}


def spelling(normalizer: Json | None) -> Json:
    """A Unigram whose ids are the bytes of the normalised text."""
    vocab = [("<unk>", 0.0), *((f"<0x{byte:02X}>", 0.0) for byte in range(256))]
    return {**by_hand(vocab, byte_fallback=True), "normalizer": normalizer}


def random_vocabulary(rng: random.Random) -> list[tuple[str, float]]:
    """Pieces over four letters whose scores often tie."""
    pieces = {"".join(rng.choices("ab\u00e9\u4e2d", k=rng.randint(1, 5))) for _ in range(60)}
    return [("<unk>", 0.0)] + [
        (piece, rng.choice([-1.0, -2.0, -0.5 * len(piece), -rng.random()]))
        for piece in sorted(pieces)
    ]
