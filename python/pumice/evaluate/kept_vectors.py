"""Vectors of texts in a folder, found again by the text: another run or sample computes what is new."""

from __future__ import annotations

import io
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.modelfile.writing import write_whole

_DIGEST = 16


class KeptVectors:
    """A folder of .npz files, each with the digests of some texts and their vectors."""

    def __init__(self, folder: Path, *, width: int) -> None:
        self._folder, self._width = folder, width
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot hold vectors: {error.strerror}") from None

    def read(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Those of the texts that are here. A file cut short, as by a full disk, is as good as absent."""
        wanted = {digest_of(text): text for text in texts}
        found: dict[str, NDArray[np.float32]] = {}
        for path in sorted(self._folder.glob("*.npz")):
            try:
                with np.load(path, allow_pickle=False) as file:
                    digests, vectors = file["digests"], file["vectors"]
            except (OSError, ValueError, KeyError, EOFError, BadZipFile):
                continue
            if digests.shape != (len(vectors), _DIGEST) or vectors.shape[1:] != (self._width,):
                continue
            for row, digest in enumerate(map(bytes, digests)):
                if digest in wanted:
                    found[wanted[digest]] = vectors[row]
        return found

    def write(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep them, whole or not at all."""
        digests = [digest_of(text) for text in texts]
        data = io.BytesIO()
        rows = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, _DIGEST)
        np.savez(data, digests=rows, vectors=vectors.astype(np.float32))
        name = blake2b(b"".join(digests), digest_size=_DIGEST).hexdigest()
        write_whole(self._folder / f"{name}.npz", data.getvalue())


def digest_of(text: str) -> bytes:
    """Of its UTF-8."""
    return blake2b(text.encode(), digest_size=_DIGEST).digest()
