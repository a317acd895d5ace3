"""Training speed beside the sentence-transformers trainer: same pairs, batches, rows; equal losses first."""

from __future__ import annotations

import argparse
import json
import lzma
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from report import processor

import pumice
from pumice.train import Source, TrainOptions
from pumice.train.contrastive import Contrastive
from pumice.train.dataset import TokenizedSource, tokenize_sources
from pumice.train.initial import random_model, starting_table
from pumice.train.lanes import Lanes, native_kernels
from pumice.train.loop import Loop
from pumice.train.options import KERNELS
from pumice.train.tokens import TokenMemory

DIMS = (64, 128, 256, 512)
LEARNING_RATE = 0.02
_CLOSE = 2e-3  # of a loss, after as many steps as are timed: Adam magnifies float32's rounding


@dataclass(frozen=True)
class Speed:
    """Pairs a second of the clock, and of one processor's time, which other programs' load hardly touches."""

    pairs: float
    pairs_per_processor: float


class Watch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._began, self._busy = time.perf_counter(), time.process_time()

    def speed(self, pairs: int) -> Speed:
        seconds, busy = time.perf_counter() - self._began, time.process_time() - self._busy
        return Speed(pairs / seconds, pairs / busy)


def read(path: Path, count: int) -> list[dict[str, str]]:
    """The first pairs of a file, none twice: both sides then see the same."""
    pairs = []
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            pairs.append(json.loads(line))
            if len(pairs) == count:
                return pairs
    sys.exit(f"{path}: holds {len(pairs)} pairs, {count} are asked for")


def ours(
    data: list[TokenizedSource],
    table: np.ndarray[Any, Any],
    *,
    batch: int,
    threads: int,
    kernels: str,
) -> tuple[list[float], Speed]:
    """Loss of each step, and pairs per second: as `pumice.train` runs them, in the order of the pairs."""
    options = TrainOptions(
        dims=DIMS, batch_size=batch, symmetric=False, learning_rate=LEARNING_RATE, warmup=0.0
    )
    count = len(data[0].train)
    with Lanes(threads, kernels=native_kernels(kernels)) as lanes:
        objective = Contrastive(torch.from_numpy(table), data, DIMS, options=options, lanes=lanes)
        loop = Loop(table.copy(), objective, DIMS, options=options, lanes=lanes)
        steps = count // batch
        for step in range(steps):  # the plan shuffles; the peer is given the same order
            loop.prepare(step)
        watch = Watch()
        torch.set_num_threads(1)  # as pumice.train does: the lanes are the threads
        losses = []
        with ThreadPoolExecutor(1) as ahead:  # as in Loop.run
            coming = ahead.submit(loop.prepare, 0)
            for step in range(steps):
                prepared = coming.result()
                if step + 1 < steps:
                    coming = ahead.submit(loop.prepare, step + 1)
                losses.append(sum(loop.update(prepared, step)))
        torch.set_num_threads(threads)
        return losses, watch.speed(count)


def order(data: list[TokenizedSource], batch: int) -> list[int]:
    """The pairs in the order in which our batches take them."""
    from pumice.train.batches import BatchPlan

    plan = BatchPlan(data, batch_size=batch, epochs=1, seed=0)
    return [int(i) for step in range(plan.steps) for i in plan.batch(step).pairs]


def theirs(
    pairs: Sequence[dict[str, str]], tokenizer: Any, table: np.ndarray[Any, Any], *, batch: int
) -> tuple[list[float], Speed]:
    """The same of SentenceTransformerTrainer, with the optimiser and schedule that ours has."""
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import (
        MatryoshkaLoss,
        MultipleNegativesRankingLoss,
    )
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    class Unshuffled(SentenceTransformerTrainer):
        def get_batch_sampler(self, dataset: Any, batch_size: int, **kwargs: Any) -> Any:
            sequential = torch.utils.data.SequentialSampler(dataset)
            return torch.utils.data.BatchSampler(sequential, batch_size, drop_last=True)

    embedding = StaticEmbedding(tokenizer, embedding_weights=table.copy())
    model = SentenceTransformer(modules=[embedding], device="cpu")
    loss = MatryoshkaLoss(
        model, MultipleNegativesRankingLoss(model), matryoshka_dims=list(reversed(DIMS))
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=batch,
            num_train_epochs=1,
            learning_rate=LEARNING_RATE,
            max_grad_norm=0,
            adam_epsilon=1e-8,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
        )
        trainer = Unshuffled(
            model=model, args=arguments, train_dataset=Dataset.from_list(list(pairs)), loss=loss
        )
        trainer.remove_callback(_printing(trainer))
        watch = Watch()
        trainer.train()
        speed = watch.speed(len(pairs))
    losses = [float(log["loss"]) for log in trainer.state.log_history if "loss" in log]
    return losses, speed


def _printing(trainer: Any) -> type[Any]:
    from transformers.trainer_callback import PrinterCallback

    return PrinterCallback


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path, help="a .jsonl.xz of anchor and positive")
    parser.add_argument("tokenizer", type=Path, help="a tokenizer.json")
    parser.add_argument("--steps", type=int, default=8, help="steps of each side, each time")
    parser.add_argument("--batch", type=int, nargs="+", default=[512, 2048])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kernels", choices=KERNELS, default="auto", help="as of pumice train")
    args = parser.parse_args()
    if find_spec("accelerate") is None:
        parser.error("the sentence-transformers trainer needs accelerate: pip install accelerate")
    torch.set_num_threads(args.threads)
    from tokenizers import Tokenizer

    start = random_model(json.loads(args.tokenizer.read_text("utf-8")), dim=DIMS[-1])
    table = starting_table(start.parts(), dim=DIMS[-1], seed=0)
    tokenizer = Tokenizer.from_str(json.dumps(start.parts().tokenizer))
    print(f"{processor()}, {args.threads} threads, Python {platform.python_version()}")
    print(
        f"torch {torch.__version__}, sentence-transformers {version('sentence-transformers')}; "
        f"{table.shape[0]} tokens, prefixes {DIMS}, {args.pairs.name}, one direction, no negatives"
    )
    for batch in args.batch:
        compare(args, batch, start=start, table=table, tokenizer=tokenizer)
    return 0


def compare(
    args: argparse.Namespace,
    batch: int,
    *,
    start: pumice.StaticModel,
    table: np.ndarray[Any, Any],
    tokenizer: Any,
) -> None:
    pairs = read(args.pairs, batch * args.steps)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pairs.jsonl"
        file.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
        options = TrainOptions(hold_out=0, max_tokens=1_000_000)
        began = time.perf_counter()
        data = tokenize_sources(
            [Source(str(file))], start, options, TokenMemory(1 << 40, Path(folder))
        )
        tokenized = len(pairs) / (time.perf_counter() - began)
    if len(data[0].train) != len(pairs):
        sys.exit("the first pairs hold duplicates: give another file")
    same = [pairs[i] for i in order(data, batch)]
    speeds: dict[str, list[Speed]] = {"pumice": [], "sentence-transformers": []}
    for _ in range(args.rounds):
        losses, speed = ours(data, table, batch=batch, threads=args.threads, kernels=args.kernels)
        speeds["pumice"].append(speed)
        peers, speed = theirs(same, tokenizer, table, batch=batch)
        speeds["sentence-transformers"].append(speed)
        apart = max(abs(a - b) / b for a, b in zip(losses, peers, strict=True))
        if apart > _CLOSE:
            sys.exit(f"losses differ by {apart:.2%}: {losses} and {peers}")
    print(f"\nbatch {batch}: losses equal to {apart:.1e}, {losses[0]:.3f} to {losses[-1]:.3f}")
    print(f"  read and tokenised once: {tokenized:,.0f} pairs/s")
    middle = {name: statistics.median(v.pairs for v in values) for name, values in speeds.items()}
    busy = {
        name: statistics.median(v.pairs_per_processor for v in values)
        for name, values in speeds.items()
    }
    for name, values in speeds.items():
        spread = f"({min(v.pairs for v in values):,.0f} to {max(v.pairs for v in values):,.0f})"
        print(
            f"  {name:24} {middle[name]:10,.0f} pairs/s  {spread}; "
            f"{busy[name]:,.0f} a second of one processor"
        )
    clock, processor_time = (v["pumice"] / v["sentence-transformers"] for v in (middle, busy))
    once = 1 / (1 / middle["pumice"] + 1 / tokenized)
    print(
        f"  pumice is {clock:.1f} times as fast, {processor_time:.1f} times in processor time; "
        f"1,000,000 pairs in {1e6 / once / 60:.1f} min"
    )


if __name__ == "__main__":
    sys.exit(main())
