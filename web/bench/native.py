"""What bench.mjs compares with: the native core on one thread, a pass over the texts for each line read."""

from __future__ import annotations

import hashlib
import json
import pydoc_data.topics
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import pumice

CHUNK = 500
DIM = 256
PASSES = 8  # as in bench.mjs


def chunks() -> list[str]:
    """Python's language reference, as every Python carries it: 500 ASCII bytes a text."""
    text = re.sub(r"\s+", " ", " ".join(pydoc_data.topics.topics.values()))
    text = text.encode("ascii", "ignore").decode()
    return [text[at : at + CHUNK] for at in range(0, len(text) - CHUNK, CHUNK)]


def write_inputs(folder: Path) -> None:
    """The texts, the model at 128 dimensions, and its tokenizer.json, for the page."""
    model = pumice.load()
    parts = model.parts()
    metadata = replace(parts.metadata, prefixes=(64, 128))
    small = replace(parts, embeddings=parts.embeddings[:, :128], metadata=metadata)
    pumice.StaticModel.from_parts(small).save(folder / "small.pumice")
    model.save(folder / "model.pumice")
    (folder / "tokenizer.json").write_text(json.dumps(parts.tokenizer), "utf-8")
    (folder / "texts.json").write_text(json.dumps(chunks()), "utf-8")


def main() -> None:
    """Write what the page needs, say what the vectors are, then time a pass for each line."""
    write_inputs(Path(sys.argv[1]))
    model, texts = pumice.load(), chunks()
    digest = hashlib.sha256(model.encode(texts, dim=DIM).tobytes()).hexdigest()
    about = {"version": pumice.__version__, "digest": digest, "bytes": CHUNK * len(texts)}
    print(json.dumps(about), flush=True)
    for _ in sys.stdin:
        passes = []
        for _ in range(PASSES):
            begin = time.perf_counter()
            model.encode(texts, dim=DIM, threads=1)
            passes.append(time.perf_counter() - begin)
        print(min(passes), flush=True)


if __name__ == "__main__":
    main()
