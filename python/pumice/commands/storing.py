"""The options that say how a new index keeps its vectors, from the command line and from a file."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from pumice.errors import InputError
from pumice.search import Storage
from pumice.search.storage import DATATYPES, PLACES, QUANTIZATIONS, QUERY_ENCODINGS

_MAX_BYTES = 1 << 20


def add_storage_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    group = parser.add_argument_group("how a new index keeps its vectors")
    group.add_argument("--config", metavar="FILE", help="JSON or TOML of the settings below")
    group.add_argument("--dim", type=int, metavar="D", help="a Matryoshka prefix of the vectors")
    group.add_argument(
        "--quantize", choices=QUANTIZATIONS, help="codes that are searched first (default: none)"
    )
    group.add_argument(
        "--query-codes", choices=QUERY_ENCODINGS, help="of a query to binary codes (default int8)"
    )
    group.add_argument(
        "--oversample", type=float, metavar="N", help="candidates of the codes, times k"
    )
    group.add_argument("--datatype", choices=DATATYPES, help="of the vectors (default float32)")
    group.add_argument(
        "--stages", metavar="64,256", help="prefixes that are searched first, such as 64,256"
    )
    group.add_argument("--originals", choices=PLACES, help="where the vectors lie (default disk)")
    group.add_argument("--codes", choices=PLACES, help="where the codes lie (default memory)")
    group.add_argument("--no-words", action="store_true", help="search by meaning alone")


def storage_asked(args: argparse.Namespace) -> dict[str, Any]:
    """`dim` and `storage` for Index, of the file and the options over it; None where none is given."""
    settings = _read(Path(args.config)) if args.config else {}
    given = {
        "dim": args.dim,
        "quantize": args.quantize,
        "query": args.query_codes,
        "oversampling": args.oversample,
        "datatype": args.datatype,
        "stages": None if args.stages is None else _stages(args.stages),
        "originals": args.originals,
        "codes": args.codes,
        "sparse": False if args.no_words else None,
    }
    settings.update({key: value for key, value in given.items() if value is not None})
    dim = settings.pop("dim", None)
    if dim is not None and (isinstance(dim, bool) or not isinstance(dim, int)):
        raise InputError(f"{args.config}: dim is {dim!r}: give a number of dimensions")
    return {"dim": dim, "storage": Storage.from_json(settings) if settings else None}


def _stages(given: str) -> tuple[int, ...]:
    try:
        return tuple(int(one) for one in given.split(","))
    except ValueError:
        raise InputError(f"--stages {given!r}: give dimensions such as 64,256") from None


def _read(path: Path) -> dict[str, Any]:
    """The settings of a file; other keys of it, such as a report's, are none of an index."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > _MAX_BYTES:
        raise InputError(f"{path}: is larger than a megabyte: it is no configuration")
    try:
        content = _toml(data) if path.suffix == ".toml" else json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no settings: write them by their names")
    known = {"dim", *(field.name for field in fields(Storage))}
    if unknown := sorted(set(content) - known):
        raise InputError(f"{path}: {unknown[0]!r} is none of {', '.join(sorted(known))}")
    return content


def _toml(data: bytes) -> Any:
    try:
        import tomllib
    except ImportError:
        raise InputError("TOML needs Python 3.11: write the settings as JSON") from None
    return tomllib.loads(data.decode())
