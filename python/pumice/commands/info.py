"""pumice info: what a model file says of itself."""

from __future__ import annotations

import argparse
import json
from typing import Any

from pumice.loading import load

_SHOWN = 200  # characters of an object that are shown whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "model", nargs="?", help="a .pumice file, a folder or a hub id (default: the shipped model)"
    )
    parser.add_argument("--verify", action="store_true", help="compute the checksum of the content")
    parser.add_argument("--offline", action="store_true", help="never ask the hub")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the description."""
    model = load(args.model, offline=args.offline)
    if args.verify:
        model.verify()
    metadata = model.metadata
    tokenizer = metadata.pop("tokenizer", {})
    described: dict[str, Any] = {
        **metadata,
        "tokens": len(model.tokens),
        "bytes": model.nbytes,
        "fingerprint": model.fingerprint,
        "tokenizer": tokenizer.get("type"),
        "runs_in": "core"
        if tokenizer.get("native")
        else "tokenizers library (slower, same results)",
    }
    if tokenizer.get("reason"):
        described["because"] = tokenizer["reason"]
    if args.verify:
        described["checksum"] = "verified"
    if args.json:
        print(json.dumps(described, ensure_ascii=False))
        return 0
    width = max(map(len, described))
    for key, value in described.items():
        if value not in ("", None, [], {}):
            print(f"{key:{width}}  {readable(value)}")
    return 0


def readable(value: Any) -> str:
    """A value as one line: of a large object what is told by a word, and the names of the rest."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if not isinstance(value, dict):
        return str(value)
    whole = json.dumps(value, ensure_ascii=False)
    if len(whole) <= _SHOWN:
        return whole
    told = {key: one for key, one in value.items() if isinstance(one, (str, int, float)) and one}
    rest = ", ".join(key for key, one in value.items() if isinstance(one, (dict, list)) and one)
    words = ", ".join(f"{key} {one}" for key, one in told.items())
    return "; ".join(filter(None, (words, f"--json has its {rest}")))
