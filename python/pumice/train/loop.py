"""The training loop: batches prepared ahead, one update each, measured, checkpointed, stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.train.batches import BatchPlan
from pumice.train.checkpoint import RunFolder, State
from pumice.train.dataset import TokenizedSource
from pumice.train.drawn import Drawn
from pumice.train.false_negatives import SimilarityFilter, same_text
from pumice.train.figures import EvaluationSet, Figure, mean_ndcg, measure
from pumice.train.label_loss import CandidateLists, LabelLoss
from pumice.train.lanes import Lanes
from pumice.train.options import TrainOptions
from pumice.train.pooling import Bags, pool, row_gradients
from pumice.train.ranking_loss import Excluded, Ranked, RankingLoss
from pumice.train.sparse_adam import SparseAdam


@dataclass(frozen=True)
class Outcome:
    """What a run ends with."""

    rows: NDArray[np.float32]
    history: dict[str, Any]
    first_figures: list[Figure]
    stopped: str
    diverged: bool
    pairs_per_second: float


@dataclass(frozen=True)
class PreparedBatch:
    """A batch as tensors: anchors, then what all of them rank, then what only single ones are compared with.

    All rank the positives and one hard negative of each pair, drawn anew each step.
    """

    source: str
    count: int
    """Of anchors."""
    candidates: int
    """That all anchors rank."""
    bags: Bags
    excluded: Excluded | None
    lists: CandidateLists | None
    """Where pairs have scores to be learnt."""


class Loop:
    """The state of a run and its steps."""

    def __init__(
        self,
        table: NDArray[np.float32],
        sources: Sequence[TokenizedSource],
        dims: Sequence[int],
        *,
        options: TrainOptions,
        lanes: Lanes,
    ) -> None:
        self._sources, self._dims, self._options, self._lanes = sources, dims, options, lanes
        self._table = torch.from_numpy(table).to(options.device)
        self._adam = SparseAdam(self._table)
        self._plan = BatchPlan(
            sources, batch_size=options.batch_size, epochs=options.epochs, seed=options.seed
        )
        given = options.dims or tuple(dims)
        weight_of = dict(zip(given, options.dim_weights or (1.0,) * len(given), strict=True))
        self._weights = [float(weight_of[dim]) for dim in dims]
        self._loss = RankingLoss(
            lanes, dims, self._weights, scale=options.scale, symmetric=options.symmetric
        )
        self._label_loss = LabelLoss(
            options.label_kind, lanes, dims, self._weights, scale=options.scale
        )
        self._filter = None
        if options.false_negative_margin is not None:
            self._filter = SimilarityFilter(self._table.clone(), options.false_negative_margin)
        self._best = self._table.clone()
        self._history: dict[str, Any] = {
            "dims": list(dims),
            "losses": [],
            "evaluations": [],
            "best_step": self._plan.steps,
        }

    def run(
        self,
        sets: Sequence[EvaluationSet],
        *,
        judges: Sequence[EvaluationSet],
        folder: RunFolder | None,
    ) -> Outcome:
        """Take all steps, from the folder's state where there is one."""
        step = self._restored(folder)
        evaluate_at = _evaluation_steps(self._plan.steps, self._options.evaluations)
        names = {one.name for one in judges}
        stopped, diverged, seen, seconds = "", False, 0, 0.0
        saved = time.monotonic()
        if step == 0 and sets:
            self._evaluate(0, sets, names)
        with ThreadPoolExecutor(1, thread_name_prefix="pumice-batches") as ahead:
            coming = ahead.submit(self.prepare, step) if step < self._plan.steps else None
            while coming is not None:
                began = time.monotonic()
                batch = coming.result()
                more = step + 1 < self._plan.steps
                coming = ahead.submit(self.prepare, step + 1) if more else None
                losses = self.update(batch, step)
                if not math.isfinite(sum(losses)):
                    stopped = (
                        f"the loss became {sum(losses)} at step {step + 1} (source {batch.source}): "
                        "the best state before it was kept; try a lower learning rate"
                    )
                    diverged = True
                    break
                step += 1
                seen += batch.count
                seconds += time.monotonic() - began
                self._history["losses"].append([step, *losses])
                self._show(step)
                if step in evaluate_at:
                    self._tell(step, losses, seen / max(seconds, 1e-9))
                    if sets and not self._evaluate(step, sets, names):
                        stopped = f"no better figure in {self._options.patience} evaluations"
                        break
                if folder is not None:
                    wait = self._options.checkpoint_seconds
                    if step < self._plan.steps and time.monotonic() - saved >= wait:
                        folder.save(self._state(step))
                        saved = time.monotonic()
        rows = self._best if sets else self._table
        first = self._history["evaluations"][0]["figures"] if sets else []
        return Outcome(
            rows=rows.cpu().numpy(),
            history=self._history,
            first_figures=[Figure(**figure) for figure in first],
            stopped=stopped,
            diverged=diverged,
            pairs_per_second=seen / seconds if seconds else 0.0,
        )

    def prepare(self, step: int) -> PreparedBatch:
        """A step's batch; numpy's work, done by a thread of its own while the step before runs."""
        indices = self._plan.batch(step)
        source, chosen = self._sources[indices.source], indices.pairs
        drawn = Drawn.of(source, chosen, self._options, step=step)
        ids = [*source.anchors.take(chosen), *source.positives.take(chosen)]
        ids += source.take_passages(source.negatives.passages[drawn.places])
        lengths = np.fromiter(map(len, ids), np.int64, count=len(ids))
        device = self._options.device
        ranked = drawn.places[: drawn.ranked]
        hashes = source.passage_hashes(source.negatives.passages[ranked])
        left, right = same_text(
            source.anchors.hashes[chosen],
            np.concatenate((source.positives.hashes[chosen], hashes)),
        )
        # What the cross-encoder finds no worse than the positive is no negative of its anchor.
        owners = drawn.owners[: drawn.ranked]
        better = source.negatives.scores[ranked] >= source.negatives.positive_scores[chosen[owners]]
        left = np.concatenate((left, owners[better]))
        right = np.concatenate((right, len(chosen) + np.flatnonzero(better)))
        excluded = None
        if len(left):
            excluded = Excluded(
                torch.from_numpy(left).to(device), torch.from_numpy(right).to(device)
            )
        return PreparedBatch(
            source.name,
            count=len(chosen),
            candidates=len(chosen) + drawn.ranked,
            bags=Bags.of(np.concatenate(ids), lengths, device=device),
            excluded=excluded,
            lists=drawn.lists(source, chosen, device=device),
        )

    def update(self, batch: PreparedBatch, step: int) -> list[float]:
        """One step: the losses at each prefix before it. Rows stay as they are where one is not finite."""
        vectors = pool(self._table, batch.bags, lanes=self._lanes)
        share = 0.0 if batch.lists is None else self._options.label_share
        losses = torch.zeros(len(self._dims))
        gradients = vectors
        if batch.lists is not None and share:
            labelled = self._label_loss(vectors, batch.lists)
            losses += share * labelled.losses.cpu()
            gradients = labelled.gradients.mul_(share)
        if share < 1:
            ranked = self._ranked(batch, vectors)
            losses += (1 - share) * ranked.losses.cpu()
            both = (ranked.anchor_gradients, ranked.candidate_gradients)
            if share:
                end = batch.count + batch.candidates
                gradients[: batch.count].add_(both[0], alpha=1 - share)
                gradients[batch.count : end].add_(both[1], alpha=1 - share)
            else:
                torch.cat(both, out=gradients)
        listed: list[float] = losses.tolist()
        if math.isfinite(sum(listed)):
            moved = row_gradients(batch.bags, gradients)
            self._adam.step(moved, learning_rate=self._learning_rate(step), lanes=self._lanes)
        return listed

    def _ranked(self, batch: PreparedBatch, vectors: Tensor) -> Ranked:
        count, candidates = batch.count, batch.candidates
        excluded = batch.excluded
        if self._filter is not None:
            more = self._filter(batch.bags, count, candidates=candidates, lanes=self._lanes)
            excluded = more if excluded is None else excluded.and_also(more)
        return self._loss(vectors[:count], vectors[count : count + candidates], excluded=excluded)

    def _learning_rate(self, step: int) -> float:
        """Up linearly over the warm-up, then down linearly to 0 after the last step."""
        warm = self._options.warmup * self._plan.steps
        if step + 1 <= warm:
            share = (step + 1) / warm
        else:
            share = (self._plan.steps - step) / max(1.0, self._plan.steps - warm)
        return self._options.learning_rate * min(1.0, share)

    def _evaluate(self, step: int, sets: Sequence[EvaluationSet], names: set[str]) -> bool:
        """Measure, keep the state if it is the best; False where the run has waited long enough."""
        figures = measure(self._table, sets, self._dims, lanes=self._lanes)
        judged = mean_ndcg([figure for figure in figures if figure.name in names])
        evaluations: list[dict[str, Any]] = self._history["evaluations"]
        best = max((e["ndcg"] for e in evaluations), default=-1.0)
        evaluations.append(
            {"step": step, "ndcg": judged, "figures": [asdict(figure) for figure in figures]}
        )
        if judged > best:
            self._best.copy_(self._table)
            self._history["best_step"] = step
        self._show(step, f"step {step}: nDCG@10 {judged:.4f}")
        if self._options.patience is None:
            return True
        since: int = sum(e["step"] > self._history["best_step"] for e in evaluations)
        return since < self._options.patience

    def _tell(self, step: int, losses: Sequence[float], speed: float) -> None:
        listed = ", ".join(
            f"{loss:.3f} at {dim}" for dim, loss in zip(self._dims, losses, strict=True)
        )
        self._show(step, f"step {step} of {self._plan.steps}: loss {listed}; {speed:,.0f} pairs/s")

    def _show(self, step: int, line: str = "") -> None:
        if self._options.progress is not None:
            self._options.progress(step, self._plan.steps, line)

    def _state(self, step: int) -> State:
        arrays: dict[str, Tensor] = {
            "table": self._table,
            "first": self._adam.first,
            "second": self._adam.second,
            "best": self._best,
        }
        return State(
            step, self._history, {name: array.cpu().numpy() for name, array in arrays.items()}
        )

    def _restored(self, folder: RunFolder | None) -> int:
        state = None if folder is None else folder.load()
        if state is None:
            return 0
        for name, tensor in (
            ("table", self._table),
            ("first", self._adam.first),
            ("second", self._adam.second),
            ("best", self._best),
        ):
            tensor.copy_(torch.from_numpy(state.arrays[name]))
        self._history = state.history
        self._adam.steps = state.step
        self._show(state.step, f"going on after step {state.step} of {self._plan.steps}")
        return state.step


def _evaluation_steps(steps: int, evaluations: int) -> set[int]:
    return {max(1, round(steps * i / evaluations)) for i in range(1, evaluations + 1)}
