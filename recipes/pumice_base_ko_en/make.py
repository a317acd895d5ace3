"""Makes pumice-base-ko-en: the shipped English model, Korean tokens beside its own, trained on Korean pairs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rows import rarities, spelled_out, start_rows
from texts import BOTH, KOREAN, made_sources

import pumice
from pumice.distill.tokenizer_json import rebuild
from pumice.modelfile import Metadata, ModelParts
from pumice.modelfile.vocabulary import tokens_by_id
from pumice.train import Pair, Source, TrainOptions
from pumice.vocabulary import VocabularyOptions, learn_vocabulary

sys.path.insert(0, str(Path(__file__).parents[1]))
from sources import evaluation_runs, read_sources

HERE = Path(__file__).parent
ENGLISH_COUNTS = HERE.parent / "pumice_base_en" / "token_counts.tsv"
KORQUAD = "korquad_v1_dev"
LEARNED, TOKENS = 40_000, 56_000
REPEATS, LEAD = 0.5, 30.0
"""How tokens count, from the first step on (docs/training.md)."""
DIMS = (2048, 1024, 512, 256, 128)
DTYPE = "int2"


def start(pairs: Sequence[Pair]) -> pumice.StaticModel:
    """Rows of 2,048 dimensions, the English model's tokens before the Korean ones."""
    english = pumice.load()
    parts = english.parts()
    texts = [text for one in pairs for text in (one.anchor, one.positive)]
    learned = learn_vocabulary(texts, options=VocabularyOptions(LEARNED, strip_accents=False))
    own = tokens_by_id(parts.tokenizer)
    korean = korean_tokens(learned.counts, beside=own, most=TOKENS - len(own))
    tokens = [*own, *korean]
    tokenizer = rebuild(parts.tokenizer, keep=tokens)
    # Accents taken away would take syllables apart too.
    tokenizer["normalizer"] = {**tokenizer["normalizer"], "strip_accents": False}
    counted = learned.counts | english_counts(own)
    rows = start_rows(tokens, rarities(counted, tokens), english=english)
    metadata = Metadata(source=english.name)
    return pumice.StaticModel.from_parts(
        ModelParts(tokenizer, rows, unknown=parts.unknown, metadata=metadata)
    )


def korean_tokens(counts: dict[str, int], *, beside: Sequence[str], most: int) -> list[str]:
    """Tokens that are not ASCII: every single character, then the most frequent."""
    known = set(beside)
    found = [x for x in counts if x not in known and not spelled_out(x).isascii()]
    ranked = sorted(found, key=lambda token: (len(spelled_out(token)) > 1, -counts[token]))
    return ranked[:most]


def english_counts(tokens: Sequence[str]) -> dict[str, int]:
    lines = (line.split("\t") for line in ENGLISH_COUNTS.read_text(encoding="utf-8").splitlines())
    counts = {token: int(count) for token, count in lines}
    return {token: counts.get(token, 0) for token in tokens}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with train/ and eval/")
    parser.add_argument("-o", "--output", type=Path, default=Path("pumice-base-ko-en.pumice"))
    parser.add_argument("--epochs", type=float, default=1)
    args = parser.parse_args()
    seen = evaluation_runs(args.data / "eval", titles=(KORQUAD,))
    sources = read_sources(args.data / "train", only=(*KOREAN, BOTH), seen=seen)
    pairs = [one for listed in sources.values() for one in listed]
    begun = start(pairs)
    print(f"{len(pairs):,} pairs; {begun}", flush=True)
    leads = [one for name in KOREAN[:2] for one in sources[name]]
    given = [Source(name, pairs=listed) for name, listed in sources.items()]
    options = TrainOptions(
        dims=DIMS,
        batch_size=1024,
        epochs=args.epochs,
        repeats=REPEATS,
        lead=LEAD,
        hold_out=0.005,
        evaluations=3,
        dtype=DTYPE,
        name="pumice-base-ko-en",
        license="Apache-2.0",
        progress=lambda done, steps, line: print(line, flush=True) if line else None,
    )
    training = pumice.train([*given, *made_sources(leads, begun)], start=begun, options=options)
    training.save(args.output)
    size = args.output.stat().st_size / 1e6
    print(f"{args.output}: {training.model}, {size:.1f} MB, {training.model.fingerprint}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
