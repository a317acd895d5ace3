"""The settings of a vocabulary that is learned from texts."""

from __future__ import annotations

from dataclasses import dataclass

from pumice.errors import InputError

FEWEST = 5
"""A word or phrase that occurs less often becomes no token of its own."""
_MOST = 10_000_000


@dataclass(frozen=True)
class VocabularyOptions:
    """How many tokens of each kind; the defaults learn sub-words alone."""

    size: int = 30_000
    """Tokens in all: [UNK], characters, sub-words, and the words and phrases below."""
    lowercase: bool = True
    """Case is folded, and accents too unless ``strip_accents`` is False. False keeps both."""
    strip_accents: bool = True
    """As BERT's uncased models do it, which takes Hangul syllables apart into their letters."""
    words: int = 0
    """Whole words that spare the most tokens: how often they occur, times how many pieces more than one
    they would else be cut into."""
    phrases: int = 0
    """Runs of two or three words that occur together far more often than by chance."""

    def __post_init__(self) -> None:
        for name, least in (("size", 2), ("words", 0), ("phrases", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
                raise InputError(
                    f"{name} is {value!r}: give a whole number from {least} to {_MOST:,}"
                )
        for name in ("lowercase", "strip_accents"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} is {getattr(self, name)!r}: give True or False")
        if self.words + self.phrases >= self.size:
            raise InputError(
                f"size is {self.size}, and {self.words} words and {self.phrases} phrases leave no room for "
                "sub-words: ask for fewer, or a larger size"
            )

    def normalizer(self) -> dict[str, object]:
        """The normalizer of a tokenizer.json."""
        return bert_normalizer(
            lowercase=self.lowercase, strip_accents=self.lowercase and self.strip_accents
        )


def bert_normalizer(*, lowercase: bool, strip_accents: bool) -> dict[str, object]:
    """BERT's, with what it folds."""
    return {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": strip_accents,
        "lowercase": lowercase,
    }
