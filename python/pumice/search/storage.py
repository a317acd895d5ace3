"""How an index keeps its vectors: data type, codes, graph, where they lie. Fixed when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pumice.errors import InputError

QUANTIZATIONS = (
    "int8",
    *("binary", "binary-1.5", "binary-2"),
    *("turbo-1", "turbo-1.5", "turbo-2", "turbo-4", "turbo-8"),
    *("product-4", "product-8", "product-16", "product-32", "product-64"),
)
QUERY_ENCODINGS = ("binary", "int4", "int8")
DATATYPES = ("float32", "float16", "uint8")
PLACES = ("memory", "disk")


@dataclass(frozen=True)
class Storage:
    """What an index keeps of each text; InputError for what does not go together.

    It is written into the index when it is made, and an index is never opened as another one.
    """

    quantize: str | None = None
    """Codes that are searched instead of the vectors, one of QUANTIZATIONS: `binary` keeps a sign
    bit a dimension, `binary-1.5` and `-2` more, `turbo-N` N bits after a rotation, `product-N` a
    1/N of float32. The engine makes int8 and product codes, and binary ones of more than
    one bit, in `Index.optimize`, the others at once."""
    query: str | None = None
    """How a query meets binary codes: `binary` (as bits too), `int4` or `int8`; None: `int8`."""
    datatype: str = "float32"
    """What is kept of the vectors themselves, one of DATATYPES."""
    originals: str = "disk"
    """Where the vectors lie: on `disk`, mapped, or in `memory`."""
    codes: str = "memory"
    """Where the codes lie."""
    stages: tuple[int, ...] = ()
    """Matryoshka prefixes, kept beside the vectors: a search scans the shortest one, and only what
    it finds is scored by the next. Codes are then of the shortest."""
    sparse: bool = True
    """Keep the words of each text too (BM25), for hybrid search."""
    m: int = 32
    """Edges a node of the graph that `Index.optimize` builds; 0: no graph, every code is scanned."""
    ef_construct: int = 128
    """Candidates for the edges of a node."""
    oversampling: float | None = None
    """How many times k candidates the codes, or a prefix, give to the next stage, unless a search
    asks otherwise. None: what suits the codes."""

    def __post_init__(self) -> None:
        _one_of("quantize", self.quantize, (None, *QUANTIZATIONS))
        _one_of("query", self.query, (None, *QUERY_ENCODINGS))
        _one_of("datatype", self.datatype, DATATYPES)
        _one_of("originals", self.originals, PLACES)
        _one_of("codes", self.codes, PLACES)
        if self.query is not None and not (self.quantize or "").startswith("binary"):
            raise InputError(f"storage: query={self.query!r} needs quantize='binary' or its like")
        object.__setattr__(self, "stages", tuple(self.stages))
        for stage in self.stages:
            _whole("stages", stage, least=1)
        if list(self.stages) != sorted(set(self.stages)):
            raise InputError(f"storage: stages {self.stages} must ascend")
        _whole("m", self.m, least=0)
        _whole("ef_construct", self.ef_construct, least=1)
        if not isinstance(self.sparse, bool):
            raise InputError(f"storage: sparse is {self.sparse!r}: give True or False")
        if self.oversampling is not None:
            check_oversampling(self.oversampling, where="storage")

    @property
    def coded_later(self) -> bool:
        """Whether codes are there only after `Index.optimize`."""
        # Until then Edge keeps binary codes of more bits as those of one: recall@10 on scifact, 512
        # dimensions, no rescoring, 8-bit query: binary-2 .611 before, .717 after.
        return (self.quantize or "").startswith(("int8", "product", "binary-"))

    @property
    def widening(self) -> float:
        """The oversampling of a search that asks for none."""
        if self.oversampling is not None:
            return float(self.oversampling)
        # What loses next to nothing (docs/quantization.md).
        kind = self.quantize or ""
        if kind in ("binary", "binary-1.5"):
            return 16.0 if self.query == "binary" else 8.0
        if kind in ("turbo-1", "turbo-1.5", "turbo-2", "binary-2"):
            return 4.0
        return 4.0 if self.stages else 2.0

    def differences(self, asked: Storage) -> str:
        """What `asked` has otherwise: `quantize None (binary was asked for)`; empty if nothing."""
        return ", ".join(
            f"{name} {kept!r} ({getattr(asked, name)!r} was asked for)"
            for name, kept in asdict(self).items()
            if kept != getattr(asked, name)
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them."""
        return {**asdict(self), "stages": list(self.stages)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Storage:
        """Read `to_json`'s values, or a part of them; InputError names an unknown key."""
        known = [field.name for field in fields(cls)]
        if unknown := [key for key in content if key not in known]:
            raise InputError(f"storage: {unknown[0]!r} is none of {', '.join(known)}")
        stages = content.get("stages", ())
        if not isinstance(stages, (list, tuple)):
            raise InputError(f"storage: stages is {stages!r}: give a list of dimensions")
        return cls(**{**content, "stages": tuple(stages)})


def check_oversampling(given: Any, *, where: str) -> None:
    """InputError for what is no factor of at least 1."""
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 1 <= given <= 1000:
        raise InputError(f"{where}: oversampling is {given!r}: give a number from 1 to 1,000")


def _one_of(name: str, given: Any, known: tuple[Any, ...]) -> None:
    if given not in known:
        told = ", ".join(str(one) for one in known)
        raise InputError(f"storage: {name} is {given!r}: it is one of {told}")


def _whole(name: str, given: Any, *, least: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        raise InputError(f"storage: {name} is {given!r}: give an int of at least {least}")
