"""Writes the extension's model: the shipped one cut to its 128-dimension prefix, int8 rows."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pumice

DIM = 128


def write(path: Path) -> None:
    """Cut, compile and write; the cut keeps the prefixes that are left."""
    parts = pumice.load().parts()
    prefixes = tuple(prefix for prefix in parts.metadata.prefixes or () if prefix <= DIM)
    metadata = replace(parts.metadata, prefixes=prefixes)
    cut = replace(parts, embeddings=parts.embeddings[:, :DIM], metadata=metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    pumice.StaticModel.from_parts(cut).save(path)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
