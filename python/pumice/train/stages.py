"""Before a run: hard negatives mined for its pairs, then scored by a cross-encoder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from pumice.errors import InputError
from pumice.teachers.cross_encoders import CrossEncoder, load_cross_encoder
from pumice.train.dataset import TokenizedSource, distinct_negatives
from pumice.train.labels import Lists, score_lists
from pumice.train.lanes import Lanes
from pumice.train.mining import Miner
from pumice.train.options import TrainOptions
from pumice.train.pairs import read_pairs
from pumice.train.score_cache import ScoreCache
from pumice.train.sources import Source

_TOLD_EVERY = 20


@dataclass(frozen=True)
class Stages:
    """What is done to tokenised sources that come without scores; those that have some keep them."""

    sources: Sequence[Source]
    options: TrainOptions
    threads: int
    folder: Path | None
    """Of the run: scores are kept in it where the options name no other place."""

    def __call__(
        self, data: Sequence[TokenizedSource], table: NDArray[np.float32]
    ) -> list[TokenizedSource]:
        """The same sources with longer lists, and scores of them. ``table`` has the starting rows."""
        made = list(data)
        bare = [
            i for i, one in enumerate(data) if not np.isfinite(one.negatives.positive_scores).any()
        ]
        encoder = None
        if self.options.cross_encoder is not None:  # first: it may not be there
            encoder = load_cross_encoder(
                self.options.cross_encoder,
                device=self.options.device,
                offline=self.options.offline,
                threads=self.threads,
            )
        if self.options.mined:
            with Lanes(self.threads) as lanes:
                miner = Miner(
                    torch.from_numpy(table),
                    lanes,
                    count=self.options.mined,
                    below=self.options.mine_below,
                )
                for number in bare:
                    made[number] = self._mined(made[number], miner)
        if encoder is None:
            return made
        if not any(made[number].negatives.counts[made[number].train].any() for number in bare):
            raise InputError(
                "no pair has a hard negative for the cross-encoder to score: mine some, or give pairs "
                "that have them and no scores yet"
            )
        with self._cache_folder() as folder:
            cache = ScoreCache(Path(folder), encoder.identity)
            for number in bare:
                source = self.sources[number]
                made[number] = self._labelled(made[number], source, encoder, cache)
        return made

    def _mined(self, source: TokenizedSource, miner: Miner) -> TokenizedSource:
        mined = miner(source.anchors, source.positives, source.train)
        found = int((mined >= 0).sum())
        self._tell(f"{source.name}: {found:,} hard negatives mined for {len(source.train):,} pairs")
        negatives = source.negatives.with_mined(source.train, mined)
        return replace(source, negatives=negatives, counts={**source.counts, "mined": found})

    def _labelled(
        self, source: TokenizedSource, given: Source, encoder: CrossEncoder, cache: ScoreCache
    ) -> TokenizedSource:
        pairs = source.train[source.negatives.counts[source.train] > 0]
        lists = self._texts(source, given, pairs)
        steps = {len(lists) * i // _TOLD_EVERY for i in range(1, _TOLD_EVERY + 1)}
        told = 0

        def progress(done: int, total: int) -> None:
            nonlocal told
            if sum(step <= done for step in steps) > told:
                told = sum(step <= done for step in steps)
                self._tell(f"{source.name}: {done:,} of {total:,} lists scored")

        scores = score_lists(lists, encoder, cache, progress=progress)
        negatives = source.negatives.with_scores(
            pairs,
            np.array([one[0] for one in scores], np.float32),
            np.array([score for one in scores for score in one[1:]], np.float32),
        )
        counts = {**source.counts, "labelled": len(pairs)}
        return replace(source, negatives=negatives, counts=counts)

    def _texts(self, source: TokenizedSource, given: Source, pairs: NDArray[np.int64]) -> Lists:
        """Read again: a cross-encoder has a tokenizer of its own."""
        anchors, passages, others = [], [], []
        for pair, _, fresh in distinct_negatives(read_pairs(given, self.options.columns)):
            anchors.append(pair.anchor)
            passages.append(pair.positive)
            others.extend(fresh)
        if (len(anchors), len(others)) != (len(source.anchors), len(source.negatives.texts)):
            raise InputError(f"{given.path}: has changed since it was read: start again")
        passages += others
        edges, numbers = source.negatives.edges, source.negatives.passages
        return [
            [(anchors[p], passages[n]) for n in (p, *numbers[edges[p] : edges[p + 1]].tolist())]
            for p in pairs.tolist()
        ]

    def _cache_folder(self) -> nullcontext[str] | TemporaryDirectory[str]:
        if self.options.label_cache is not None:
            return nullcontext(str(self.options.label_cache))
        if self.folder is not None:
            return nullcontext(str(self.folder / "labels"))
        return TemporaryDirectory(prefix="pumice-")

    def _tell(self, line: str) -> None:
        if self.options.progress is not None:
            self.options.progress(0, 0, line)
