"""Opens an input as Arrow's random access file or as a stream, unpacked where it is packed."""

from __future__ import annotations

import lzma
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from pumice.batch.arrow import arrow, filesystems
from pumice.batch.inputs import Input
from pumice.errors import InputError

_REMOTE_BLOCK = 8 << 20


@dataclass(frozen=True)
class Opened:
    """``file`` gives the unpacked bytes; ``fraction`` how much of the packed ones has been read, 0 to 1."""

    file: Any
    fraction: Callable[[], float]


@contextmanager
def opened(source: Input, *, random_access: bool = False) -> Iterator[Opened]:
    """The file's content. A packed one that needs random access is unpacked to a temporary file first."""
    if source.fault:
        raise InputError(source.fault)
    if source.size == 0:
        raise InputError(f"{source.location}: is empty (0 bytes): remove it, or write it again")
    pa = arrow()
    with ExitStack() as stack:
        if source.is_local:
            raw = stack.enter_context(pa.OSFile(source.location))
        else:
            store, path = filesystems().url_to_fs(source.location)
            remote = stack.enter_context(store.open(path, "rb", block_size=_REMOTE_BLOCK))
            raw = stack.enter_context(pa.PythonFile(remote, mode="r"))

        def fraction() -> float:
            return float(min(1.0, raw.tell() / source.size))

        if source.compression is None:
            yield Opened(raw, fraction)
            return
        if source.compression == "xz":
            plain = stack.enter_context(lzma.open(raw))
            file = pa.PythonFile(plain, mode="r")
        else:
            plain = file = stack.enter_context(pa.CompressedInputStream(raw, source.compression))
        if random_access:
            spooled = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(plain, spooled, 1 << 20)
            spooled.seek(0)
            file = pa.PythonFile(spooled, mode="r")
        yield Opened(file, fraction)
