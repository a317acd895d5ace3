"""The pumice command: parses, calls one verb, turns errors into one sentence and an exit code."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from pumice.errors import PumiceError

VERBS = {
    "demo": "index this machine's Python documentation and answer questions from it",
    "index": "index files and folders for search by meaning",
    "search": "ask an index a question",
    "encode": "turn files of texts into files of vectors",
    "dedup": "leave out texts that repeat others, or nearly",
    "distill": "make a static model from a transformer",
    "train": "train a static model on pairs of texts",
    "shrink": "make a model smaller, and measure what that costs",
    "eval": "measure models on test collections: quality, memory, speed",
    "compare": "a static model against a transformer on your own texts: quality, time, price",
    "tune": "find the smallest index that still finds what it must, on your own texts",
    "export": "write a model as a folder for other libraries, or push it to a hub",
    "explain": "show which words make two texts similar",
    "info": "describe a model",
}
WORKED, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def build_parser(verb: str | None) -> argparse.ArgumentParser:
    """The parser; only the asked verb's module, and what it needs, is imported."""
    parser = argparse.ArgumentParser(
        prog="pumice",
        description="Static text embeddings: distil, train, index, search, one file.",
        allow_abbrev=False,  # a typo is no option
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.set_defaults(parser=parser)
    subparsers = parser.add_subparsers(dest="verb", metavar="COMMAND")
    for name, summary in VERBS.items():
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            allow_abbrev=False,
        )
        subparser.set_defaults(parser=subparser)  # so that its own usage stands above its errors
        if name == verb:
            import_module(f"pumice.commands.{name}").add_arguments(subparser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 worked, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        _make_printable()
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except SystemExit as leaving:  # argparse has printed help or a usage error
        return int(leaving.code or 0)
    except PumiceError as error:
        print(f"pumice: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("pumice: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as head, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WORKED
    except (
        UnicodeEncodeError
    ) as error:  # bytes of an argument or a file's name, as Python carries them
        print(f"pumice: {error.object[:200]!a} is not UTF-8: give it another name", file=sys.stderr)
        return FAILED
    except MemoryError:
        print(
            "pumice: there is not enough memory for it: give it less at a time, such as smaller batches, "
            "fewer dimensions, or shorter lines",
            file=sys.stderr,
        )
        return FAILED
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        print(f"pumice: {what}{error.strerror or error}", file=sys.stderr)
        return FAILED


def _run(arguments: list[str]) -> int:
    verb = next((a for a in arguments if not a.startswith("-")), None)
    with _leaving_at_once_when_interrupted():
        parser = build_parser(verb)
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        flags = any(one.startswith("-") for one in unknown)
        hint = "" if flags or parsed.verb != "search" else ' (put the question in "quotes")'
        parsed.parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    if parsed.version:
        import pumice

        print(f"pumice {pumice.__version__}")
        return WORKED
    if parsed.verb is None:
        parser.print_help()
        return WRONG_USAGE
    code: int = import_module(f"pumice.commands.{parsed.verb}").run(parsed)
    return code


@contextmanager
def _leaving_at_once_when_interrupted() -> Iterator[None]:
    """While modules are imported: numpy turns an interrupt into an ImportError. Nothing is open yet."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return

    def leave(*_: object) -> None:
        print("pumice: interrupted", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _make_printable() -> None:
    """Streams that take every text: closed ones swallow it, narrow encodings see escapes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller: pumice >&-
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
