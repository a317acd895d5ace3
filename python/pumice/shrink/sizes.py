"""How large a model file is: as it lies on a disk, and as a web server sends it. The only user of brotli."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Any

from pumice.errors import InputError, MissingExtraError

COMPRESSIONS = ("none", "gzip", "brotli")
_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_QUICK, _BEST = 9, 11
_MOST = 8_000_000
"""Bytes that Brotli's best is tried on, half a minute's work for twice as many; dense rows give it nothing."""


@dataclass(frozen=True)
class Sizes:
    """Bytes of one file."""

    stored: int
    gzip: int
    brotli: int | None
    """None where the brotli library is not installed."""

    def after(self, compression: str) -> int:
        """Bytes after one of COMPRESSIONS."""
        found = {"none": self.stored, "gzip": self.gzip, "brotli": self.brotli}[compression]
        assert found is not None  # check_compression has found the library
        return found


def sizes_of(data: bytes) -> Sizes:
    """Stored, and compressed as well as either can; Brotli at 9 instead of 11 where that takes long."""
    brotli = compressed_size(data, "brotli") if _library() is not None else None
    return Sizes(len(data), compressed_size(data, "gzip"), brotli)


def compressed_size(data: bytes, compression: str, *, quick: bool = False) -> int:
    """Bytes after a compression; ``quick`` is a bound that is met within a percent, in a tenth of the time.

    MissingExtraError without the brotli library.
    """
    if compression == "none":
        return len(data)
    if compression == "gzip":
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        return len(packer.compress(data)) + len(packer.flush())
    brotli = _library()
    if brotli is None:
        raise MissingExtraError("brotli", "shrink")
    quick = quick or len(data) > _MOST
    return len(brotli.compress(data, quality=_QUICK if quick else _BEST))


def check_compression(compression: str) -> None:
    """InputError for one that is not measured, MissingExtraError without its library."""
    if compression not in COMPRESSIONS:
        raise InputError(f'compressed "{compression}" is not one of {", ".join(COMPRESSIONS)}')
    if compression == "brotli" and _library() is None:
        raise MissingExtraError("brotli", "shrink")


def parsed_size(text: str) -> int:
    """Bytes of "4MB", "512 KiB" or "100000"; InputError for what is no size."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?i?b?)\s*", text.lower())
    unit = (
        None
        if found is None
        else found[2]
        if found[2].endswith("b") or not found[2]
        else f"{found[2]}b"
    )
    if found is None or unit not in _UNITS:
        raise InputError(f"{text!r} is no size: give one such as 4MB, 512KiB or 100000")
    size = int(float(found[1]) * _UNITS[unit])
    if size < 1:
        raise InputError(f"{text!r} is no size that a file can have: give one such as 4MB")
    return size


def _library() -> Any:
    try:
        import brotli
    except ImportError:
        return None
    return brotli
