"""pumice info: what a model file says of itself."""

from __future__ import annotations

import argparse
import json
from typing import Any

from pumice.loading import load


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
    """A value as one line."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
