"""pumice export: a model as a folder for pumice, model2vec or sentence-transformers, or on a hub."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import warnings
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pumice.errors import InputError
from pumice.loading import SHIPPED, load, shipped_path
from pumice.modelfile.export import FORMATS

_WRONG_USAGE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "model", nargs="?", help="a .pumice file, a folder or a hub id (default: the shipped model)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="where the files go")
    parser.add_argument(
        "--format", choices=FORMATS, default="pumice", help="whose files (default: %(default)s)"
    )
    parser.add_argument(
        "--push",
        metavar="OWNER/NAME",
        help="upload the folder there, with the login of hf auth login or HF_TOKEN",
    )
    parser.add_argument(
        "--private", action="store_true", help="make the repository private where it is new"
    )
    parser.add_argument(
        "--card",
        type=Path,
        metavar="FILE",
        help="Markdown for README.md (default: the .md beside the model, else a short one)",
    )
    parser.add_argument("--offline", action="store_true", help="never ask the hub for the model")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Write the folder, upload it where asked, and say where it is."""
    if args.output is None and args.push is None:
        print("pumice export: error: give a folder (-o), or a place to --push to", file=sys.stderr)
        return _WRONG_USAGE
    if args.private and args.push is None:
        print("pumice export: error: --private has no use without --push", file=sys.stderr)
        return _WRONG_USAGE
    if args.push is not None:
        from pumice import hub

        hub.check_pushable(args.push)
    model = load(args.model, offline=args.offline)
    source = _file_of(args.model)
    card = args.card or _beside(source, ".md")
    temporary = TemporaryDirectory(prefix="pumice-")
    with temporary if args.output is None else nullcontext(str(args.output)) as place:
        folder = Path(place)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.save_pretrained(folder, format=args.format, card=_text(card))
        plot = _beside(card, ".svg")
        if plot is not None:
            shutil.copyfile(plot, folder / plot.name)
        made: dict[str, Any] = {
            "format": args.format,
            "files": sorted(p.relative_to(folder).as_posix() for p in _files(folder)),
            "bytes": sum(p.stat().st_size for p in _files(folder)),
            "notes": [str(one.message) for one in caught if one.category is UserWarning],
        }
        if args.output is not None:
            made = {"folder": str(args.output), **made}
        if args.push is not None:
            made["address"] = hub.push(folder, args.push, private=args.private)
    print(json.dumps(made, ensure_ascii=False) if args.json else _told(made))
    return 0


def _file_of(model: str | None) -> Path | None:
    if model in (None, SHIPPED):
        return shipped_path()
    path = Path(str(model))
    return path if path.is_file() else None


def _beside(path: Path | None, suffix: str) -> Path | None:
    """The file of the same name with another suffix, where there is one."""
    found = None if path is None else path.with_suffix(suffix)
    return found if found is not None and found.is_file() else None


def _text(card: Path | None) -> str | None:
    if card is None:
        return None
    try:
        text = card.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{card}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{card}: is not UTF-8 text: give a Markdown file") from None
    if text.startswith("---\n"):
        raise InputError(
            f"{card}: begins with front matter, which export writes: remove it from the card"
        )
    return text


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _told(made: dict[str, Any]) -> str:
    lines = [f"note: {note}" for note in made["notes"]]
    if "folder" in made:
        count, size = len(made["files"]), made["bytes"] / 1e6
        lines.append(f"{made['folder']}: {made['format']}, {count} files, {size:.1f} MB")
    if "address" in made:
        lines.append(f"pushed to {made['address']}")
    return "\n".join(lines)
