"""Blocks of whole lines out of a stream of bytes."""

from __future__ import annotations

from collections.abc import Iterator

from pumice.batch.inputs import Input
from pumice.batch.opening import Opened
from pumice.errors import InputError

BLOCK = 8 << 20
_LONGEST_LINE = 256 << 20
_BOM = b"\xef\xbb\xbf"


def line_blocks(
    source: Input, open_file: Opened, *, block: int = BLOCK
) -> Iterator[tuple[bytes, float]]:
    """Bytes that end with a line's end, each with how much of the file has been read."""
    carried: list[bytes] = []
    held = 0
    first = True
    while data := open_file.file.read(block):
        if first:
            data, first = data.removeprefix(_BOM), False
        cut = data.rfind(b"\n") + 1
        if cut == 0:
            carried.append(data)
            held += len(data)
            if held > _LONGEST_LINE:
                raise InputError(
                    f"{source.location}: a line is longer than {_LONGEST_LINE >> 20} MB: is this a text file?"
                )
            continue
        yield b"".join((*carried, data[:cut])), open_file.fraction()
        carried = [data[cut:]] if cut < len(data) else []
        held = len(data) - cut
    if carried:
        yield b"".join(carried) + b"\n", 1.0
