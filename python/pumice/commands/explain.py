"""pumice explain: which words of a document earned its similarity to a query."""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.commands.words import coloured
from pumice.explanation import Explanation, TokenVectors, Word, words_of
from pumice.loading import load
from pumice.terminal import printable, wants_colours


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
