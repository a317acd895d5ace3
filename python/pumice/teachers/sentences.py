"""Whole texts through a teacher: sorted by length, padded little, a bounded number of tokens at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from itertools import accumulate
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

    def encode(
        self,
        texts: Sequence[str],
        *,
        threads: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (texts, width). ModelFileError where one is not finite or zero.

        With ``threads``, each runs torch on one processor over batches of its own: torch's own threads, which
        meet after every operation, took three times the processor time where other programs ran. The vectors
        are the same. None leaves it to torch, as a GPU does. ``progress`` is told after each batch how many
        texts are done, in the caller's thread.
        """
        prompted = [self.teacher.prompt + text for text in texts]
        ids = [one.ids for one in self._tokenizer.encode_batch_fast(prompted)]
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        vectors = np.empty((len(ids), self.teacher.width), np.float32)
        batches = _batches(order, [len(one) for one in ids])

        def embed(batch: list[int]) -> int:
            vectors[batch] = self._forward([ids[index] for index in batch])
            return len(batch)

        def tell(counts: Iterable[int]) -> None:
            for done in accumulate(counts):
                if progress is not None:
                    progress(done)

        if threads is None or self.teacher.device != "cpu":
            tell(map(embed, batches))
        else:
            with ThreadPoolExecutor(threads, initializer=_one_processor) as pool:
                tell(pool.map(embed, batches))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        broken = int((~np.isfinite(lengths) | (lengths == 0)).sum())
        if broken:
            raise ModelFileError(
                f"teacher {self.teacher.name}: {broken} of {len(texts)} vectors are zero or hold NaN or "
                f"infinity: its weights are damaged, or {self.teacher.precision} is too low for it"
            )
        vectors /= lengths
        return vectors

    def _forward(self, batch: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Of one batch, in ascending order of length, padded to the last."""
        import torch

        width = max(1, len(batch[-1]))
        padded = np.full((len(batch), width), self._padding, np.int64)
        mask = np.zeros((len(batch), width), np.int64)
        for row, ids in enumerate(batch):
            padded[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        sides = (torch.from_numpy(side).to(self.teacher.device) for side in (padded, mask))
        with torch.inference_mode():
            made: NDArray[np.float32] = self.teacher.forward(*sides).float().cpu().numpy()
        return made

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


def _one_processor() -> None:
    import torch

    torch.set_num_threads(1)
