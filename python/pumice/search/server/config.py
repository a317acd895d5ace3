"""A Storage as the configuration of a collection, and points as the server takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pumice.search.points import Points
from pumice.search.server.library import client_models
from pumice.search.spaces import SPARSE, Space


def vectors_config(spaces: Sequence[Space]) -> dict[str, Any]:
    """The dense vectors of a new collection."""
    return {space.name: _vectors(space) for space in spaces}


def sparse_config() -> dict[str, Any]:
    """The words of a new collection; the server weighs them by how rare they are."""
    models = client_models()
    return {SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)}


def server_points(points: Points, spaces: Sequence[Space]) -> list[Any]:
    """The points with a vector in each of the spaces, and their words."""
    models = client_models()
    vectors: dict[str, Iterator[Any]] = {
        space.name: map(list, space.stored_rows(points.dense)) for space in spaces
    }
    if points.terms is not None:
        vectors[SPARSE] = (
            models.SparseVector(indices=list(numbers), values=list(weights))
            for numbers, weights in points.terms.views()
        )
    names, rows = tuple(vectors), zip(*vectors.values(), strict=True)
    return [
        models.PointStruct(
            id=point_id(one), vector=dict(zip(names, row, strict=True)), payload=payload
        )
        for one, row, payload in zip(points.ids, rows, points.payloads, strict=True)
    ]


def point_id(given: Any) -> int | str:
    """An int, or a UUID as the text that every protocol takes."""
    return given if isinstance(given, int) else str(given)


def _vectors(space: Space) -> Any:
    models = client_models()
    distances = {"cosine": models.Distance.COSINE, "euclid": models.Distance.EUCLID}
    return models.VectorParams(
        size=space.size,
        distance=distances[space.distance],
        datatype=models.Datatype(space.datatype),
        on_disk=space.on_disk,
        hnsw_config=models.HnswConfigDiff(m=space.m, ef_construct=space.ef_construct),
        quantization_config=_codes(space),
    )


def _codes(space: Space) -> Any:
    models = client_models()
    kind, _, bits = (space.quantize or "").partition("-")
    memory: dict[str, Any] = {"always_ram": space.codes_in_memory}
    if kind == "int8":
        scalar = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, **memory)
        return models.ScalarQuantization(scalar=scalar)
    if kind == "binary":
        by_bits = {"": "one_bit", "1.5": "one_and_half_bits", "2": "two_bits"}
        by_query = {"binary": "binary", "int4": "scalar4bits", "int8": "scalar8bits"}
        binary = models.BinaryQuantizationConfig(
            encoding=models.BinaryQuantizationEncoding(by_bits[bits]),
            query_encoding=models.BinaryQuantizationQueryEncoding(by_query[space.query]),
            **memory,
        )
        return models.BinaryQuantization(binary=binary)
    if kind == "turbo":
        size = models.TurboQuantBitSize("bits" + bits.replace(".", "_"))
        turbo = models.TurboQuantQuantizationConfig(bits=size, **memory)
        return models.TurboQuantization(turbo=turbo)
    if kind == "product":
        ratio = models.CompressionRatio(f"x{bits}")
        product = models.ProductQuantizationConfig(compression=ratio, **memory)
        return models.ProductQuantization(product=product)
    return None
