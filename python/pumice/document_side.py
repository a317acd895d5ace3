"""The transformer that encodes documents for a model of queries; loaded with the first text."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pumice import arguments
from pumice.errors import HubError, InputError, ModelFileError
from pumice.modelfile.parts import DocumentEncoder

if TYPE_CHECKING:
    from pumice.teachers.sentences import SentenceEncoder

Precision = Literal["auto", "float32", "bfloat16"]
_BATCH = 1024
_ELSEWHERE = "say where it lies: pumice.load(model, document_encoder=FOLDER)"


@dataclass(frozen=True)
class DocumentPlace:
    """Where a document encoder is looked for."""

    folder: str | None = None
    """None: under its own name, a folder or a hub id."""
    offline: bool = False
    """Never ask the hub for it."""


ANYWHERE = DocumentPlace()


@dataclass
class DocumentSide:
    """A document encoder by name, and its weights once a text was given; threads may share it."""

    encoder: DocumentEncoder
    """What the model file says of it."""
    dimensions: int
    """Of the model: a shrunk one has the first of the encoder's."""
    place: DocumentPlace
    _loaded: dict[str, SentenceEncoder] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def encode(self, texts: Sequence[str], *, precision: Precision) -> NDArray[np.float32]:
        """The first ``dimensions`` of unit vectors; zeros for a text that is empty or white space.

        Raises HubError, ModelFileError and MissingExtraError where the encoder cannot be had, is not the one
        that the model was aligned to, or gives no numbers.
        """
        if precision not in get_args(Precision):
            known = ", ".join(get_args(Precision))
            raise InputError(f"precision={precision!r} is not one of {known}")
        arguments.check_strings(texts)
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        rest = (number for number, text in enumerate(texts) if text.strip())
        for numbers in _batches(rest):
            encoder = self._encoder(precision)
            made = encoder.encode([texts[number] for number in numbers])
            vectors[numbers] = made[:, : self.dimensions]
        return vectors

    def _encoder(self, precision: Precision) -> SentenceEncoder:
        with self._lock:
            if precision not in self._loaded:
                self._loaded[precision] = self._load(precision)
            return self._loaded[precision]

    def whole_folder(self) -> Path | None:
        """Where the encoder lies, if it is a sentence transformer; raises as ``encode`` does."""
        folder = self._checked_folder()
        return folder if (folder / "modules.json").is_file() else None

    def _load(self, precision: Precision) -> SentenceEncoder:
        from pumice.teachers.options import TeacherOptions
        from pumice.teachers.sentences import SentenceEncoder
        from pumice.teachers.teacher import load_teacher

        folder = self._checked_folder()
        teacher = load_teacher(
            folder, TeacherOptions(precision=precision, prompt=self.encoder.prompt, offline=True)
        )
        if teacher.width < self.dimensions:
            raise ModelFileError(
                f"{folder}: its vectors have {teacher.width} dimensions and the model's "
                f"{self.dimensions}: {_ELSEWHERE}"
            )
        return SentenceEncoder(teacher, max_tokens=teacher.cut_at)

    def _checked_folder(self) -> Path:
        from pumice.teachers.files import teacher_folder, weights_fingerprint

        name = self.encoder.name
        try:
            folder = teacher_folder(self.place.folder or name, offline=self.place.offline)
        except HubError as error:
            raise HubError(
                f"documents are encoded by {name}, which cannot be had ({error}): {_ELSEWHERE}"
            ) from None
        found = weights_fingerprint(folder)
        if found != self.encoder.fingerprint:
            raise ModelFileError(
                f"{folder}: its weights ({found[:8]}…) are not those of the document encoder {name} "
                f"({self.encoder.fingerprint[:8]}…) that the model was aligned to: {_ELSEWHERE}"
            )
        return folder


def _batches(numbers: Iterator[int]) -> Iterator[list[int]]:
    while batch := list(islice(numbers, _BATCH)):
        yield batch
