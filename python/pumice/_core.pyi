from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray
from typing_extensions import Buffer

class Model:
    def __init__(self, file: Buffer) -> None: ...
    def describe(self) -> dict[str, Any]: ...
    def section(self, kind: int) -> tuple[int, int] | None: ...
    def encode(
        self, texts: Sequence[str], dim: int, kind: int, threads: int, out: NDArray[Any]
    ) -> None: ...
    def encode_arrow(
        self,
        column: object,
        dim: int,
        kind: int,
        threads: int,
        allocate: Callable[[int], NDArray[Any]],
    ) -> NDArray[Any]: ...
    def encode_one(self, text: str, dim: int, kind: int, out: NDArray[Any]) -> None: ...
    def tokenize(self, texts: Sequence[str], threads: int) -> list[list[int]]: ...
    def token_spans(self, text: str) -> NDArray[Any]: ...
    def pool(
        self, ids: NDArray[Any], offsets: NDArray[Any], dim: int, kind: int, out: NDArray[Any]
    ) -> None: ...

class RunTable:
    def __init__(self) -> None: ...
    def read(
        self,
        texts: Sequence[str],
        look_up: Callable[[list[str]], tuple[NDArray[Any], NDArray[Any]]],
        k1: float,
        b: float,
        average: float,
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]: ...

def occurrences(
    ids: NDArray[Any], offsets: NDArray[Any], which: NDArray[Any], tokens: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]: ...

class PostingLists:
    def __init__(
        self, edges: NDArray[Any], numbers: NDArray[Any], weights: NDArray[Any], passages: int
    ) -> None: ...
    def best(
        self,
        ids: NDArray[Any],
        offsets: NDArray[Any],
        which: NDArray[Any],
        asked: tuple[int, int],
        depth: int,
    ) -> NDArray[Any]: ...

class BestOf:
    def __init__(self, queries: int, depth: int) -> None: ...
    def offer(self, queries: NDArray[Any], numbers: NDArray[Any], scores: NDArray[Any]) -> None: ...
    def finish(self) -> NDArray[Any]: ...

def choose_negatives(
    found: tuple[NDArray[Any], NDArray[Any]],
    vectors: tuple[NDArray[Any], NDArray[Any]],
    refused: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    count: int,
    below: float,
) -> NDArray[Any]: ...
def double_array(keys: list[bytes], values: list[int], near_parents: bool) -> bytes: ...
def bpe_token_parts(
    model: bytes, vocabulary: bytes, texts: list[bytes], ids: list[int]
) -> bytes: ...
def bpe_token_borders(model: bytes, parts: bytes) -> bytes: ...
def normalize(program: bytes, text: bytes) -> bytes: ...

class Ranking:
    def __init__(
        self,
        kernels: str,
        dims: Sequence[int],
        weights: Sequence[float],
        scale: float,
        symmetric: bool,
        lanes: int,
    ) -> None: ...
    def begin(
        self,
        anchors: NDArray[Any],
        candidates: NDArray[Any],
        excluded_anchors: NDArray[Any],
        excluded_candidates: NDArray[Any],
        targets: NDArray[Any] | None,
        gradients: NDArray[Any],
    ) -> None: ...
    @property
    def panels(self) -> int: ...
    def pack(self, lane: int, first: int, last: int) -> None: ...
    def forward(self, lane: int, first: int, last: int) -> None: ...
    def meet(self) -> None: ...
    def backward(self, lane: int, first: int, last: int) -> None: ...
    def finish(self, lane: int, first: int, last: int) -> None: ...
    def losses(self) -> list[float]: ...

def training_kernels() -> list[str]: ...
def dot_products(
    kernels: str, left: NDArray[Any], right: NDArray[Any], out: NDArray[Any]
) -> None: ...
def token_bags(
    ids: NDArray[Any], lengths: NDArray[Any], repeats: Sequence[int], places: Sequence[int]
) -> tuple[NDArray[Any], ...]: ...
def adam_rows(
    kernels: str,
    state: Sequence[NDArray[Any]],
    rows: NDArray[Any],
    offsets: NDArray[Any],
    texts: NDArray[Any],
    weights: NDArray[Any] | None,
    gradients: NDArray[Any],
    numbers: Sequence[float],
) -> None: ...
