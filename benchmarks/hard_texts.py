"""Texts that no cache of words can learn."""

from __future__ import annotations

import base64
import inspect
import random
import string
from collections.abc import Callable

SIZE = 500
COUNT = 4000


def hard_texts() -> dict[str, list[str]]:
    """2 MB of each kind, in chunks of some 500 bytes, the same on every run."""
    source = random.Random(1)
    makers: dict[str, Callable[[random.Random], str]] = {
        "random words": random_words,
        "base64": lambda r: base64.b64encode(r.randbytes(SIZE * 3 // 4)).decode(),
        "Chinese": lambda r: "".join(chr(r.randrange(0x4E00, 0x9FA6)) for _ in range(SIZE // 3)),
        "accents": accented_words,
    }
    found = {name: [make(source) for _ in range(COUNT)] for name, make in makers.items()}
    return {**found, "source code": source_code()}


def random_words(source: random.Random) -> str:
    words = []
    while sum(map(len, words)) < SIZE - len(words):
        words.append("".join(source.choices(string.ascii_lowercase, k=source.randrange(2, 12))))
    return " ".join(words)


def accented_words(source: random.Random) -> str:
    letters = "àáâãäåçèéêëìíîïñòóôõöùúûüý" + string.ascii_letters
    return " ".join("".join(source.choices(letters, k=7)) for _ in range(SIZE // 10))


def source_code() -> list[str]:
    """Modules of Python's library."""
    import argparse
    import asyncio.base_events
    import decimal
    import email.message
    import http.client
    import typing

    modules = (argparse, asyncio.base_events, email.message, http.client, typing, inspect, decimal)
    text = "".join(inspect.getsource(module) for module in modules)
    chunks = [text[at : at + SIZE] for at in range(0, len(text), SIZE)]
    return chunks * (COUNT // len(chunks) + 1)
