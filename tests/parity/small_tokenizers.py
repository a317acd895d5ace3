"""Small tokenizers of every kind, as parsed tokenizer.json, deterministic."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from tests.parity import texts

Json = dict[str, Any]

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
BERT_FLAGS = [
    {"clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": strip, "lowercase": low}
    for clean, chinese, strip, low in product(
        (True, False), (True, False), (None, True, False), (True, False)
    )
]


def added_token(content: str, index: int, **flags: bool) -> Json:
    """An entry of added_tokens, every flag off but `flags`."""
    off = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    return {"id": index, "content": content, **off, **flags}


def bert(vocab: dict[str, int], *, flags: Json | None = None, **model: Any) -> Json:
    """A WordPiece tokenizer.json over `vocab`; `model` overrides the model's fields."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            added_token(token, vocab[token], special=True) for token in SPECIAL if token in vocab
        ],
        "normalizer": {"type": "BertNormalizer", **(flags or BERT_FLAGS[0])},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocab,
            **model,
        },
    }


def spelling_vocabulary(corpus: Iterable[str], *, prefix: str = "##") -> dict[str, int]:
    """Every character that a BERT normalizer can leave of `corpus`, as first and later piece.

    With it a token id shows each character, which a trained vocabulary hides behind [UNK]. NUL is
    left out: the core's trie has no place for it.
    """
    nfd = normalizers.NFD().normalize_str
    lowercase = normalizers.Lowercase().normalize_str
    chars: set[str] = set()
    for raw in set().union(*corpus):
        chars.update(raw, nfd(raw), lowercase(raw), lowercase(nfd(raw)))
    chars.discard("\0")
    tokens = [*SPECIAL, *sorted(chars), *(prefix + char for char in sorted(chars))]
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}


def without_some_letters(vocab: dict[str, int]) -> dict[str, int]:
    """`vocab` less the pieces of every 17th character, so that some words are unknown."""
    kept = (token for token in vocab if token in SPECIAL or ord(token[-1]) % 17)
    return {token: index for index, token in enumerate(kept)}


def corpus() -> list[str]:
    """Some lines of seven scripts to train on, with repeated words to merge."""
    rng = random.Random(5)
    lines = ["the lower newest widest of them all, 2024: don't!"] * 20
    for script in ("ascii", "latin_accents", "cyrillic", "arabic", "devanagari", "thai", "hangul"):
        letters = texts.within(texts.SCRIPTS[script])[:80]
        words = ["".join(rng.choices(letters, k=rng.randint(1, 7))) for _ in range(60)]
        lines += [" ".join(rng.choices(words, k=12)) for _ in range(40)]
    return lines


def trained_wordpiece() -> Json:
    """A trained WordPiece with BERT's normalizer and pre-tokenizer."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=1500, special_tokens=list(SPECIAL), limit_alphabet=250, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return as_json(tokenizer)


def bpe_byte_level() -> Json:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        initial_alphabet=alphabet,
        special_tokens=["<|end|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return as_json(tokenizer)


def bpe_metaspace() -> Json:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return as_json(tokenizer)


def unigram() -> Json:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=1500, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return as_json(tokenizer)


def word_level() -> Json:
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(
        vocab_size=900, special_tokens=["[UNK]"], show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return as_json(tokenizer)


def wordpiece_lowercase() -> Json:
    return {**trained_wordpiece(), "normalizer": {"type": "Lowercase"}}


def wordpiece_whitespace() -> Json:
    return {**trained_wordpiece(), "pre_tokenizer": {"type": "WhitespaceSplit"}}


def wordpiece_added_flags() -> Json:
    """Added tokens that look at their neighbours or at normalised text."""
    wordpiece = trained_wordpiece()
    vocab = wordpiece["model"]["vocab"]
    flagged = [
        added_token("the", vocab["the"], single_word=True),
        added_token("NEWEST", len(vocab), normalized=True),
        added_token("wid", len(vocab) + 1, lstrip=True, rstrip=True),
    ]
    return {**wordpiece, "added_tokens": [*wordpiece["added_tokens"], *flagged]}


# Tokenizers that the core runs, besides plain BERT's.
NATIVE: dict[str, Callable[[], Json]] = {
    build.__name__: build
    for build in (
        bpe_byte_level,
        bpe_metaspace,
        unigram,
        word_level,
        wordpiece_added_flags,
    )
}
# Tokenizers that the core does not know: the `tokenizers` library must run them.
FOREIGN: dict[str, Callable[[], Json]] = {
    build.__name__: build
    for build in (
        wordpiece_lowercase,
        wordpiece_whitespace,
    )
}


def as_json(tokenizer: Tokenizer) -> Json:
    parsed: Json = json.loads(tokenizer.to_str())
    return parsed
