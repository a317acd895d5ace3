"""Normalizers: what of them the core runs, and the program it runs them with."""

from __future__ import annotations

import re
import struct
from typing import Any

from pumice.modelfile.charsmap import ascii_that_changes, read_charsmap
from pumice.modelfile.native_tokenizer import NotNativeError
from pumice.modelfile.program import pattern as encoded_pattern
from pumice.modelfile.program import step

# Operations, as core/src/normalizer_steps.h numbers them.
CLEAN_TEXT, SPACE_CHINESE, DROP_NONSPACING, STRIP_ACCENTS, LOWERCASE, NMT = range(1, 7)
NFC, NFD, NFKC, NFKD, REPLACE, REPLACE_RUN, PREPEND, STRIP, PRECOMPILED = range(7, 16)
WITHOUT_OPTIONS = {
    "NFC": NFC,
    "NFD": NFD,
    "NFKC": NFKC,
    "NFKD": NFKD,
    "Lowercase": LOWERCASE,
    "StripAccents": STRIP_ACCENTS,
    "Nmt": NMT,
}
ANY_WHITESPACE = 0xFFFFFFFF
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
ATOM = r"(?P<atom>[^\\.^$*+?{}\[\]|()]|\\[nrtfv]|\\[\\.^$*+?{}\[\]|()/-])"
LITERAL = re.compile(f"(?:{ATOM})+".replace("?P<atom>", "?:"), re.DOTALL)
RUN = re.compile(
    rf"(?:{ATOM}|(?P<space>\\s))(?:(?P<plus>\+)|\{{(?P<least>[1-9][0-9]{{0,3}}),\}})", re.DOTALL
)


def compile_normalizer(normalizer: dict[str, Any] | None) -> bytes:
    """The normalizer section; NotNativeError for what the core does not run exactly."""
    if normalizer is None:
        return b""
    kind = normalizer["type"]
    if kind in WITHOUT_OPTIONS:
        return step(WITHOUT_OPTIONS[kind])
    if kind == "Sequence":
        return b"".join(map(compile_normalizer, normalizer["normalizers"]))
    if kind == "Replace":
        return replace_step(normalizer["pattern"], normalizer["content"])
    if kind == "Prepend":
        # With nothing to prepend the library leaves the text as it is, but loses the first character's place.
        if not normalizer["prepend"]:
            raise NotNativeError("the normalizer Prepend has nothing to prepend")
        return step(PREPEND, normalizer["prepend"].encode())
    if kind == "Strip":
        sides = (normalizer["strip_left"], normalizer["strip_right"])
        return step(STRIP, bytes([*map(bool, sides), 0, 0]))
    if kind == "Precompiled":
        charsmap = read_charsmap(normalizer.get("precompiled_charsmap"))
        return step(PRECOMPILED, ascii_that_changes(charsmap) + charsmap)
    if kind == "BertNormalizer":
        return bert_steps(normalizer)
    raise NotNativeError(f"normalizer.type is {kind}")


def bert_steps(normalizer: dict[str, Any]) -> bytes:
    """BertNormalizer's passes over the text, each a step."""
    lowercase = bool(normalizer.get("lowercase", True))
    strip_accents = normalizer.get("strip_accents")
    operations: list[int] = []
    if normalizer.get("clean_text", True):
        operations.append(CLEAN_TEXT)
    if normalizer.get("handle_chinese_chars", True):
        operations.append(SPACE_CHINESE)
    if lowercase if strip_accents is None else strip_accents:
        operations += [NFD, DROP_NONSPACING]
    if lowercase:
        operations.append(LOWERCASE)
    return b"".join(map(step, operations))


def replace_step(pattern: dict[str, str], content: str) -> bytes:
    """Replace with a literal pattern, or a regular expression that is one or matches runs of one."""
    literal = pattern.get("String")
    regex = pattern.get("Regex", "")
    if literal is None and LITERAL.fullmatch(regex):
        literal = re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), regex, flags=re.DOTALL)
    if literal:
        key = encoded_pattern(literal)
        return step(REPLACE, struct.pack("<I", len(key)) + key + content.encode())
    if literal is None and (run := RUN.fullmatch(regex)):
        atom = run["atom"] or ""
        point = ord(ESCAPES.get(atom[1:], atom[-1])) if atom else ANY_WHITESPACE
        least = 1 if run["plus"] else int(run["least"])
        return step(REPLACE_RUN, struct.pack("<II", point, least) + content.encode())
    raise NotNativeError(f"a Replace normalizer matches {pattern}")
