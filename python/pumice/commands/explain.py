"""pumice explain: which words of a document earned its similarity to a query."""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.explanation import Explanation, TokenVectors
from pumice.loading import load
from pumice.terminal import printable, wants_colours

_GREENS = (194, 157, 120, 83, 46)  # of the 256 colours, pale to vivid, each under black text
_RED = "\033[38;5;167m"
_RESET = "\033[0m"
_NOTICED = 0.05  # of the largest share: what is below stays uncoloured
# Scripts written without spaces: there a token is the word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff]"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("query", help="what was searched for")
    parser.add_argument("document", help="what was found")
    parser.add_argument(
        "--model", help="a .pumice file, a folder or a hub id (default: the shipped model)"
    )
    parser.add_argument("--dim", type=int, help="compare the first dimensions only")
    parser.add_argument("--offline", action="store_true", help="never ask the hub")
    parser.add_argument("--json", action="store_true", help="print tokens, spans and all shares")


def run(args: argparse.Namespace) -> int:
    """Print the explanation."""
    model = load(args.model, offline=args.offline)
    explained = model.explain(args.query, args.document, dim=args.dim)
    if args.json:
        print(json.dumps(_as_json(args.query, args.document, explained), ensure_ascii=False))
        return 0
    print(f"score {explained.score:.4f}")
    query = words_of(args.query, explained.query, explained.query_shares)
    document = words_of(args.document, explained.document, explained.document_shares)
    if wants_colours():
        print(f"query     {coloured(args.query, query)}")
        print(f"document  {coloured(args.document, document)}")
    else:
        for line in table(args.query, args.document, explained):
            print(line)
    return 0


@dataclass(frozen=True)
class Word:
    """Tokens that a reader sees as one word, and what they earned together."""

    begin: int
    end: int
    tokens: tuple[int, ...]
    share: float


def words_of(text: str, tokens: TokenVectors, shares: NDArray[np.float64]) -> list[Word]:
    """The words of a text, each with the sum of its tokens' shares."""
    groups: list[list[int]] = []
    spans: list[list[int]] = tokens.spans.tolist()
    for i, (begin, _end) in enumerate(spans):
        if groups and _continues(text, spans[i - 1][1], begin):
            groups[-1].append(i)
        else:
            groups.append([i])
    return [
        Word(spans[g[0]][0], max(spans[i][1] for i in g), tuple(g), float(shares[g].sum()))
        for g in groups
    ]


def _continues(text: str, end: int, begin: int) -> bool:
    """Whether the token at ``begin`` goes on with the word that the one before ``end`` is of."""
    if begin < end:  # both come from one character
        return True
    if any(unicodedata.category(c) not in ("Mn", "Me", "Cf") for c in text[end:begin]):
        return False
    edges = text[max(end - 1, 0) : end] + text[begin : begin + 1]
    letters = all(unicodedata.category(c)[0] in "LNM" for c in edges)
    return len(edges) == 2 and letters and not _UNSPACED.search(edges)


def coloured(text: str, words: Sequence[Word]) -> str:
    """The text with each word on a green as deep as its share, and red where that is negative."""
    largest = max((abs(word.share) for word in words), default=0.0)
    parts: list[str] = []
    at = 0
    for word in words:
        shown = printable(text[word.begin : word.end])
        lead = shown[: len(shown) - len(shown.lstrip())]
        parts += [printable(text[at : word.begin]), lead, _painted(shown.lstrip(), word, largest)]
        at = word.end
    return "".join([*parts, printable(text[at:])])


def _painted(shown: str, word: Word, largest: float) -> str:
    strength = word.share / largest if largest > 0 else 0.0
    if abs(strength) < _NOTICED:
        return shown
    if strength < 0:
        return f"{_RED}{shown}{_RESET}"
    green = _GREENS[min(int(strength * len(_GREENS)), len(_GREENS) - 1)]
    return f"\033[48;5;{green};38;5;16m{shown}{_RESET}"


def table(query: str, document: str, explained: Explanation) -> list[str]:
    """A line for each word of the document, the largest share first, with the query's word it came from."""
    asked = words_of(query, explained.query, explained.query_shares)
    found = words_of(document, explained.document, explained.document_shares)
    lines = [("share", "word", "most from")]
    for word in sorted(found, key=lambda word: -word.share):
        earned = [
            float(explained.shares[np.ix_(other.tokens, word.tokens)].sum()) for other in asked
        ]
        best = asked[int(np.argmax(earned))] if asked else None
        lines.append(
            (_rounded(word.share), _shown(document, word), _shown(query, best) if best else "")
        )
    width = max(len(name) for _, name, _ in lines)
    return [f"{share:>7}  {name:<{width}}  {best}".rstrip() for share, name, best in lines]


def _rounded(share: float) -> str:
    return f"{round(share, 4) + 0.0:.4f}"  # + 0.0: no minus before a zero


def _shown(text: str, word: Word) -> str:
    return " ".join(printable(text[word.begin : word.end]).split())


def _as_json(query: str, document: str, explained: Explanation) -> dict[str, Any]:
    def described(text: str, tokens: TokenVectors, shares: NDArray[np.float64]) -> dict[str, Any]:
        rows = zip(tokens.tokens, tokens.ids, tokens.spans.tolist(), shares, strict=True)
        return {
            "text": text,
            "tokens": [
                {"token": t, "id": int(i), "begin": span[0], "end": span[1], "share": float(share)}
                for t, i, span, share in rows
            ],
        }

    return {
        "score": explained.score,
        "query": described(query, explained.query, explained.query_shares),
        "document": described(document, explained.document, explained.document_shares),
        "shares": explained.shares.tolist(),
    }
