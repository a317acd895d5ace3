"""Writes folders: a model file, or what model2vec and sentence-transformers load with equal vectors."""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError, MissingExtraError
from pumice.modelfile.card import CardFacts, model_card
from pumice.modelfile.counting import PLAIN
from pumice.modelfile.folders import median_token_length
from pumice.modelfile.parts import ModelParts
from pumice.modelfile.router import write_router
from pumice.modelfile.rows import widen_rows
from pumice.modelfile.vocabulary import unknown_id
from pumice.modelfile.writing import write_whole

if TYPE_CHECKING:
    from pumice.modelfile.reader import ModelFile

FORMATS = ("model2vec", "sentence-transformers", "pumice")
MODEL_FILE = "model.pumice"


def write_folder(
    file: ModelFile,
    folder: Path,
    *,
    format: str,
    card: str | None,
    documents: Path | None,
) -> None:
    """Write the folder; files already there are replaced. ``card`` takes the place of a short one.

    ``documents`` is the folder of the document encoder, to be written beside a model of queries. Warns,
    naming it, of any rule of the model that the format cannot carry.
    """
    if format not in FORMATS:
        raise InputError(f'format "{format}" is not one of {", ".join(FORMATS)}')
    parts = file.parts()
    facts = CardFacts(format, file.fingerprint if format == "pumice" else "", card or "")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if format == "pumice":
            write_whole(folder / MODEL_FILE, file.to_bytes())
        else:
            if parts.counting != PLAIN:
                warn(f"{format} counts all of a text's tokens alike; this model does not")
            encoder = parts.metadata.document_encoder
            if encoder is not None and documents is None:
                warn("documents are another model's, which only pumice knows")
            if format == "model2vec":
                write_model2vec(parts, folder)
            elif encoder is None or documents is None:
                write_sentence_transformers(parts, folder)
            else:
                write_router(
                    partial(write_sentence_transformers, parts),
                    folder,
                    documents=documents,
                    prompt=encoder.prompt,
                )
        (folder / "README.md").write_text(model_card(parts, facts), "utf-8")
    except FileExistsError:
        raise InputError(f"{folder}: is a file: name a folder to write") from None
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from None


def write_model2vec(parts: ModelParts, folder: Path) -> None:
    """``embeddings``, ``weights`` and ``mapping``, config.json and modules.json, as model2vec 0.10."""
    unit = median_token_length(parts.tokenizer)
    max_length = parts.max_tokens
    if parts.max_chars != (None if max_length is None else max_length * unit):
        warn(f"model2vec also cuts texts at max_tokens * {unit} characters; this model does not")
    if parts.unknown == "average" and not unknown_row_is_zero(parts):
        warn("model2vec leaves unknown tokens out; this model averages them in")
    rows = (
        parts.embeddings
        if parts.row_scales is None
        else widen_rows(parts.embeddings, parts.row_scales)
    )
    tensors: dict[str, NDArray[Any]] = {"embeddings": np.array(rows)}
    if parts.token_weights is not None:
        tensors["weights"] = np.array(parts.token_weights, np.float32)
    if parts.token_rows is not None:
        tensors["mapping"] = np.array(parts.token_rows, np.int64)
    save_tensors(tensors, folder / "model.safetensors")
    write_json(parts.tokenizer, folder / "tokenizer.json")
    config = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "tokenizer_name": parts.metadata.source,
        "hidden_dim": int(rows.shape[1]),
        "normalize": parts.normalize,
        "max_length": max_length,
        "embedding_dtype": rows.dtype.name,
    }
    if parts.token_rows is not None:
        config["vocabulary_quantization"] = int(rows.shape[0])
    write_json(config, folder / "config.json")
    write_json(modules(".", parts), folder / "modules.json")


def write_sentence_transformers(parts: ModelParts, folder: Path) -> None:
    """One float32 row a token in 0_StaticEmbedding, then 1_Normalize where the model normalises."""
    if parts.max_chars is not None:
        warn(
            f"sentence-transformers cannot cut texts at {parts.max_chars} characters as this model does"
        )
    rows = widen_rows(parts.embeddings, parts.row_scales)
    if parts.token_rows is not None:
        rows = rows[parts.token_rows]
    if parts.token_weights is not None:
        rows = rows * parts.token_weights.astype(np.float32)[:, None]
    unknown = unknown_id(parts.tokenizer)
    if parts.unknown == "drop" and unknown is not None:
        # A row of zeros changes the length of the mean and not its direction: dropped, once normalised.
        rows = rows.copy()
        rows[unknown] = 0
        if not parts.normalize:
            warn(
                "sentence-transformers counts unknown tokens in the mean; this model leaves them out"
            )
    static = folder / "0_StaticEmbedding"
    static.mkdir(exist_ok=True)
    save_tensors({"embedding.weight": rows}, static / "model.safetensors")
    truncation = parts.max_tokens and {
        "direction": "Right",
        "max_length": parts.max_tokens,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    tokenizer = parts.tokenizer if not truncation else {**parts.tokenizer, "truncation": truncation}
    write_json(tokenizer, static / "tokenizer.json")
    if parts.normalize:
        (folder / "1_Normalize").mkdir(exist_ok=True)
    write_json(modules("0_StaticEmbedding", parts), folder / "modules.json")
    config: dict[str, Any] = {
        "prompts": {},
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }
    write_json(config, folder / "config_sentence_transformers.json")


def unknown_row_is_zero(parts: ModelParts) -> bool:
    """Whether leaving unknown tokens out is the same as averaging them in: normalised, and zeros."""
    unknown = unknown_id(parts.tokenizer)
    if unknown is None:
        return True
    row = unknown if parts.token_rows is None else int(parts.token_rows[unknown])
    return parts.normalize and not parts.embeddings[row].any()


def modules(path: str, parts: ModelParts) -> list[dict[str, Any]]:
    """modules.json of sentence-transformers."""
    package = "sentence_transformers.models"
    static = {"idx": 0, "name": "0", "path": path, "type": f"{package}.StaticEmbedding"}
    normalize = {"idx": 1, "name": "1", "path": "1_Normalize", "type": f"{package}.Normalize"}
    return [static, normalize] if parts.normalize else [static]


def save_tensors(tensors: dict[str, NDArray[Any]], path: Path) -> None:
    """Write model.safetensors."""
    try:
        from safetensors.numpy import save
    except ImportError:
        raise MissingExtraError("safetensors", "hub") from None
    # Not save_file, whose file nobody but its owner may read.
    path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in tensors.items()}))


def write_json(value: Any, path: Path) -> None:
    """Write JSON, readable."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2), "utf-8")


def warn(what: str) -> None:
    """Say, where the user called, what the written folder will do differently."""
    warnings.warn(f"the folder will not give equal vectors for every text: {what}", stacklevel=5)
