"""Whole texts through a teacher: sorted by length, padded little, a bounded number of tokens at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import ModelFileError
from pumice.teachers.teacher import Teacher

_TOKENS = 4096  # in one forward pass, padding counted


class SentenceEncoder:
    """A teacher's vectors of texts as sentence-transformers gives them, each divided by its length."""

    def __init__(self, teacher: Teacher, *, max_tokens: int) -> None:
        """``max_tokens`` of a text are read, special ones counted, and no more than the teacher can."""
        import tokenizers

        self.teacher = teacher
        self._limit = max(min(max_tokens, teacher.cut_at), len(teacher.prefix) + 2)
        plain = {**teacher.tokenizer, "truncation": None, "padding": None}
        self._tokenizer = tokenizers.Tokenizer.from_str(json.dumps(plain))
        self._tokenizer.enable_truncation(self._limit)
        padding = teacher.padding and self._tokenizer.token_to_id(teacher.padding)
        self._padding = padding or 0
        self.identity = self._identity()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (texts, width). ModelFileError where one is not finite or zero."""
        import torch

        prompted = [self.teacher.prompt + text for text in texts]
        ids = [one.ids for one in self._tokenizer.encode_batch_fast(prompted)]
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        vectors = np.empty((len(ids), self.teacher.width), np.float32)
        with torch.inference_mode():
            for batch in _batches(order, [len(one) for one in ids]):
                width = max(1, len(ids[batch[-1]]))
                padded = np.full((len(batch), width), self._padding, np.int64)
                mask = np.zeros((len(batch), width), np.int64)
                for row, index in enumerate(batch):
                    padded[row, : len(ids[index])] = ids[index]
                    mask[row, : len(ids[index])] = 1
                device = self.teacher.device
                made = self.teacher.forward(
                    torch.from_numpy(padded).to(device), torch.from_numpy(mask).to(device)
                )
                vectors[batch] = made.float().cpu().numpy()
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        broken = int((~np.isfinite(lengths) | (lengths == 0)).sum())
        if broken:
            raise ModelFileError(
                f"teacher {self.teacher.name}: {broken} of {len(texts)} vectors are zero or hold NaN or "
                f"infinity: its weights are damaged, or {self.teacher.precision} is too low for it"
            )
        vectors /= lengths
        return vectors

    def _identity(self) -> str:
        """A hex digest of all that decides a text's vector: weights, tokenizer, prompt, limit, precision."""
        import torch

        teacher = self.teacher
        digest = blake2b(digest_size=16)
        settings = (teacher.prompt, self._limit, teacher.precision, teacher.tokenizer)
        digest.update(json.dumps(settings).encode())
        for module in teacher.modules:
            digest.update(repr(module).encode())
            state: dict[str, Any] = module.state_dict()
            for name, tensor in state.items():
                digest.update(name.encode())
                if isinstance(tensor, torch.Tensor):
                    flat = tensor.detach().cpu().contiguous().flatten()
                    digest.update(flat.view(torch.uint8).numpy().data)
        return digest.hexdigest()


def _batches(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """Texts in ascending order of length, cut where a batch would hold more than _TOKENS."""
    batches: list[list[int]] = [[]]
    for index in order:
        if batches[-1] and (len(batches[-1]) + 1) * lengths[index] > _TOKENS:
            batches.append([])
        batches[-1].append(index)
    return batches if order else []
