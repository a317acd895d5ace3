"""The pumice command: parses, calls one verb, turns errors into one sentence and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from pumice.errors import PumiceError

VERBS = {
    "demo": "index this machine's Python documentation and answer questions from it",
    "index": "index files and folders for search by meaning",
    "search": "ask an index a question",
    "distill": "make a static model from a transformer",
    "explain": "show which words make two texts similar",
    "info": "describe a model",
}
WORKED, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def build_parser(verb: str | None) -> argparse.ArgumentParser:
    """The parser; only the asked verb's module, and what it needs, is imported."""
    parser = argparse.ArgumentParser(
        prog="pumice", description="Static text embeddings: distil, index, search, one file."
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    subparsers = parser.add_subparsers(dest="verb", metavar="COMMAND")
    for name, summary in VERBS.items():
        subparser = subparsers.add_parser(
            name, help=summary, description=f"{summary.capitalize()}."
        )
        if name == verb:
            import_module(f"pumice.commands.{name}").add_arguments(subparser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 worked, 1 failed, 2 wrong usage, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    verb = next((a for a in arguments if not a.startswith("-")), None)
    parser = build_parser(verb)
    try:
        parsed = parser.parse_args(arguments)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    if parsed.version:
        import pumice

        print(f"pumice {pumice.__version__}")
        return WORKED
    if parsed.verb is None:
        parser.print_help()
        return WRONG_USAGE
    try:
        code: int = import_module(f"pumice.commands.{parsed.verb}").run(parsed)
        sys.stdout.flush()
        return code
    except PumiceError as error:
        print(f"pumice: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("pumice: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as head, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WORKED
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        print(f"pumice: {what}{error.strerror or error}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
