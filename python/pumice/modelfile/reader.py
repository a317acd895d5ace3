"""An opened .pumice file: the native model over a mapping, and what people read beside it."""

from __future__ import annotations

import json
import mmap
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice import _core
from pumice.errors import ModelFileError
from pumice.modelfile import container
from pumice.modelfile.compiler import metadata_of, read_string_table, with_vocabulary
from pumice.modelfile.container import Kind
from pumice.modelfile.counting import WHOLE, Counting
from pumice.modelfile.packed_rows import BITS, unpacked_rows
from pumice.modelfile.parts import DocumentEncoder, ModelParts
from pumice.modelfile.rows import ROW_DTYPES, from_multipliers

_METADATA = {
    "name": str,
    "license": str,
    "source": str,
    "languages": list,
    "tokenizer": dict,
    "provenance": dict,
}
"""What people, and whoever shows them a model, may rely on where it is there."""


class ModelFile:
    """The bytes of a model, mapped and not copied; pages are shared between processes."""

    def __init__(self, mapping: mmap.mmap, *, source: str) -> None:
        self.source = source
        self._view = memoryview(mapping)
        try:
            self.core = _core.Model(mapping)
        except ModelFileError as error:
            raise ModelFileError(f"{source}: {error}") from None
        self.info: dict[str, Any] = self.core.describe()
        self.nbytes = len(mapping)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> ModelFile:
        """Map a file; ModelFileError where it cannot be read or is not a model."""
        source = os.fspath(path)
        try:
            with Path(path).open("rb") as file:
                mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise ModelFileError(f"{source}: the file is empty: not a .pumice file") from None
        except OSError as error:
            raise ModelFileError(f"{source}: cannot be read: {error.strerror}") from None
        return cls(mapping, source=source)

    @classmethod
    def from_bytes(cls, data: bytes, *, source: str = "the model") -> ModelFile:
        """Open a model that was never a file. The bytes are copied once, to aligned memory."""
        if not data:
            raise ModelFileError(f"{source}: no bytes: not a .pumice file")
        mapping = mmap.mmap(-1, len(data))
        mapping[:] = data
        return cls(mapping, source=source)

    def section(self, kind: Kind) -> memoryview | None:
        """A section's bytes, or None where the file has none of that kind."""
        span = self.core.section(kind)
        return None if span is None else self._view[span[0] : span[0] + span[1]]

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 that the file declares; ``verify`` computes it."""
        return container.fingerprint(self._view)

    def verify(self) -> None:
        """Raise ModelFileError if the content does not match the declared fingerprint."""
        container.verify(self._view, source=self.source)

    def to_bytes(self) -> bytes:
        """The whole file."""
        return bytes(self._view)

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The metadata section; empty where the file has none, ModelFileError where it is damaged."""
        found = self._json(Kind.METADATA) or {}
        prefixes = found.get("prefixes") or []
        wrong = [
            key for key, kind in _METADATA.items() if not isinstance(found.get(key, kind()), kind)
        ]
        if not isinstance(prefixes, list) or not all(isinstance(one, int) for one in prefixes):
            wrong.append("prefixes")
        if wrong:
            raise ModelFileError(
                f"{self.source}: its metadata is damaged ({wrong[0]}): fetch or compile the model again"
            )
        return found

    @cached_property
    def document_encoder(self) -> DocumentEncoder | None:
        """Of a model of queries; ModelFileError where what the file says of it is damaged."""
        try:
            return DocumentEncoder.of(self.metadata.get("document_encoder"))
        except ValueError:
            raise ModelFileError(
                f"{self.source}: its metadata's document_encoder is damaged: "
                "fetch or compile the model again"
            ) from None

    @cached_property
    def tokens(self) -> list[str]:
        """Token strings by id."""
        table = self.section(Kind.TOKENS)
        assert table is not None  # the core opens no file without it
        return read_string_table(table, self.info["tokens"])

    @cached_property
    def tokenizer(self) -> dict[str, Any]:
        """The whole tokenizer.json; ModelFileError where the file was written without it."""
        stored = self._json(Kind.TOKENIZER)
        if stored is None:
            raise ModelFileError(f"{self.source}: the file carries no tokenizer.json")
        try:
            return with_vocabulary(stored, self.tokens)
        except (AttributeError, KeyError, TypeError):
            raise ModelFileError(
                f"{self.source}: its tokenizer section is damaged: fetch or compile the model again"
            ) from None

    @cached_property
    def post_processor(self) -> dict[str, Any] | None:
        """tokenizer.json's post_processor; None where the file carries no tokenizer.json."""
        stored = self._json(Kind.TOKENIZER)
        return None if stored is None else stored.get("tokenizer", {}).get("post_processor")

    @property
    def may_trim_offsets(self) -> bool:
        """False where no post-processor trims offsets: a look that spares parsing a large vocabulary."""
        section = self.section(Kind.TOKENIZER)
        return section is not None and b'"trim_offsets"' in bytes(section)

    def token_vectors(self, ids: NDArray[np.uint32]) -> NDArray[np.float32]:
        """What each of a text's tokens adds to the sum: its row times its weight times what it counts.

        float32, shape (n, dimensions).
        """
        info = self.info
        token_rows = ids
        try:
            if (mapping := self._array(Kind.TOKEN_ROWS, "uint32")) is not None:
                token_rows = mapping[ids]
            counts = self.counting.of(ids)
            if info["row_type"] >= ROW_DTYPES.index("int8"):
                units = (self._multipliers()[ids] * counts + WHOLE**2 // 2) // WHOLE**2
                factors = (units * info["multiplier_unit"]).astype(np.float32)
            else:
                factors = (counts / WHOLE**2).astype(np.float32)
                if (weights := self._array(Kind.TOKEN_WEIGHTS, "float32")) is not None:
                    factors *= weights[ids]
            chosen = self._rows(token_rows)
        except IndexError:
            raise ModelFileError(
                f"{self.source}: names a row or token that it does not have: "
                "fetch or compile the model again"
            ) from None
        vectors: NDArray[np.float32] = factors[:, None] * chosen.astype(np.float32)
        return vectors

    def parts(self) -> ModelParts:
        """The model uncompiled again, its arrays views of the file."""
        info = self.info
        weights = self._array(Kind.TOKEN_WEIGHTS, "float32")
        scales = self._array(Kind.ROW_SCALES, "float32")
        if self._dtype in BITS:
            weights, scales = self._factors()
        return ModelParts(
            tokenizer=self.tokenizer,
            embeddings=self._rows(None),
            normalize=info["normalizes"],
            unknown="drop" if info["drops_unknown"] else "average",
            max_tokens=info["max_tokens"],
            max_chars=info["max_chars"],
            token_weights=weights,
            token_rows=self._array(Kind.TOKEN_ROWS, "uint32"),
            row_scales=scales,
            counting=self.counting,
            metadata=metadata_of(self.metadata),
        )

    @cached_property
    def counting(self) -> Counting:
        """What tokens count beside their weights."""
        sections = (self.section(kind) for kind in (Kind.REPEATS, Kind.POSITIONS))
        return Counting(*(() if section is None else tuple(section) for section in sections))

    @property
    def _dtype(self) -> str:
        return ROW_DTYPES[self.info["row_type"]]

    def _rows(self, chosen: NDArray[Any] | None) -> NDArray[Any]:
        """The table's rows of these numbers, or all: shape (n, dimensions). Packed ones come as int8."""
        section = self.section(Kind.PACKED_ROWS if self._dtype in BITS else Kind.ROWS)
        assert section is not None  # the core opens no file without it
        stored = np.frombuffer(section, "uint8" if self._dtype in BITS else self._dtype)
        rows: NDArray[Any] = stored.reshape(self.info["rows"], -1)
        rows = rows if chosen is None else rows[chosen]
        if self._dtype not in BITS:
            return rows
        return unpacked_rows(rows, self._dtype, dim=self.info["dimensions"])

    def _factors(self) -> tuple[NDArray[np.float32] | None, NDArray[np.float32]]:
        """Token weights and row scales of packed rows: what their products, the multipliers, say of them."""
        products = self._multipliers() * self.info["multiplier_unit"]
        mapping = self._array(Kind.TOKEN_ROWS, "uint32")
        if mapping is None:
            return None, products.astype(np.float32)
        if mapping.size and mapping.max() >= self.info["rows"]:
            raise ModelFileError(
                f"{self.source}: names a row that it does not have: fetch or compile the model again"
            )
        scales = np.zeros(self.info["rows"])
        np.maximum.at(scales, mapping, np.abs(products))
        shares = products / np.where(scales > 0, scales, 1)[mapping]
        return shares.astype(np.float32), scales.astype(np.float32)

    def _multipliers(self) -> NDArray[np.int64]:
        """What the core multiplies each token's int8 row by, in units."""
        tokens = self.info["tokens"]
        stored = self._array(Kind.TOKEN_MULTIPLIERS, "int16")
        return np.ones(tokens, np.int64) if stored is None else from_multipliers(stored, tokens)

    def _array(self, kind: Kind, dtype: str) -> NDArray[Any] | None:
        section = self.section(kind)
        return None if section is None else np.frombuffer(section, dtype=dtype)

    def _json(self, kind: Kind) -> dict[str, Any] | None:
        section = self.section(kind)
        if section is None:
            return None
        try:
            value = json.loads(bytes(section))
        except (ValueError, RecursionError):
            raise ModelFileError(
                f"{self.source}: its {kind.name.lower()} section is damaged: "
                "fetch or compile the model again"
            ) from None
        if not isinstance(value, dict):
            raise ModelFileError(f"{self.source}: its {kind.name.lower()} section is not an object")
        return value
