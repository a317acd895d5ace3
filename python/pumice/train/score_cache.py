"""Scores of one cross-encoder on disk: appended a block at a time, so that a killed run loses one block."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from zlib import crc32

import numpy as np

from pumice.errors import InputError

_MAGIC = b"pumice scores 1\n"
_BLOCK = struct.Struct("<II")  # scores in it, checksum of what follows
_RECORD = np.dtype([("key", "V16"), ("score", "<f4")])

Texts = tuple[str, str]
"""A query and a passage."""


class ScoreCache:
    """What a cross-encoder gave to a query and a passage, in a file of its own."""

    def __init__(self, folder: Path, identity: str) -> None:
        """Open or make the file of the model with this fingerprint. Raises InputError where it is damaged.

        A last block that a kill left unfinished is cut off.
        """
        self.path = folder / f"{identity}.scores"
        self._scores: dict[bytes, float] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            data = self.path.read_bytes() if self.path.exists() else b""
            whole = self._read(data)
            if whole < len(data):
                os.truncate(self.path, whole)
            if not whole:
                self.path.write_bytes(_MAGIC)
        except OSError as error:
            raise self._unkept(error) from None

    def missing(self, asked: Iterable[Texts]) -> list[Texts]:
        """Those without a score, each once, in their order."""
        return [one for one in dict.fromkeys(asked) if _key(one) not in self._scores]

    def score(self, one: Texts) -> float:
        """Raises KeyError where there is none."""
        return self._scores[_key(one)]

    def add(self, asked: Sequence[Texts], scores: Sequence[float]) -> None:
        """Keep scores, all of them or none. Raises InputError where the disk is full."""
        records = np.empty(len(asked), _RECORD)
        keys = [_key(one) for one in asked]
        records["key"] = np.frombuffer(b"".join(keys), "V16")
        records["score"] = scores
        body = records.tobytes()
        before = self.path.stat().st_size
        try:
            with self.path.open("ab") as file:
                file.write(_BLOCK.pack(len(asked), crc32(body)) + body)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            os.truncate(self.path, before)
            raise self._unkept(error) from None
        self._scores.update(zip(keys, records["score"].tolist(), strict=True))

    def _read(self, data: bytes) -> int:
        """Take in what is whole; how many bytes that is."""
        if not data.startswith(_MAGIC):
            if _MAGIC.startswith(data):
                return 0
            raise InputError(f"{self.path}: is no file of scores of this version: remove it")
        place = len(_MAGIC)
        while len(data) - place >= _BLOCK.size:
            count, checksum = _BLOCK.unpack_from(data, place)
            end = place + _BLOCK.size + count * _RECORD.itemsize
            if end > len(data):
                break
            body = data[place + _BLOCK.size : end]
            records = np.frombuffer(body, _RECORD)
            if crc32(body) != checksum or not np.isfinite(records["score"]).all():
                raise InputError(f"{self.path}: is damaged at byte {place}: remove it")
            keys = (key.tobytes() for key in records["key"])
            self._scores.update(zip(keys, records["score"].tolist(), strict=True))
            place = end
        return place

    def _unkept(self, error: OSError) -> InputError:
        return InputError(
            f"{self.path}: scores cannot be kept there: {error.strerror}: free some space and start the "
            "same command again"
        )


def _key(one: Texts) -> bytes:
    query, passage = (text.encode() for text in one)
    digest = blake2b(len(query).to_bytes(8, "little"), digest_size=16)
    digest.update(query)
    digest.update(passage)
    return digest.digest()
