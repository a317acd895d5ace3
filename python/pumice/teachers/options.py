"""How a teacher is loaded and its states become one vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Pooling = Literal["teacher", "token", "mean", "first", "last"]
Precision = Literal["auto", "float32", "bfloat16"]
Progress = Callable[[int, int], None]
"""Called with (tokens done, tokens in all) while the teacher runs."""


@dataclass(frozen=True)
class TeacherOptions:
    """What a teacher is asked for, checked by whoever takes it from a user."""

    pooling: Pooling = "teacher"
    """"teacher": as the teacher does it, all its layers but a final normalisation included."""
    prompt: str | None = None
    """Text put before each text; None: the teacher's default prompt, if it has one."""
    precision: Precision = "float32"
    """Of the transformer; "auto": bfloat16 where the device has it in hardware."""
    device: str | None = None
    """A torch device; None: a GPU where torch sees one, else the CPU."""
    offline: bool = False
    trust_remote_code: bool = False
