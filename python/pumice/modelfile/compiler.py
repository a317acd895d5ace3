"""ModelParts to the bytes of a .pumice file, and back."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError, ModelFileError
from pumice.modelfile.container import Kind, pack
from pumice.modelfile.counting import PLAIN
from pumice.modelfile.native import compile_tokenizer
from pumice.modelfile.native_tokenizer import LIBRARY, NativeTokenizer, NotNativeError
from pumice.modelfile.packed_rows import BITS, packed
from pumice.modelfile.parts import DocumentEncoder, Metadata, ModelParts
from pumice.modelfile.rows import ROW_DTYPES, Factors, convert_rows, int8_factors
from pumice.modelfile.trie import encoded
from pumice.modelfile.vocabulary import damage_named, tokens_by_id, unknown_id

NONE = 0xFFFFFFFF
PARAMETERS = struct.Struct("<IIIBBBBIIIIIIf20x")
UNKNOWN_RULES = ("drop", "average")
MAX_DIMENSIONS = 1 << 16
MAX_TOKENS = 1 << 24


def compile_model(parts: ModelParts, *, dtype: str | None = None) -> bytes:
    """The bytes of the model file; the same parts give the same bytes.

    ``dtype`` is how rows are stored, one of ROW_DTYPES (None: as ``parts`` has them). Raises
    ModelFileError where tokenizer, rows and rules contradict each other.
    """
    with damage_named():
        parts = without_padding(parts)
        tokens = tokens_by_id(parts.tokenizer)
        unknown = unknown_id(parts.tokenizer)
    rows, scales = convert_rows(parts.embeddings, parts.row_scales, dtype=dtype)
    check(parts, len(tokens))
    try:
        with damage_named():
            native, reason = compile_tokenizer(parts.tokenizer), None
    except NotNativeError as error:
        native, reason = NativeTokenizer(LIBRARY), str(error)
    stored = rows.dtype.name if dtype is None else dtype
    factors = Factors(None, 0.0, parts.token_weights, scales)
    if rows.dtype == np.int8:
        weights = parts.token_weights
        if weights is None and scales is None and parts.counting != PLAIN:
            weights = np.ones(len(tokens), np.float32)  # whole units could not be parted
        factors = int8_factors(weights, scales, parts.token_rows)
    sections = {
        Kind.METADATA: to_json(describe(parts, stored, reason)),
        Kind.PARAMETERS: PARAMETERS.pack(
            rows.shape[1],
            len(tokens),
            rows.shape[0],
            ROW_DTYPES.index(stored),
            native.tokenizer,
            UNKNOWN_RULES.index(parts.unknown),
            parts.normalize,
            NONE if unknown is None else unknown,
            NONE if parts.max_tokens is None else parts.max_tokens,
            NONE if parts.max_chars is None else parts.max_chars,
            native.max_word_chars,
            native.normalizer_flags,
            native.continuation_node,
            factors.unit,
        ),
        Kind.TOKENS: string_table(tokens),
        Kind.TOKENIZER: to_json(without_vocabulary(parts.tokenizer)),
        **native.sections,
    }
    if stored in BITS:  # the multipliers say all that weights and scales would
        factors = replace(factors, weights=None, scales=None)
        sections[Kind.PACKED_ROWS] = packed(rows, stored)
    else:
        sections[Kind.ROWS] = little_endian(rows, rows.dtype)
    if factors.scales is not None:
        sections[Kind.ROW_SCALES] = little_endian(factors.scales, np.float32)
    if parts.token_rows is not None:
        sections[Kind.TOKEN_ROWS] = little_endian(parts.token_rows, np.uint32)
    if factors.weights is not None:
        sections[Kind.TOKEN_WEIGHTS] = little_endian(factors.weights, np.float32)
    if parts.counting.repeats:
        sections[Kind.REPEATS] = bytes(parts.counting.repeats)
    if parts.counting.positions:
        sections[Kind.POSITIONS] = bytes(parts.counting.positions)
    if factors.multipliers is not None:
        sections[Kind.TOKEN_MULTIPLIERS] = little_endian(factors.multipliers, np.int16)
    return pack(sections)


def without_padding(parts: ModelParts) -> ModelParts:
    """Parts whose tokenizer neither pads nor, where max_tokens can say it, truncates."""
    tokenizer = {**parts.tokenizer, "padding": None}
    truncation = tokenizer.get("truncation")
    if not truncation or truncation.get("direction", "Right") != "Right":
        return replace(parts, tokenizer=tokenizer)
    limit = int(truncation["max_length"])
    limit = limit if parts.max_tokens is None else min(limit, parts.max_tokens)
    return replace(parts, tokenizer={**tokenizer, "truncation": None}, max_tokens=limit)


def check(parts: ModelParts, tokens: int) -> None:
    """Raise ModelFileError or InputError where the parts contradict each other."""
    rows, dim = parts.embeddings.shape
    if parts.token_rows is None and rows != tokens:
        raise ModelFileError(
            f"embeddings have {rows} rows but the tokenizer has {tokens} tokens: "
            "they must come from the same model"
        )
    if (
        not 1 <= dim <= MAX_DIMENSIONS
        or not 1 <= tokens <= MAX_TOKENS
        or not 1 <= rows <= MAX_TOKENS
    ):
        raise ModelFileError(
            f"embeddings of {rows} rows and {dim} dimensions for {tokens} tokens: "
            f"a model has 1 to {MAX_TOKENS} rows and 1 to {MAX_DIMENSIONS} dimensions"
        )
    for name, array in (("token_weights", parts.token_weights), ("token_rows", parts.token_rows)):
        if array is not None and array.shape != (tokens,):
            raise ModelFileError(
                f"{name} has shape {array.shape}, not ({tokens},) as the vocabulary"
            )
    if parts.token_weights is not None:
        with np.errstate(over="ignore"):
            finite = np.isfinite(np.asarray(parts.token_weights, np.float32)).all()
        if not finite:
            raise ModelFileError("token_weights hold NaN, infinity or more than float32 does")
    if parts.token_rows is not None and not (
        (parts.token_rows >= 0).all() and (parts.token_rows < rows).all()
    ):
        raise ModelFileError(f"token_rows name a row outside the {rows} rows of the embeddings")
    if parts.row_scales is not None and parts.row_scales.shape != (rows,):
        raise ModelFileError(f"row_scales has shape {parts.row_scales.shape}, not ({rows},)")
    if parts.unknown not in UNKNOWN_RULES:
        raise InputError(f'unknown="{parts.unknown}" is not one of {", ".join(UNKNOWN_RULES)}')
    for name, limit in (("max_tokens", parts.max_tokens), ("max_chars", parts.max_chars)):
        if limit is not None and not 1 <= limit < NONE:
            raise InputError(f"{name} is {limit}: it must be at least 1, or None for no limit")
    parts.counting.check(normalize=parts.normalize)
    prefixes = parts.metadata.prefixes
    if prefixes is not None and not all(1 <= prefix <= dim for prefix in prefixes):
        raise InputError(
            f"prefixes {list(prefixes)} must lie between 1 and the model's {dim} dimensions"
        )


def describe(parts: ModelParts, stored: str, reason: str | None) -> dict[str, Any]:
    """The metadata section: what people, and nothing at run time, read."""
    metadata, dim = parts.metadata, int(parts.embeddings.shape[1])
    prefixes, documents = metadata.prefixes, metadata.document_encoder
    described = {
        "name": metadata.name,
        "license": metadata.license,
        "source": metadata.source,
        "languages": list(metadata.languages),
        "dimensions": dim,
        "prefixes": None if prefixes is None else sorted({*map(int, prefixes), dim}),
        "dtype": stored,
        "normalize": bool(parts.normalize),
        "unknown": parts.unknown,
        "max_tokens": parts.max_tokens,
        "max_chars": parts.max_chars,
        "tokenizer": {
            "type": parts.tokenizer["model"].get("type"),
            "native": reason is None,
            "reason": reason,
        },
        "provenance": metadata.provenance,
    }
    if parts.counting != PLAIN:
        described["counting"] = parts.counting.told()
    return described if documents is None else {**described, "document_encoder": asdict(documents)}


def without_vocabulary(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """tokenizer.json without what the tokens section says already; ``with_vocabulary`` undoes it."""
    vocab = tokenizer["model"]["vocab"]
    if isinstance(vocab, list):
        return {"tokenizer": tokenizer, "added_only": None}
    added_only = sorted(
        {
            added["id"]
            for added in tokenizer.get("added_tokens") or []
            if added["content"] not in vocab
        }
    )
    model = {**tokenizer["model"], "vocab": {}}
    return {"tokenizer": {**tokenizer, "model": model}, "added_only": added_only}


def with_vocabulary(stored: dict[str, Any], tokens: list[str]) -> dict[str, Any]:
    """The whole tokenizer.json again."""
    tokenizer: dict[str, Any] = stored["tokenizer"]
    if stored["added_only"] is None:
        return tokenizer
    outside = set(stored["added_only"])
    vocab = {token: index for index, token in enumerate(tokens) if index not in outside}
    return {**tokenizer, "model": {**tokenizer["model"], "vocab": vocab}}


def string_table(tokens: list[str]) -> bytes:
    """Offsets (uint32, one more than there are tokens), then the tokens' UTF-8."""
    strings = [encoded(token) for token in tokens]
    offsets = np.cumsum([0, *map(len, strings)], dtype=np.uint64)
    if offsets[-1] > NONE:
        raise ModelFileError("the vocabulary is longer than 4 GiB")
    return little_endian(offsets, np.uint32) + b"".join(strings)


def read_string_table(table: memoryview, count: int) -> list[str]:
    """The tokens of a string table; ModelFileError where offsets fall outside or are not UTF-8."""
    offsets = np.frombuffer(table[: 4 * (count + 1)], dtype="<u4").tolist()
    strings = bytes(table[4 * (count + 1) :])
    try:
        if any(begin > end for begin, end in pairwise(offsets)):
            raise ValueError
        return [strings[b:e].decode() for b, e in pairwise(offsets)]
    except ValueError:
        raise ModelFileError("the model file's token strings are damaged") from None


def little_endian(array: NDArray[Any], dtype: Any) -> bytes:
    """The array's bytes as the file holds them."""
    return np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<")).tobytes()


def to_json(value: dict[str, Any]) -> bytes:
    """Compact UTF-8 JSON in the order of insertion."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode()
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"the model's tokenizer or metadata is not JSON: {error}") from None


def metadata_of(described: dict[str, Any]) -> Metadata:
    """The metadata section as it was given to the compiler."""
    prefixes = described.get("prefixes")
    try:
        documents = DocumentEncoder.of(described.get("document_encoder"))
    except ValueError:
        raise ModelFileError(
            "the model file's document_encoder is damaged: fetch or compile the model again"
        ) from None
    return Metadata(
        name=described.get("name", ""),
        license=described.get("license", ""),
        source=described.get("source", ""),
        languages=tuple(described.get("languages", ())),
        prefixes=None if prefixes is None else tuple(prefixes),
        provenance=described.get("provenance", {}),
        document_encoder=documents,
    )
