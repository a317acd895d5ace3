"""Small tokenizers beside plain WordPiece, by hand, so that no trainer's version changes the golden models.

Together they run every step of a normalizer and of a pre-tokenizer that the core knows.
"""

from __future__ import annotations

from typing import Any

from pumice.modelfile.byte_level import BYTE_OF_CHARACTER
from pumice.modelfile.pre_tokenizers import PATTERNS
from tests.parity import charsmaps
from tests.parity.small_tokenizers import added_token

Json = dict[str, Any]

LETTERS = [*"abcdefghijklmnopqrstuvwxyz0123456789 .,!'-", *"ABé߀ई가京ﬁ\u0301\u200d😀"]
MARK = "\u2581"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
BERT_NORMALIZER = {
    "type": "BertNormalizer",
    "clean_text": True,
    "handle_chinese_chars": True,
    "strip_accents": None,
    "lowercase": True,
}
SPELLING = {"ﬁ": "fi", "\u0301": "", "\r": " "}


def unigram() -> Json:
    """SentencePiece's Unigram: charsmap, Metaspace, byte fallback, pieces whose scores tie."""
    pieces = ["ab", "bc", "abc", "the", MARK, f"{MARK}a", f"{MARK}the", "京京", "aaaa", "!!"]
    vocab = ["<unk>", *LETTERS, *pieces, "<mask>", "word", *BYTES]
    steps = [
        charsmaps.precompiled(charsmaps.build(SPELLING)),
        {"type": "Nmt"},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": MARK},
        {"type": "Strip", "strip_left": False, "strip_right": True},
    ]
    scores = [[token, -1.0 - len(token) / 2] for token in dict.fromkeys(vocab)]
    return {
        **around(vocab, {"lstrip": True}, {"single_word": True}),
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": {
            "type": "Metaspace",
            "replacement": MARK,
            "prepend_scheme": "always",
            "split": True,
        },
        "model": {"type": "Unigram", "unk_id": 0, "vocab": scores, "byte_fallback": True},
    }


def bpe() -> Json:
    """SentencePiece's BPE without a pre-tokenizer: spaces become marks in the normalizer."""
    merges = [("a", "b"), ("t", "h"), ("th", "e"), (MARK, "the"), ("ab", "ab"), ("京", "京")]
    vocab = ["<unk>", *LETTERS, MARK, *map("".join, merges), "<mask>", "word", *BYTES[::2]]
    steps = [
        {"type": "NFKC"},
        {"type": "Lowercase"},
        {"type": "Prepend", "prepend": MARK},
        {"type": "Replace", "pattern": {"String": " "}, "content": MARK},
    ]
    return {
        **around(vocab, {"rstrip": True}, {"lstrip": True, "rstrip": True}),
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": None,
        "model": {
            "type": "BPE",
            "unk_token": "<unk>",
            "fuse_unk": True,
            "byte_fallback": True,
            "vocab": ids(vocab),
            "merges": [list(pair) for pair in merges],
        },
    }


def byte_level_bpe() -> Json:
    """GPT's BPE over bytes, cut by numbers, then by Llama 3's pattern."""
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("a", "b"), ("ab", "c"), ("Ã", "©")]
    vocab = [*sorted(BYTE_OF_CHARACTER), *map("".join, merges), "<mask>", "word"]
    split = {"type": "Split", "invert": False}
    steps = [
        {"type": "Digits", "individual_digits": False},
        {**split, "pattern": {"Regex": PATTERNS[1]}, "behavior": "Isolated"},
        {**split, "pattern": {"String": "b!"}, "behavior": "MergedWithPrevious"},
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    ]
    return {
        **around(vocab, {"lstrip": True, "rstrip": True}, {"single_word": True, "lstrip": True}),
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "model": {"type": "BPE", "vocab": ids(vocab), "merges": [list(pair) for pair in merges]},
    }


def word_level() -> Json:
    """WordLevel behind BERT's normalizer and every pre-tokenizer that the others leave out."""
    words = ["the", "a", "ab", "-", ".", "京", "12", "é", "e", "don", "'", "t"]
    vocab = ["<unk>", *words, "<mask>", "word"]
    normalizers = [
        BERT_NORMALIZER,
        {"type": "NFKD"},
        {"type": "StripAccents"},
        {"type": "Strip", "strip_left": True, "strip_right": True},
    ]
    pattern = {"type": "Split", "pattern": {"String": "-"}, "invert": True}
    steps = [
        {"type": "WhitespaceSplit"},
        {"type": "Whitespace"},
        {"type": "BertPreTokenizer"},
        {"type": "Punctuation", "behavior": "Contiguous"},
        {**pattern, "behavior": "MergedWithNext"},
    ]
    return {
        **around(vocab, {}, {"rstrip": True}),
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "model": {"type": "WordLevel", "vocab": ids(vocab), "unk_token": "<unk>"},
    }


def phrases() -> Json:
    """BERT's WordPiece with phrases that overlap, hide each other and begin inside words."""
    pieces = ["the", "ab", "##b", "##c", "don", "x", *(f"##{letter}" for letter in LETTERS)]
    vocab = ["<unk>", *LETTERS, *pieces, "<mask>", "word"]
    tokenizer = {
        **around(vocab, {"lstrip": True}, {"single_word": True, "lstrip": True}),
        "normalizer": BERT_NORMALIZER,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece",
            "unk_token": "<unk>",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": ids(vocab),
        },
    }
    own = {"a b": {"single_word": True}, "b c": {"rstrip": True}, "12-ab": {}, "b!": {}, "é c": {}}
    first = len(tokenizer["model"]["vocab"])
    tokenizer["added_tokens"] += [
        added_token(content, first + i, normalized=True, **flags)
        for i, (content, flags) in enumerate(own.items())
    ]
    return tokenizer


TOKENIZERS = {
    build.__name__: build for build in (unigram, bpe, byte_level_bpe, word_level, phrases)
}


def ids(tokens: list[str]) -> dict[str, int]:
    """Tokens by their place, each once."""
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}


def around(vocab: list[str], mask: dict[str, bool], word: dict[str, bool]) -> Json:
    """What lies around a model: an added token for raw text, and one for normalised text."""
    place = ids(vocab)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            added_token("<mask>", place["<mask>"], special=True, **mask),
            added_token("word", place["word"], normalized=True, **word),
        ],
        "post_processor": None,
        "decoder": None,
    }
