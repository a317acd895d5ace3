"""A Storage as Edge's configuration, and vectors as Edge keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Any

from pumice.search.edge.engine import engine
from pumice.search.points import Points
from pumice.search.spaces import SPARSE, Space, dense_spaces
from pumice.search.storage import Storage

# Kilobytes of vectors from which `optimize` makes codes and a graph. Edge's own default, 10,000, for
# vectors alone: below, a scan is faster than any graph. Codes are asked for, so they are always made.
_GRAPH_FROM_KILOBYTES = 10_000
_CODES_FROM_KILOBYTES = 1


def edge_config(storage: Storage, *, dim: int) -> Any:
    """The configuration of a new shard."""
    qe = engine()
    # Cold, not the default: the words of a million passages would take 150 MB of memory, their ids 30,
    # and are found as fast in mapped files.
    words = qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf, memory=qe.Memory.Cold)
    sparse = {SPARSE: words} if storage.sparse else None
    least = _CODES_FROM_KILOBYTES if storage.quantize else _GRAPH_FROM_KILOBYTES
    return qe.EdgeConfig(
        vectors={space.name: _vectors(space) for space in dense_spaces(storage, dim=dim)},
        sparse_vectors=sparse,
        id_tracker_memory=qe.Memory.Cold,
        optimizers=qe.EdgeOptimizersConfig(indexing_threshold=least),
    )


def edge_points(points: Points, spaces: Sequence[Space]) -> list[Any]:
    """The points with a vector in each of the spaces, and their words."""
    qe = engine()
    # Views, one point's at a time: the engine reads numbers where they lie, which lists of them double
    # the cost of and arrays more, and what is let go at once does not wake the garbage collector.
    vectors: dict[str, Iterator[Any]] = {
        space.name: space.stored_rows(points.dense) for space in spaces
    }
    if points.terms is not None:
        vectors[SPARSE] = starmap(qe.SparseVector, points.terms.views())
    point, names = qe.Point, tuple(vectors)
    if len(names) == 1:
        (name,) = names  # a tuple and a call less for each: a fiftieth of what storing them takes
        return [
            point(point_id, {name: row}, payload)
            for point_id, row, payload in zip(
                points.ids, vectors[name], points.payloads, strict=True
            )
        ]
    rows = zip(*vectors.values(), strict=True)
    return [
        point(point_id, dict(zip(names, row, strict=True)), payload)
        for point_id, row, payload in zip(points.ids, rows, points.payloads, strict=True)
    ]


def sparse_vector(terms: Any) -> Any:
    """Words as Edge takes them."""
    return engine().SparseVector(terms.numbers.tolist(), terms.weights.tolist())


def _vectors(space: Space) -> Any:
    qe = engine()
    # Cosine, not dot: the same for models whose vectors are not of norm 1, prefixes included.
    distances = {"cosine": qe.Distance.Cosine, "euclid": qe.Distance.Euclid}
    datatypes = {
        "float32": qe.VectorStorageDatatype.Float32,
        "float16": qe.VectorStorageDatatype.Float16,
        "uint8": qe.VectorStorageDatatype.Uint8,
    }
    return qe.EdgeVectorParams(
        size=space.size,
        distance=distances[space.distance],
        datatype=datatypes[space.datatype],
        # Cold, not the default: as fast to search, twice as fast to open, and opening does not
        # fill the holes of the files where reading a hole takes space (tmpfs).
        memory=qe.Memory.Cold if space.on_disk else qe.Memory.Cached,
        hnsw_config=qe.HnswIndexConfig(
            m=space.m,
            ef_construct=space.ef_construct,
            full_scan_threshold=_GRAPH_FROM_KILOBYTES,
        ),
        quantization_config=_codes(space),
    )


def _codes(space: Space) -> Any:
    qe = engine()
    kind, _, bits = (space.quantize or "").partition("-")
    memory = qe.Memory.Pinned if space.codes_in_memory else qe.Memory.Cold
    if kind == "int8":
        return qe.ScalarQuantizationConfig(qe.ScalarType.Int8, memory=memory)
    if kind == "binary":
        encodings = qe.BinaryQuantizationEncoding
        queries = qe.BinaryQuantizationQueryEncoding
        by_query = {
            "binary": queries.Binary,
            "int4": queries.Scalar4Bits,
            "int8": queries.Scalar8Bits,
        }
        by_bits = {"": "OneBit", "1.5": "OneAndHalfBits", "2": "TwoBits"}
        return qe.BinaryQuantizationConfig(
            encoding=getattr(encodings, by_bits[bits]),
            query_encoding=by_query[space.query],
            memory=memory,
        )
    if kind == "turbo":
        size = getattr(qe.TurboQuantBitSize, "Bits" + bits.replace(".", "_"))
        return qe.TurboQuantQuantizationConfig(bits=size, memory=memory)
    if kind == "product":
        return qe.ProductQuantizationConfig(getattr(qe.CompressionRatio, f"X{bits}"), memory=memory)
    return None
