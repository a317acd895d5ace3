"""What the core needs to run a tokenizer itself, and the error of those that it does not run."""

from __future__ import annotations

from dataclasses import dataclass, field

from pumice.modelfile.container import Kind

LIBRARY, WORDPIECE, UNIGRAM, BPE, WORD_LEVEL = range(5)
"""The numbers of pumice_tokenizer."""
NO_NODE = 0xFFFFFFFF


class NotNativeError(Exception):
    """The core does not run this tokenizer exactly; the message says why, for pumice info."""


@dataclass(frozen=True)
class NativeTokenizer:
    """What the core needs to tokenise: parameters, and the bytes of sections."""

    tokenizer: int
    normalizer_flags: int = 0
    max_word_chars: int = 0
    continuation_node: int = NO_NODE
    sections: dict[Kind, bytes] = field(default_factory=dict)
