"""Shows how far long work is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from pumice.errors import MissingExtraError

TeacherProgress = Callable[[int, int], None]


def teacher_progress() -> TeacherProgress:
    """Draw a bar on a terminal; elsewhere print a plain line for every tenth of the way."""
    if not sys.stderr.isatty():
        return _plain_lines()
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise MissingExtraError("tqdm", "distill") from error
    bar: Any = None

    def advance(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            bar = tqdm(total=total, desc="vocabulary", unit=" tokens", file=sys.stderr)
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    return advance


def _plain_lines() -> TeacherProgress:
    tenths = -1

    def advance(done: int, total: int) -> None:
        nonlocal tenths
        if done * 10 // total > tenths:
            tenths = done * 10 // total
            print(
                f"teacher: {done:,} of {total:,} tokens of the vocabulary",
                file=sys.stderr,
                flush=True,
            )

    return advance


class StepBar:
    """A bar over the steps of a training, and its lines above it; off a terminal the lines alone."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._bar_class: Any = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError as error:
                raise MissingExtraError("tqdm", "train") from error
            self._bar_class = tqdm

    def show(self, step: int, steps: int, line: str) -> None:
        """Move to a step; steps is 0 before there are any."""
        if self._bar_class is None:
            if line:
                print(line, file=sys.stderr, flush=True)
            return
        if line:
            self._bar_class.write(line, file=sys.stderr)
        if steps and self._bar is None:
            self._bar = self._bar_class(total=steps, desc="steps", unit=" steps", file=sys.stderr)
        if self._bar is not None:
            self._bar.update(step - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
