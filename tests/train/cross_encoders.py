"""A real cross-encoder, tiny and of random weights, and pairs for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumice.train import Pair
from tests.train.conftest import WORDS, make_pairs


def make_cross_encoder(folder: Path, *, labels: int = 1, broken: bool = False) -> Path:
    """A BERT of two layers with random weights over WORDS."""
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    pytest.importorskip("sentence_transformers")
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, "the", "of", "and"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=64, **special
    ).save_pretrained(folder)
    torch = pytest.importorskip("torch")
    torch.manual_seed(5)
    config = transformers.BertConfig(
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        num_labels=labels,
        initializer_range=0.5,
    )
    model = transformers.BertForSequenceClassification(config)
    if broken:
        model.classifier.weight.data[:] = float("nan")
    model.save_pretrained(folder)
    return folder


def listed(count: int, *, negatives: int = 3, seed: int = 0) -> list[Pair]:
    made = make_pairs(count + negatives, seed=seed)
    return [
        Pair(
            made[i]["anchor"],
            made[i]["positive"],
            tuple(made[j]["positive"] for j in range(i + 1, i + 1 + negatives)),
        )
        for i in range(count)
    ]
