"""Reads model2vec and sentence-transformers folders, in every layout that either library writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import MissingExtraError, ModelFileError
from pumice.modelfile.parts import Metadata, ModelParts
from pumice.modelfile.vocabulary import damage_named, tokens_by_id

MODEL2VEC_MAX_LENGTH = 512


def read_folder(folder: Path) -> ModelParts:
    """The parts of a static model saved by model2vec or sentence-transformers.

    The key of the weights tells whose rules hold: ``embeddings`` is model2vec's, ``embedding.weight``
    sentence-transformers'. Raises ModelFileError naming the file that is missing or does not fit.
    """
    modules = read_json(folder / "modules.json") if (folder / "modules.json").exists() else None
    static, normalize = read_modules(modules, folder) if modules is not None else (folder, False)
    if not (static / "tokenizer.json").exists():
        raise ModelFileError(f"{static}: no tokenizer.json: not a static model's folder")
    tokenizer = read_object(static / "tokenizer.json")
    tensors = read_tensors(static)
    metadata = read_metadata(folder)
    if "embedding.weight" in tensors:
        refuse_default_prompt(folder)
        return ModelParts(
            tokenizer=tokenizer,
            embeddings=tensors["embedding.weight"],
            normalize=normalize,
            unknown="average",
            metadata=metadata,
        )
    config = read_object(folder / "config.json") if (folder / "config.json").exists() else {}
    max_length = config.get("max_length", MODEL2VEC_MAX_LENGTH)
    if not (max_length is None or isinstance(max_length, int)):
        raise ModelFileError(
            f"{folder / 'config.json'}: max_length is {max_length!r}, not a number"
        )
    return ModelParts(
        tokenizer={**tokenizer, "truncation": None},  # model2vec replaces it by its own max_length
        embeddings=tensors["embeddings"],
        normalize=bool(config.get("normalize", False)),
        unknown="drop",
        max_tokens=max_length,
        max_chars=None if max_length is None else max_length * median_token_length(tokenizer),
        token_weights=tensors.get("weights"),
        token_rows=tensors.get("mapping"),
        metadata=metadata,
    )


def median_token_length(tokenizer: dict[str, Any]) -> int:
    """Median length of the vocabulary's tokens in code points: model2vec's unit for cutting texts."""
    with damage_named():
        return int(np.median([len(token) for token in tokens_by_id(tokenizer)]))


def read_modules(modules: Any, folder: Path) -> tuple[Path, bool]:
    """The StaticEmbedding module's folder, and whether a Normalize module follows it."""
    path = folder / "modules.json"
    if not isinstance(modules, list) or not all(
        isinstance(m, dict) and "type" in m for m in modules
    ):
        raise ModelFileError(f"{path}: not a list of modules")
    kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in modules]
    if kinds not in (["StaticEmbedding"], ["StaticEmbedding", "Normalize"]):
        raise ModelFileError(
            f"{path}: modules {', '.join(kinds) or '(none)'} are not a static model "
            "(StaticEmbedding, then at most Normalize): to make one of a transformer, distil it"
        )
    given = modules[0].get("path", "")
    try:
        static = (folder / given).resolve()
        found = static.is_dir()
    except (OSError, RuntimeError, TypeError, ValueError):  # too long, a loop of links, a NUL
        found = False
    if not found:
        raise ModelFileError(f"{path}: module path {given!r} is no folder")
    if not static.is_relative_to(folder.resolve()):
        raise ModelFileError(f"{path}: module path {given!r} leads out of the folder")
    return static, len(kinds) == 2


def read_tensors(folder: Path) -> Mapping[str, NDArray[Any]]:
    """The tensors of model.safetensors; ModelFileError where it is missing, damaged or without rows."""
    path = folder / "model.safetensors"
    if not path.exists():
        other = next((p.name for p in folder.glob("*.bin")), None)
        hint = f" ({other} is there: save it again as safetensors)" if other else ""
        raise ModelFileError(f"{folder}: no model.safetensors{hint}")
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise MissingExtraError("safetensors", "hub") from None
    try:
        tensors = safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, KeyError, TypeError, OSError) as error:
        raise ModelFileError(f"{path}: cannot be read: {error}") from None
    if "embedding.weight" not in tensors and "embeddings" not in tensors:
        raise ModelFileError(
            f"{path}: neither embeddings (model2vec) nor embedding.weight (sentence-transformers) "
            f"is among its tensors ({', '.join(sorted(tensors)[:5])}): not a static model"
        )
    return tensors


def refuse_default_prompt(folder: Path) -> None:
    """Refuse a model that prepends a prompt to every text, which a model file cannot say."""
    path = folder / "config_sentence_transformers.json"
    if not path.exists():
        return
    config = read_object(path)
    name, prompts = config.get("default_prompt_name"), config.get("prompts") or {}
    if not isinstance(name, str | None) or not isinstance(prompts, dict):
        raise ModelFileError(f"{path}: its prompts are damaged: save the model again")
    if name and prompts.get(name):
        raise ModelFileError(
            f'{path}: default_prompt_name "{name}" puts a prompt before every text, '
            "which pumice does not support: unset it and prepend the prompt yourself"
        )


def read_metadata(folder: Path) -> Metadata:
    """Name, licence and languages from the front matter of the model card, where there is one."""
    card = folder / "README.md"
    text = card.read_text("utf-8", errors="replace") if card.exists() else ""
    front = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    fields: dict[str, list[str]] = {}
    key = ""
    for line in front.group(1).splitlines() if front else []:
        if named := re.match(r"(\w+):\s*(.*)", line):
            key = named.group(1)
            fields[key] = [named.group(2).strip("'\"")] if named.group(2) else []
        elif item := re.match(r"\s*-\s+(\S+)\s*$", line):
            fields.setdefault(key, []).append(item.group(1).strip("'\""))
    return Metadata(
        name=folder.resolve().name,
        license=next(iter(fields.get("license", [])), ""),
        source=next(iter(fields.get("base_model", [])), ""),
        languages=tuple(fields.get("language", [])),
    )


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise ModelFileError(f"{path}: not a JSON object")
    return value


def read_json(path: Path) -> Any:
    """JSON from a file; ModelFileError where it cannot be read or parsed."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: not JSON: {error}") from None
