"""Files as they are or packed by xz, gzip or Zstandard, read unpacked."""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pumice.errors import InputError, MissingExtraError

COMPRESSIONS = ("", ".xz", ".gz", ".zst")


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, unpacked where its name says so; what cannot be read is an InputError.

    Whatever reads inside the ``with`` is covered too: the file's end may be damaged.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".zst":
            with _zstandard(path) as file:
                yield file
            return
        opener: Any = {".xz": lzma.open, ".gz": gzip.open}.get(suffix, open)
        with opener(path, "rb") as file:
            yield file
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        # Of these only the system's own errors have a strerror; their str() names an errno.
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text: convert it") from None


@contextmanager
def _zstandard(path: Path) -> Iterator[IO[bytes]]:
    # The zstandard package takes a file that was cut off for a whole one; Arrow says that it was.
    try:
        import pyarrow
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet") from None
    with (
        path.open("rb") as packed,
        pyarrow.CompressedInputStream(packed, "zstd") as file,
        io.BufferedReader(file) as lines,
    ):
        yield lines
