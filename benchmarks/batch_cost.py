"""What a large job costs: core-hours, storage, memory and nodes, from figures that ``batch.py`` measures.

Every assumption is an argument. Run ``python benchmarks/batch_cost.py --core-seconds 6.3``; it ends with a
simulation of clusters, in which parts queue for cores and for their node's network.
"""

from __future__ import annotations

import argparse
import heapq
import math
from dataclasses import dataclass

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


PART = 0.25  # GB of text of a part, which is what one core makes at once
MOVED = 0.62 + 0.51
"""GB that a GB of text moves over the network: Snappy's Parquet in, 256-d int8 codes out."""
START = 0.385  # seconds of a process, once


@dataclass(frozen=True)
class Cluster:
    """Nodes of so many cores with one network card each."""

    nodes: int
    cores: int
    network: float
    """GB/s."""

    def seconds(self, parts: int, core_seconds: float) -> float:
        """Parts go to the core that is free first; its node moves their bytes one after the other."""
        free = [(START, at % self.nodes) for at in range(self.nodes * self.cores)]
        heapq.heapify(free)
        moved = [0.0] * self.nodes
        end = 0.0
        for _ in range(parts):
            begin, node = heapq.heappop(free)
            moved[node] = max(moved[node], begin) + PART * MOVED / self.network
            # Moving goes on beside computing; a part is done when both are.
            done = max(begin + PART * core_seconds, moved[node])
            heapq.heappush(free, (done, node))
            end = max(end, done)
        return end


def simulate(core_seconds: float, network: float, gigabytes: float = 5_000) -> None:
    """A job of 5 TB on ever more cores."""
    parts = round(gigabytes / PART)
    print(f"\nSimulated: {gigabytes:,.0f} GB of text in {parts:,} parts, {network:.3g} GB/s a node")
    alone = parts * PART * core_seconds
    for nodes, cores in ((1, 8), (1, 16), (1, 64), (8, 16), (64, 16), (512, 16), (2048, 16)):
        seconds = Cluster(nodes, cores, network).seconds(parts, core_seconds)
        print(
            f"  {nodes:5,} nodes of {cores:2} cores  {seconds:10,.0f} s   "
            f"{alone / seconds / (nodes * cores):4.0%} of the cores busy"
        )


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
    parser.add_argument("--network", type=float, default=3.1, help="GB/s of a node that embeds")
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
    simulate(args.core_seconds, args.network)


if __name__ == "__main__":
    main()
