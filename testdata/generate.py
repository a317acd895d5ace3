"""Writes the golden vectors that the Python, C and JavaScript tests read: see README.md here.

Token ids come from the Hugging Face `tokenizers` library. Vectors are the core's own, because their
bits are the contract, after a comparison with float64 arithmetic.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import pumice
from pumice.modelfile.counting import Counting
from pumice.modelfile.parts import Metadata, ModelParts
from pumice.modelfile.vocabulary import tokens_by_id

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tests.parity import golden_tokenizers, texts
from tests.parity import small_tokenizers as small

DIM, PREFIX = 20, 7  # neither fills a processor's registers
FAMILY_DIM = 9
DTYPES = ("float32", "float16", "int8", "int4", "int2", "int1")
LONGEST = 150
RANDOM = 16
EXPLAINED = 30  # tokens
# Two blocks of the 64 bytes that words are found in, and what a contraction may look like.
PROSE = (
    "They don't know that I've read 42 books; we'll see what it's like,  and he'd say: 'we isn't' is "
    "wrong. I'm sure they're right (it's 1984's best), aren't you?"
)


def golden_texts() -> list[str]:
    """Short texts of every kind that tests/parity knows."""
    hostile = [text for text in texts.hostile_texts().values() if len(text) <= LONGEST]
    return [*hostile, *texts.random_texts(RANDOM, seed=17)]


def tiny_parts() -> ModelParts:
    """A WordPiece model with random rows, token weights, some unknown words and a limit."""
    vocab = small.spelling_vocabulary(golden_texts())
    tokenizer = small.bert(small.without_some_letters(vocab))
    size = len(tokenizer["model"]["vocab"])
    rng = np.random.default_rng(2)
    return ModelParts(
        tokenizer=tokenizer,
        embeddings=2 * rng.random((size, DIM), dtype=np.float32) - 1,
        max_tokens=60,
        max_chars=120,
        token_weights=rng.random(size, dtype=np.float32),
        metadata=Metadata(name="golden", license="Apache-2.0", prefixes=(PREFIX, DIM)),
    )


def family_parts(family: str) -> ModelParts:
    """A model of a tokenizer beside plain WordPiece: ten tokens share a row, and nothing is cut."""
    tokenizer = golden_tokenizers.TOKENIZERS[family]()
    size = len(tokens_by_id(tokenizer))
    rng = np.random.default_rng(3)
    return ModelParts(
        tokenizer=tokenizer,
        embeddings=2 * rng.random((size // 10, FAMILY_DIM), dtype=np.float32) - 1,
        token_rows=rng.integers(size // 10, size=size, dtype=np.uint32),
        unknown="average",
        metadata=Metadata(name=f"golden-{family}", license="Apache-2.0"),
    )


def expected_ids(parts: ModelParts, batch: list[str]) -> list[list[int]]:
    """Ids from the tokenizers library, cut and without unknown tokens."""
    tokenizer = Tokenizer.from_str(json.dumps(parts.tokenizer))
    if parts.max_tokens is not None:
        tokenizer.enable_truncation(parts.max_tokens)
    unknown = tokenizer.token_to_id("[UNK]")  # of WordPiece alone: the others average theirs in
    cut = [text[: parts.max_chars] for text in batch]
    encodings = tokenizer.encode_batch(cut, add_special_tokens=False)
    return [[i for i in encoding.ids if i != unknown] for encoding in encodings]


def check_vectors(parts: ModelParts, ids: list[list[int]], vectors: np.ndarray) -> None:
    """Stop unless the core's vectors are the weighted mean's, to float32's accuracy."""
    for own, vector in zip(ids, vectors, strict=True):
        weights = parts.token_weights[own].astype(np.float64)[:, None]
        total = (parts.embeddings[own] * weights).sum(axis=0)
        norm = np.linalg.norm(total)
        np.testing.assert_allclose(vector, total / norm if norm else total, rtol=0, atol=1e-6)


def counting_parts() -> ModelParts:
    """The tiny model, in which tokens count by where they stand and how often they did before."""
    return replace(tiny_parts(), counting=Counting((181, 139, 117), (240, 200, 170, 150)))


def answers(model: pumice.StaticModel, text: str) -> dict[str, str]:
    """The bytes of a text's vector in every output type, little-endian, as hex."""
    return {
        "float32": model.encode(text).astype("<f4").tobytes().hex(),
        "float32_prefix": model.encode(text, dim=PREFIX).astype("<f4").tobytes().hex(),
        "int8": model.encode(text, dtype="int8").tobytes().hex(),
        "binary": model.encode(text, dtype="binary").tobytes().hex(),
    }


def explanations(
    models: dict[str, pumice.StaticModel], batch: list[str]
) -> list[dict[str, object]]:
    """What explains every fourth text beside a query, and prose: tokens, spans, what each adds, its share."""
    lines = []
    for name, model in models.items():
        for number, document in enumerate([*batch[::4], PROSE]):
            query = batch[-1 - number % 3]
            found = model.explain(query, document)
            if len(found.document) > EXPLAINED and document != PROSE:
                continue
            line = {"model": name, "query": query, "document": document, "score": found.score}
            line["ids"] = found.document.ids.tolist()
            line["spans"] = found.document.spans.tolist()
            line["vectors"] = found.document.vectors.astype("<f4").tobytes().hex()
            line["shares"] = found.document_shares.tolist()
            lines.append(line)
    return lines


def generate(folder: Path) -> None:
    """Write the model in each storage dtype, what all must answer, and one of each other tokenizer."""
    parts, batch = tiny_parts(), golden_texts()
    ids = expected_ids(parts, batch)
    models = {dtype: pumice.StaticModel.from_parts(parts, dtype=dtype) for dtype in DTYPES}
    for dtype, model in models.items():
        if model.tokenize(batch) != ids:
            raise SystemExit("token ids differ from the tokenizers library")
        if dtype.startswith("float"):  # the scales of others are the core's own
            rounded = replace(parts, embeddings=parts.embeddings.astype(dtype))
            check_vectors(rounded, ids, model.encode(batch))
        model.save(folder / f"golden-{dtype}.pumice")
    models["counting"] = pumice.StaticModel.from_parts(counting_parts(), dtype="int8")
    models["counting"].save(folder / "golden-counting.pumice")
    families = {}
    for family in golden_tokenizers.TOKENIZERS:
        parts = family_parts(family)
        model = pumice.StaticModel.from_parts(parts)
        if model.tokenize(batch) != expected_ids(parts, batch):
            raise SystemExit(f"token ids of {family} differ from the tokenizers library")
        model.save(folder / f"golden-{family}.pumice")
        families[family] = model
    with (folder / "golden-explain.jsonl").open("w", encoding="ascii", newline="\n") as lines:
        for line in explanations({**models, **families}, batch):
            lines.write(json.dumps(line) + "\n")
    with (folder / "golden.jsonl").open("w", encoding="ascii", newline="\n") as lines:
        for text, own in zip(batch, ids, strict=True):
            vectors = {dtype: answers(model, text) for dtype, model in models.items()}
            lines.write(json.dumps({"text": text, "ids": own, "vectors": vectors}) + "\n")


if __name__ == "__main__":
    generate(HERE)
