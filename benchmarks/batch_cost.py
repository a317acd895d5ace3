"""What a large job costs: core-hours, storage, memory and nodes, from figures that ``batch.py`` measures.

Every assumption is an argument. Run ``python benchmarks/batch_cost.py --core-seconds 18``.
"""

from __future__ import annotations

import argparse
import math

JOBS = {
    "one Common Crawl snapshot": (3.0e9, 22e12),
    "Wikipedia, every language": (62e6, 130e9),
    "10 billion short documents": (10e9, 5e12),
}
"""Documents and bytes of plain text: round figures to put one's own in place of."""
PASSAGE = 500
DIM = 256
CODES = {"float32": 32, "float16": 16, "int8": 8, "4-bit": 4, "2-bit": 2, "binary": 1}
"""Bits a dimension."""
GRAPH = 2 * 16 * 4 * 1.1
"""Bytes a point of an HNSW graph of m = 16: 32 links of 4 bytes on the lowest level, a tenth above it."""


def human(count: float, unit: str = "B") -> str:
    """12.3 GB."""
    power = min(5, int(math.log(max(count, 1), 1000)))
    return f"{count / 1000**power:.3g} {['', 'k', 'M', 'G', 'T', 'P'][power]}{unit}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--core-seconds", type=float, required=True, help="of a GB of text, all stages"
    )
    parser.add_argument("--memory", type=float, default=64, help="GB of a Qdrant node")
    parser.add_argument("--points", type=float, default=20_000, help="upserts a second of a node")
    args = parser.parse_args()
    usable = args.memory * 1e9 * 0.75
    for name, (documents, size) in JOBS.items():
        points = max(documents, size / PASSAGE)
        hours = size / 1e9 * args.core_seconds / 3600
        print(
            f"\n{name}: {human(documents, '')} documents, {human(size)} of text, {human(points, '')} passages"
        )
        print(
            f"  embedding: {hours:,.1f} core-hours; on 64 cores {hours / 64:.2f} hours, reading ",
            end="",
        )
        print(f"{human(64e9 / args.core_seconds)}/s of text")
        for code, bits in CODES.items():
            vectors = points * DIM * bits / 8
            nodes = math.ceil((vectors + points * GRAPH) / usable)
            print(
                f"  {code:8} vectors {human(vectors):>8}   with graph in memory: {nodes:6,} nodes",
                end="",
            )
            print(f"   filled in {points / nodes / args.points / 3600:.1f} hours")


if __name__ == "__main__":
    main()
