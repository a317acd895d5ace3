"""A tokenizer.json's pre_tokenizer as the steps that the core runs (docs/format.md)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from pumice.modelfile import program
from pumice.modelfile.metaspace import metaspace_step
from pumice.modelfile.native_tokenizer import NotNativeError

Json = dict[str, Any]

BERT, WHITESPACE, WHITESPACE_SPLIT, PUNCTUATION, DIGITS, SPLIT_LITERAL, SPLIT_PATTERN = range(1, 8)
PREFIX_SPACE = 8
BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS = (
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    LLAMA3,
    LLAMA3.replace("{1,3}", ""),
)
"""The regular expressions that the core has scanners for, in the order of its SplitPattern."""


def compile_pre_tokenizer(pre_tokenizer: Json | None, *, byte_level: bool = False) -> bytes:
    """The program of the pre_tokenizer section; NotNativeError where the core would not be exact.

    With ``byte_level`` a ByteLevel may come last. It then only cuts: pieces stay UTF-8, and the caller's
    vocabulary must be compiled to bytes (``bytes_of_token``).
    """
    steps = list(flattened(pre_tokenizer))
    compiled = b""
    for position, step in enumerate(steps):
        if step["type"] == "ByteLevel" and not (byte_level and position == len(steps) - 1):
            raise NotNativeError("pre_tokenizer ByteLevel is not the last, or the model is not BPE")
        if step["type"] == "Metaspace":
            compiled += metaspace_step(step, first=position == 0)
        else:
            compiled += compile_step(step)
    return compiled


def is_byte_level(pre_tokenizer: Json | None) -> bool:
    """Whether the model sees bytes as characters, as ByteLevel writes them."""
    steps = list(flattened(pre_tokenizer))
    return bool(steps) and steps[-1]["type"] == "ByteLevel"


def flattened(part: Json | None, *, within: str = "pretokenizers") -> Iterator[Json]:
    """The steps of a pre-tokenizer, or of a normalizer, without the Sequences that they lie in."""
    if part is None:
        return
    if part.get("type") == "Sequence":
        for step in part[within]:
            yield from flattened(step, within=within)
    else:
        yield part


def compile_step(step: Json) -> bytes:
    """One pre-tokenizer as bytes."""
    kind = step.get("type")
    plain = {
        "BertPreTokenizer": BERT,
        "Whitespace": WHITESPACE,
        "WhitespaceSplit": WHITESPACE_SPLIT,
    }
    if kind in plain:
        return operation(plain[kind])
    if kind == "Punctuation":
        return operation(PUNCTUATION, behavior(step.get("behavior", "Isolated")))
    if kind == "Digits":
        individual = step.get("individual_digits", False)
        return operation(DIGITS, behavior("Isolated" if individual else "Contiguous"))
    if kind == "CharDelimiterSplit":
        return operation(
            SPLIT_LITERAL, behavior("Removed"), 0, data=program.pattern(step["delimiter"])
        )
    if kind == "ByteLevel":
        prefix = operation(PREFIX_SPACE) if step.get("add_prefix_space", True) else b""
        pattern = operation(SPLIT_PATTERN, behavior("Isolated"), 0, 0)
        return prefix + (pattern if step.get("use_regex", True) else b"")
    if kind == "Split":
        return compile_split(step)
    raise NotNativeError(f"pre_tokenizer.type is {kind}")


def compile_split(step: Json) -> bytes:
    """A Split on a literal, or on one of PATTERNS."""
    pattern, words = step["pattern"], (behavior(step["behavior"]), int(step.get("invert", False)))
    if "String" in pattern:
        if not pattern["String"]:
            raise NotNativeError("pre_tokenizer Split has an empty pattern")
        return operation(SPLIT_LITERAL, *words, data=program.pattern(pattern["String"]))
    if pattern.get("Regex") not in PATTERNS:
        raise NotNativeError(f"pre_tokenizer Split has the pattern {pattern.get('Regex')}")
    return operation(SPLIT_PATTERN, *words, PATTERNS.index(pattern["Regex"]))


def behavior(name: str) -> int:
    """The number of a SplitDelimiterBehavior."""
    if name not in BEHAVIORS:
        raise NotNativeError(f"pre_tokenizer behavior is {name}")
    return BEHAVIORS.index(name)


def operation(number: int, *words: int, data: bytes = b"") -> bytes:
    """A step whose data are numbers, then bytes."""
    return program.step(number, struct.pack(f"<{len(words)}I", *words) + data)
