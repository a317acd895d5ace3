"""The training loop: batches prepared ahead, one update each, measured, checkpointed, stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pumice.train.checkpoint import RunFolder, State
from pumice.train.figures import Figure
from pumice.train.lanes import Lanes
from pumice.train.objective import B, Judge, Objective
from pumice.train.options import RunOptions
from pumice.train.pooling import pool, row_gradients
from pumice.train.sparse_adam import SparseAdam

_FEW_STEPS = 10
"""Of a run that is told to take more."""


@dataclass(frozen=True)
class Outcome:
    """What a run ends with."""

    rows: NDArray[np.float32]
    history: dict[str, Any]
    first_figures: list[Figure]
    stopped: str
    diverged: bool
    pairs_per_second: float


class Loop(Generic[B]):
    """The state of a run and its steps."""

    def __init__(
        self,
        table: NDArray[np.float32],
        objective: Objective[B],
        dims: Sequence[int],
        *,
        options: RunOptions,
        lanes: Lanes,
    ) -> None:
        self._objective, self._dims, self._options, self._lanes = objective, dims, options, lanes
        self._table = torch.from_numpy(table).to(options.device)
        self._adam = SparseAdam(self._table)
        self._plan = objective.plan
        self._best = self._table.clone()
        self._history: dict[str, Any] = {
            "dims": list(dims),
            "losses": [],
            "evaluations": [],
            "best_step": self._plan.steps,
        }

    def run(self, judge: Judge | None, *, folder: RunFolder | None) -> Outcome:
        """Take all steps, from the folder's state where there is one."""
        step = self._restored(folder)
        evaluate_at = _evaluation_steps(self._plan.steps, self._options.evaluations)
        stopped, diverged, seen, seconds = "", False, 0, 0.0
        saved = time.monotonic()
        if step == 0 and self._plan.steps < _FEW_STEPS:
            many = "1 step" if self._plan.steps == 1 else f"{self._plan.steps} steps"
            self._show(
                0, f"{many} in all: a smaller batch_size or more epochs learn more of so little"
            )
        if step == 0 and judge is not None:
            self._evaluate(0, judge)
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
                    if judge is not None and not self._evaluate(step, judge):
                        stopped = f"no better figure in {self._options.patience} evaluations"
                        break
                if folder is not None:
                    wait = self._options.checkpoint_seconds
                    if step < self._plan.steps and time.monotonic() - saved >= wait:
                        folder.save(self._state(step))
                        saved = time.monotonic()
        if folder is not None and self._options.keep_folder:
            folder.save(self._state(step))
        rows = self._best if judge is not None else self._table
        first = self._history["evaluations"][0]["figures"] if judge is not None else []
        return Outcome(
            rows=rows.cpu().numpy(),
            history=self._history,
            first_figures=[Figure(**figure) for figure in first],
            stopped=stopped,
            diverged=diverged,
            pairs_per_second=seen / seconds if seconds else 0.0,
        )

    def prepare(self, step: int) -> B:
        """A step's batch."""
        return self._objective.prepare(step)

    def update(self, batch: B, step: int) -> list[float]:
        """One step: the losses at each prefix before it. Rows stay as they are where one is not finite."""
        vectors = pool(self._table, batch.bags, lanes=self._lanes)
        slope = self._objective.slope(batch, vectors)
        losses: list[float] = slope.losses.tolist()
        if math.isfinite(sum(losses)):
            gradients = row_gradients(batch.bags, slope.gradients)
            self._adam.step(gradients, learning_rate=self._learning_rate(step), lanes=self._lanes)
        return losses

    def _learning_rate(self, step: int) -> float:
        """Up linearly over the warm-up, then down linearly to 0 after the last step."""
        warm = self._options.warmup * self._plan.steps
        if step + 1 <= warm:
            share = (step + 1) / warm
        else:
            share = (self._plan.steps - step) / max(1.0, self._plan.steps - warm)
        return self._options.learning_rate * min(1.0, share)

    def _evaluate(self, step: int, judge: Judge) -> bool:
        """Measure, keep the state if it is the best; False where the run has waited long enough."""
        measured = judge.measure(self._table)
        judged = measured.judged
        evaluations: list[dict[str, Any]] = self._history["evaluations"]
        best = max((e["judged"] for e in evaluations), default=-1.0)
        evaluations.append(
            {
                "step": step,
                "judged": judged,
                "figures": [asdict(figure) for figure in measured.figures],
                "agreement": measured.agreement,
            }
        )
        if judged > best:
            self._best.copy_(self._table)
            self._history["best_step"] = step
        self._show(step, f"step {step}: {judge.measure_name} {judged:.4f}")
        if self._options.patience is None:
            return True
        since: int = sum(e["step"] > self._history["best_step"] for e in evaluations)
        return since < self._options.patience

    def _tell(self, step: int, losses: Sequence[float], speed: float) -> None:
        listed = ", ".join(
            f"{loss:.3f} at {dim}" for dim, loss in zip(self._dims, losses, strict=True)
        )
        what = self._plan.of_what
        self._show(step, f"step {step} of {self._plan.steps}: loss {listed}; {speed:,.0f} {what}/s")

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
