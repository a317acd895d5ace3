"""A million pairs through the command line, on the clock: reading, checkpoints and the file included."""

from __future__ import annotations

import argparse
import lzma
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from report import processor

PAIRS = 1_000_000


def counted(files: list[Path]) -> int:
    """Lines of all files, before the clock runs."""
    total = 0
    for file in files:
        with lzma.open(file, "rb") as lines:
            total += sum(1 for _ in lines)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path, nargs="+", help="NAME.jsonl.xz, one source each")
    parser.add_argument("--pairs-seen", type=int, default=PAIRS, help=f"(default: {PAIRS:,})")
    args = parser.parse_args()
    total = counted(args.pairs)
    epochs = args.pairs_seen / total
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pumice.cli", "train", "--pairs", *map(str, args.pairs)]
        command += ["--hold-out", "0", "--evaluations", "1", "--epochs", str(epochs)]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, "-o", f"{folder}/million.pumice"], stderr=subprocess.PIPE, text=True
        )
        seconds = time.perf_counter() - began
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return 1
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{processor()}; {total:,} pairs in {len(args.pairs)} files, {epochs:.3f} epochs")
    print(
        f"{args.pairs_seen:,} pairs in {seconds:.0f} s of the clock, "
        f"{used.ru_utime + used.ru_stime:.0f} s of processor time, "
        f"{used.ru_maxrss / 1e6:.2f} GB at most"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
