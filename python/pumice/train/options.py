"""The settings of a training run beyond its pairs, its start and where it is kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pumice.arguments import check_string
from pumice.errors import InputError
from pumice.teachers.options import Precision

DTYPES = ("float32", "float16", "int8", "int4", "int2")
KERNELS = ("auto", "torch")
MAX_SCALE = 40.0
"""exp(scale) and exp(-scale) are then both normal float32 numbers: no maximum need be subtracted."""
COLUMNS = ("anchor", "positive", "negative", "negatives", "scores")
_ROLES = (*COLUMNS, "text", "title")
LABEL_LOSSES = ("kl", "margin-mse")
CODES = ("binary", "int8")
LABEL_WEIGHT = 0.5
MINED = 8
MINE_BELOW = 0.95
Progress = Callable[[int, int, str], None]
"""Called with (steps done, steps in all, a line for people) after every step; the line is often empty.

Steps in all is 0 while pairs are read."""


@dataclass(frozen=True)
class RunOptions:
    """What every kind of training is asked."""

    dims: tuple[int, ...] | None = None
    """Prefixes trained for, in any order; the largest is the model's. None: the starting model's own."""
    dim_weights: tuple[float, ...] | None = None
    """What each of ``dims`` counts in the loss; None: 1 each."""
    epochs: float = 1.0
    batch_size: int = 2048
    """Pairs, or texts, in a batch, all of one source; a source with fewer gives smaller batches."""
    learning_rate: float = 0.02
    """The highest, for rows whose root mean square is 1, as the starting model's are scaled to."""
    warmup: float = 0.1
    """The share of the steps over which the learning rate rises; then it falls to 0, both linearly."""
    scale: float = 20.0
    """Cosines are multiplied by this before the softmax: one over the temperature."""
    teacher_dtype: Precision = "auto"
    """"auto": bfloat16 where the device has it in hardware, else float32."""
    teacher_vectors: str | os.PathLike[str] | None = None
    """A folder to keep teacher vectors in, for other runs too; None: the run's own, gone when it is done."""
    teacher_tokens: int | None = None
    """Tokens of a text that a transformer reads as the teacher, special ones counted, at most ``max_tokens``;
    None: as many. Its time grows with them."""
    trust_remote_code: bool = False
    """Run Python code that comes with the teacher. Only for authors you trust."""
    offline: bool = False
    """Take the teacher, and a cross-encoder, from the disk alone."""
    hold_out: float = 0.01
    """The share of each source that is measured on and not trained on, at most 1,000 pairs or texts."""
    evaluations: int = 10
    """How often the figures are measured; the best measured state becomes the model."""
    patience: int | None = None
    """Stop after so many evaluations in a row without a better one; None: never."""
    max_tokens: int = 256
    """Tokens of a text that training reads; the model itself keeps its own limit."""
    repeats: float | None = None
    """A token that stands n times in a text counts n ** repeats in its mean, while training and ever after;
    None: as the start has it, or each time where ``lead`` is given."""
    lead: float | None = None
    """The token at place i of a text counts (1 + 2 / (1 + i / lead)) / 3, while training and ever after: what a
    text begins with says more. None: as the start has it, or alike where ``repeats`` is given."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Names of the columns that stand for "anchor", "positive", "negative", "text" and "title", where they
    differ."""
    dtype: str = "int8"
    """How the model's rows are stored."""
    name: str = ""
    license: str = ""
    seed: int = 0
    threads: int | None = None
    """Processors to use; None: all at hand. The same number gives the same model, bit for bit."""
    device: str = "cpu"
    kernels: str = "auto"
    """"auto": the ranking loss and the optimiser run in pumice's own instructions where the processor has AVX2
    or AVX-512, else in torch's. "torch": in torch's, two to three times slower; they round differently."""
    checkpoint_seconds: float = 60.0
    tokens_in_memory: int = 500_000_000
    """Past so many tokens, those of each further source are kept in files and mapped."""
    keep_folder: bool = False
    """Leave the finished state in the run's folder: the same call then gives the same model at once."""
    progress: Progress | None = None

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name, None)
            if value is None and (name in _MAY_BE_NONE or not hasattr(self, name)):
                continue
            if (
                isinstance(value, bool)
                or not isinstance(value, (int, float))
                or not low <= value <= high
            ):
                raise InputError(
                    f"{name} is {value!r}: give a number from {low:.10g} to {high:.10g}"
                )
            if name in _WHOLE and not isinstance(value, int):
                raise InputError(f"{name} is {value!r}: give a whole number")
        for name in ("name", "license", "device"):
            if not isinstance(getattr(self, name), str):
                raise InputError(f"{name} is {getattr(self, name)!r}: give a string")
            check_string(getattr(self, name), name=name)
        if self.dtype not in DTYPES:
            raise InputError(f"dtype {self.dtype!r} is not one of {', '.join(DTYPES)}")
        if self.kernels not in KERNELS:
            raise InputError(f"kernels {self.kernels!r} is not one of {', '.join(KERNELS)}")
        if self.progress is not None and not callable(self.progress):
            raise InputError(
                f"progress is {self.progress!r}: give a function of (step, steps, line)"
            )
        if self.dims is not None:
            check_dims(self.dims)
        self._check_weights()
        self._check_columns()
        self._check_teacher()

    def _check_teacher(self) -> None:
        if self.teacher_dtype not in get_args(Precision):
            known = ", ".join(get_args(Precision))
            raise InputError(f"teacher_dtype {self.teacher_dtype!r} is unknown: use one of {known}")
        for name in ("offline", "trust_remote_code"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} is {getattr(self, name)!r}: give True or False")
        kept = self.teacher_vectors
        if kept is not None and (not isinstance(kept, (str, os.PathLike)) or not os.fspath(kept)):
            raise InputError(f"teacher_vectors is {kept!r}: give a folder")
        if kept is not None and not Path(kept).absolute().parent.is_dir():
            raise InputError(f"{kept}: teacher vectors cannot lie there: make its parent first")
        if self.teacher_tokens is not None and self.teacher_tokens > self.max_tokens:
            raise InputError(
                f"teacher_tokens is {self.teacher_tokens}, but max_tokens cuts texts at "
                f"{self.max_tokens}: give no more than that"
            )

    def _check_weights(self) -> None:
        if self.dim_weights is None:
            return
        count = None if self.dims is None else len(self.dims)
        if count != len(self.dim_weights):
            raise InputError(
                f"dim_weights has {len(self.dim_weights)} numbers and dims {count or 'none'}: "
                "give one weight for each dimension"
            )
        if not all(isinstance(w, (int, float)) and 0 <= w < float("inf") for w in self.dim_weights):
            raise InputError(f"dim_weights is {self.dim_weights!r}: give numbers of at least 0")
        if not any(self.dim_weights):
            raise InputError("dim_weights are all 0: nothing would be trained")

    def _check_columns(self) -> None:
        if not isinstance(self.columns, Mapping):
            raise InputError(f"columns is {self.columns!r}: give a mapping such as anchor to query")
        for role, name in self.columns.items():
            if role not in _ROLES:
                raise InputError(
                    f"columns names {role!r}: only {', '.join(_ROLES)} can be named, each by what "
                    "its column is called, such as anchor=query"
                )
            if not isinstance(name, str) or not name:
                raise InputError(f"columns gives {name!r} for {role}: give a column's name")

    def settings(self) -> dict[str, Any]:
        """What decides the result, as JSON values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
            if name not in _WITHOUT_EFFECT and (name, value) not in _UNSAID
        }


@dataclass(frozen=True)
class TrainOptions(RunOptions):
    """How pairs become a model; the defaults suit retrieval."""

    symmetric: bool = True
    """Rank anchors for positives too, not only positives for anchors."""
    false_negative_margin: float | None = None
    """Candidates whose cosine with an anchor, in the starting model, exceeds its positive's minus this are
    no negatives of it. None: only candidates of the same text are left out."""
    sif_coefficient: float | None = None
    """Starting rows are multiplied by a / (a + p), p counted in the pairs; None leaves them."""
    mine: int | None = None
    """Hard negatives to mine for each pair among the positives of its source; None: 8 where a cross-encoder
    scores them, else none."""
    mine_below: float = MINE_BELOW
    """What is closer to the anchor than this share of its positive's cosine is not mined."""
    cross_encoder: str | None = None
    """A sentence-transformers CrossEncoder, a folder or a hub id, that scores positives and hard negatives."""
    label_loss: str | None = None
    """How scores are learnt: "kl", the softmax over them; "margin-mse", their differences. None: "kl"."""
    label_weight: float | None = None
    """The share of that loss where a batch has scores; the ranking loss has the rest, none at 1. None: 0.5."""
    label_cache: str | os.PathLike[str] | None = None
    """A folder that keeps the scores for the next run; None: with the run's state, gone with it."""
    teacher_share: float = 0.8
    """Where there is a teacher: how much of what a candidate should get is what the teacher's softmax over the
    batch gives it, by cosine times ``scale``; the pair's own positive gets the rest."""
    topic_size: int | None = None
    """A batch's pairs are of a topic: each source falls into topics of about so many, by its positives' vectors
    from the teacher, or else from the starting rows. None: batches are drawn from all of a source."""
    fixed_dims: int | None = None
    """The first so many columns of the start stay as they are: what is trained are those behind them. None: all
    columns are."""
    codes: tuple[str, ...] = ()
    """"binary", "int8" or both: the ranking loss is also that of such codes of every prefix, which are then
    measured beside the vectors and judged by too."""
    code_share: float = 0.8
    """The share that codes have in the ranking loss; the vectors themselves have the rest."""
    rotation_epochs: float = 0.0
    """Epochs over the pairs, after training, that rotate the finished rows for the prefixes: whole vectors'
    dot products stay as they are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.symmetric, bool):
            raise InputError(f"symmetric is {self.symmetric!r}: give True or False")
        self._check_labels()
        self._check_codes()
        self._check_fixed()

    def _check_fixed(self) -> None:
        if self.fixed_dims is None:
            return
        if self.rotation_epochs:
            raise InputError(
                "rotation_epochs would turn the columns that fixed_dims keeps: give one"
            )
        for name in ("sif_coefficient", "repeats", "lead"):
            if getattr(self, name) is not None:
                raise InputError(
                    f"{name} would change what tokens count in the columns that fixed_dims keeps: give one"
                )

    def _check_codes(self) -> None:
        if not isinstance(self.codes, (tuple, list)):
            raise InputError(f"codes is {self.codes!r}: give a tuple, such as ('binary',)")
        for one in self.codes:
            if one not in CODES:
                raise InputError(
                    f"codes holds {one!r}: only {' and '.join(CODES)} can be trained for"
                )
            if self.codes.count(one) > 1:
                raise InputError(f"codes holds {one!r} twice: name each code once")

    def _check_labels(self) -> None:
        if self.label_loss not in (None, *LABEL_LOSSES):
            raise InputError(
                f"label_loss {self.label_loss!r} is not one of {', '.join(LABEL_LOSSES)}"
            )
        given = self.cross_encoder
        if given is not None and not (isinstance(given, str) and given):
            raise InputError(f"cross_encoder is {given!r}: give a folder or a hub id")
        if given is not None and self.label_weight == 0:
            raise InputError("label_weight is 0: a cross-encoder's scores would not be learnt")
        if not isinstance(self.label_cache, (str, os.PathLike, type(None))):
            raise InputError(f"label_cache is {self.label_cache!r}: give a folder")

    @property
    def label_kind(self) -> str:
        """``label_loss``, or what None stands for."""
        return self.label_loss or LABEL_LOSSES[0]

    @property
    def label_share(self) -> float:
        """``label_weight``, or what None stands for."""
        return LABEL_WEIGHT if self.label_weight is None else self.label_weight

    @property
    def mined(self) -> int:
        """Hard negatives to mine for each pair."""
        if self.mine is None:
            return 0 if self.cross_encoder is None else MINED
        return self.mine


_WITHOUT_EFFECT = (
    "progress",
    "checkpoint_seconds",
    "tokens_in_memory",
    "columns",
    "teacher_vectors",
    "keep_folder",
    "label_cache",
    "offline",
)
_UNSAID = (("kernels", "torch"), ("fixed_dims", None))
"""Settings that came after the shipped file, as it was made: then a file says nothing of them."""
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("epochs", 1e-6, 10_000),
    ("batch_size", 2, 65_536),
    ("learning_rate", 1e-9, 100),
    ("warmup", 0, 1),
    ("scale", 0.1, MAX_SCALE),
    ("repeats", 0, 1),
    ("lead", 1e-3, 1e6),
    ("false_negative_margin", -2, 2),
    ("sif_coefficient", 1e-9, 1),
    ("mine", 0, 1000),
    ("mine_below", 0, 1),
    ("label_weight", 0, 1),
    ("teacher_share", 0, 1),
    ("topic_size", 2, 1_000_000),
    ("fixed_dims", 1, 65_535),
    ("code_share", 0, 1),
    ("rotation_epochs", 0, 10_000),
    ("hold_out", 0, 0.5),
    ("evaluations", 1, 10_000),
    ("patience", 1, 10_000),
    ("max_tokens", 1, 1_000_000),
    ("teacher_tokens", 1, 1_000_000),
    ("seed", 0, 2**32 - 1),
    ("threads", 1, 1024),
    ("checkpoint_seconds", 0, 1e9),
    ("tokens_in_memory", 0, 1e15),
)
_MAY_BE_NONE = (
    "repeats",
    "lead",
    "false_negative_margin",
    "sif_coefficient",
    "mine",
    "label_weight",
    "topic_size",
    "fixed_dims",
    "patience",
    "teacher_tokens",
    "threads",
)
_WHOLE = (
    "batch_size",
    "topic_size",
    "fixed_dims",
    "mine",
    "evaluations",
    "patience",
    "max_tokens",
    "teacher_tokens",
    "seed",
    "threads",
    "tokens_in_memory",
)


def check_dims(dims: object) -> None:
    """InputError unless these are different positive whole numbers, so that each nests in the next."""
    if not isinstance(dims, (tuple, list)) or not dims:
        raise InputError(f"dims is {dims!r}: give at least one dimension, such as (512, 256, 128)")
    for dim in dims:
        if isinstance(dim, bool) or not isinstance(dim, int) or not 1 <= dim <= 65_535:
            raise InputError(f"dims holds {dim!r}: give whole numbers from 1 to 65535")
    repeated = sorted(dim for dim in set(dims) if dims.count(dim) > 1)
    if repeated:
        raise InputError(f"dims holds {repeated[0]} twice: prefixes nest only where they differ")
