"""How one search is carried out: candidates, rescoring, the graph's breadth, the fusion of two lists."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pumice.errors import InputError
from pumice.search.storage import check_oversampling

Mode = Literal["dense", "sparse", "hybrid"]
MODES: tuple[str, ...] = get_args(Mode)
FUSIONS = ("linear", "dbsf", "rrf")
_WEIGHTS = {"linear": (1.0, 0.25), "rrf": (1.0, 1.0), "dbsf": (1.0, 1.0)}
"""Those of DBSF are the engine's, which takes no others."""
_CANDIDATES = {"linear": 50, "rrf": 100, "dbsf": 100}


@dataclass(frozen=True)
class Fusion:
    """How a hybrid search makes one list of two (docs/search.md has the figures).

    `linear`: the cosine, and a quarter of how far the words' score is from the last of its list to the best
    (`linear_fusion.py`); `dbsf`: scores, spread by each list's mean and three deviations; `rrf`: reciprocal
    ranks, 1 / (k + rank / weight), Cormack et al. 2009.
    """

    kind: str = "linear"
    k: int = 10
    """RRF's."""
    weights: tuple[float, float] | None = None
    """Of the vectors' list and of the words' list; None: 1 and 0.25, to RRF 1 and 1. DBSF has none."""
    candidates: int | None = None
    """At least so many of each list; None: 50, of DBSF and RRF 100."""

    def __post_init__(self) -> None:
        if self.kind not in FUSIONS:
            raise InputError(f"fusion: kind is {self.kind!r}: it is one of {', '.join(FUSIONS)}")
        _at_least("fusion: k", self.k, 1)
        _at_least("fusion: candidates", self.listed, 1)
        shares: tuple[float, ...] = ()
        with suppress(TypeError, ValueError):  # told below
            shares = tuple(float(weight) for weight in self.shares)
        if len(shares) != 2 or not all(0 < weight <= 1000 for weight in shares):
            raise InputError(f"fusion: weights is {self.weights!r}: give two positive numbers")
        if self.weights is None:
            return
        if self.kind == "dbsf":
            raise InputError("fusion: weights are given, and dbsf has none: use linear or rrf")
        object.__setattr__(self, "weights", shares)

    @property
    def listed(self) -> int:
        """The candidates, or those that this kind has of itself."""
        return _CANDIDATES[self.kind] if self.candidates is None else self.candidates

    @property
    def shares(self) -> tuple[float, float]:
        """The weights, or those that this kind has of itself."""
        return _WEIGHTS[self.kind] if self.weights is None else self.weights


@dataclass(frozen=True)
class SearchParams:
    """What one search asks of the engine; None leaves it to the index's own settings."""

    oversampling: float | None = None
    """The codes, or a prefix, give this many times k candidates to the next stage."""
    rescore: bool | None = None
    """Score the candidates that the codes gave by the vectors themselves (None: yes)."""
    exact: bool = False
    """Compare with every vector, without codes, prefixes and graph."""
    breadth: int | None = None
    """Candidates that a search in the graph keeps (`ef`); None: 512, with fewer than 32 edges 1,024."""
    prefix: int | None = None
    """The stage that the search begins with; None: the shortest; the index's `dim`: none of them."""
    fusion: Fusion = field(default_factory=Fusion)

    def __post_init__(self) -> None:
        if self.oversampling is not None:
            check_oversampling(self.oversampling, where="params")
        for name in ("rescore", "exact"):
            if not (
                getattr(self, name) in (True, False) or (name == "rescore" and self.rescore is None)
            ):
                raise InputError(f"params: {name} is {getattr(self, name)!r}: give True or False")
        for name in ("breadth", "prefix"):
            if getattr(self, name) is not None:
                _at_least(f"params: {name}", getattr(self, name), 1)


def _at_least(what: str, given: Any, least: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        raise InputError(f"{what} is {given!r}: give an int of at least {least}")
