"""The settings of a distillation beyond teacher, dimension, vocabulary and corpus."""

from __future__ import annotations

import re
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

from pumice.errors import InputError
from pumice.teachers.options import Pooling, Progress, TeacherOptions

Weighting = Literal["auto", "sif", "zipf", "model2vec", "none"]


@dataclass(frozen=True)
class DistillOptions:
    """How a teacher's token vectors become a model; the defaults suit retrieval."""

    weighting: Weighting = "auto"
    """Where token probabilities come from, and what they do.

    "sif": counted in the corpus. "zipf": guessed from the rank in the vocabulary. Both weight
    each token by a / (a + p), and the principal components too. "model2vec": Zipf's guess as
    weight only, no whitening: the same as model2vec's own distillation. "none": all tokens alike.
    "auto": "sif" when there is a corpus, else "zipf".
    """
    sif_coefficient: float | None = None
    """The a in a / (a + p); None: 1e-3 for counted probabilities, 1e-4 for guessed ones."""
    whitening: float | None = None
    """Each principal component is divided by its standard deviation to this power, 0 to 1.

    None: 1 for "sif" and "zipf" (Zipfian whitening, Yokoi et al. 2024), 0 for the others.
    """
    pooling: Pooling = "teacher"
    """"teacher": as the teacher does it, all its layers but a final normalisation included.

    The others read the transformer's last hidden states and skip the teacher's further layers:
    "token" averages the token's own positions, "mean" all positions with [CLS] and the like,
    "first" and "last" take one.
    """
    prompt: str | None = None
    """Text put before each token; None: the teacher's default prompt, if it has one."""
    remove_pattern: str | None = r"\[unused\d+\]"
    """Tokens that match this regular expression from their start are left out."""
    remove_unseen: bool = False
    """Leave out tokens that never occur in the corpus; single characters always stay."""
    teacher_vocabulary: bool = True
    """False: only the words and phrases given as ``vocabulary`` become tokens."""
    name: str = ""
    device: str | None = None
    """A torch device; None: a GPU where torch sees one, else the CPU."""
    offline: bool = False
    trust_remote_code: bool = False
    """Run Python code that comes with the teacher. Only for authors you trust."""
    progress: Progress | None = None

    def __post_init__(self) -> None:
        for field, kind in _KINDS.items():
            _check_kind(field, getattr(self, field), kind=kind)
        for field, allowed in (("weighting", Weighting), ("pooling", Pooling)):
            if getattr(self, field) not in get_args(allowed):
                known = ", ".join(get_args(allowed))
                raise InputError(f"{field} {getattr(self, field)!r} is unknown: use one of {known}")
        if self.sif_coefficient is not None and not 0 < self.sif_coefficient < 1:
            raise InputError(
                f"sif_coefficient is {self.sif_coefficient}: it must lie between 0 and 1, "
                "1e-3 is a good value"
            )
        if self.whitening is not None and not 0 <= self.whitening <= 1:
            raise InputError(f"whitening is {self.whitening}: it must lie between 0 and 1")
        if self.progress is not None and not callable(self.progress):
            kind = type(self.progress).__name__
            raise InputError(f"progress is of type {kind}: give a function of (done, total)")
        if self.remove_pattern is not None:
            try:
                re.compile(self.remove_pattern)
            except re.error as error:
                raise InputError(
                    f"remove_pattern {self.remove_pattern!r} is not a regular expression: {error}"
                ) from error

    def for_teacher(self) -> TeacherOptions:
        """What of these says how the teacher is loaded."""
        return TeacherOptions(
            pooling=self.pooling,
            prompt=self.prompt,
            device=self.device,
            offline=self.offline,
            trust_remote_code=self.trust_remote_code,
        )


_KINDS: dict[str, Any] = {
    "sif_coefficient": Real | None,
    "whitening": Real | None,
    "prompt": str | None,
    "remove_pattern": str | None,
    "remove_unseen": bool,
    "teacher_vocabulary": bool,
    "name": str,
    "device": str | None,
    "offline": bool,
    "trust_remote_code": bool,
}


def _check_kind(field: str, value: Any, *, kind: Any) -> None:
    # bool counts as a number to Python, but True is no coefficient.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        wanted = {bool: "True or False", str: "a string"}.get(kind)
        if wanted is None:
            wanted = "a string or None" if kind == str | None else "a number or None"
        raise InputError(f"{field} is of type {type(value).__name__}: give {wanted}")
    if isinstance(value, str):
        check_unicode(value, what=field)


def check_unicode(text: str, *, what: str) -> None:
    """Raise InputError for a lone surrogate: no tokenizer, file or terminal takes one."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{what} holds a lone surrogate at character {error.start}, which UTF-8 cannot carry: "
            "remove it"
        ) from None
