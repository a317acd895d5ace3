"""Scores by a real, tiny cross-encoder: they are its own, and their cache loses nothing."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from pumice.errors import HubError, InputError, ModelFileError
from pumice.teachers.cross_encoders import load_cross_encoder
from pumice.train import Pair
from pumice.train.labels import (
    CrossEncoder,
    label_pairs,
    score_lists,
)
from pumice.train.score_cache import ScoreCache
from tests.train.cross_encoders import listed, make_cross_encoder


def test_scores_are_the_models_logits(encoder_folder: Path, encoder: CrossEncoder) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder_folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(encoder_folder).eval()
    pairs = [*listed(5), Pair("bata", "the bata")]
    labelled = label_pairs(pairs, cross_encoder=encoder)
    for before, pair in zip(pairs[:5], labelled, strict=False):
        assert replace(pair, scores=()) == before
        for text, score in zip((pair.positive, *pair.negatives), pair.scores, strict=True):
            with torch.inference_mode():
                wanted = model(**tokenizer(pair.anchor, text, return_tensors="pt")).logits
            assert score == pytest.approx(float(wanted), abs=1e-5)
    assert labelled[5] == pairs[5]  # nothing to compare
    assert len({score for pair in labelled for score in pair.scores}) > 10


class Counting:
    """The real model, and how many texts it was asked for."""

    def __init__(self, model: object) -> None:
        self.model, self.asked = model, 0

    def predict(self, texts: Sequence[object], **settings: object) -> object:
        self.asked += len(texts)
        return self.model.predict(texts, **settings)  # type: ignore[attr-defined]


def test_scores_are_kept_by_model_and_texts(
    encoder: CrossEncoder, encoder_folder: Path, tmp_path: Path
) -> None:
    counting = replace(encoder, model=Counting(encoder.model))
    pairs = listed(100)
    first = label_pairs(pairs, cross_encoder=counting, cache=tmp_path)
    asked = counting.model.asked
    assert asked == 400
    assert label_pairs(pairs, cross_encoder=counting, cache=tmp_path) == first
    assert counting.model.asked == asked
    more = [replace(pair, negatives=(*pair.negatives, "the bata")) for pair in pairs]
    again = label_pairs(more, cross_encoder=counting, cache=tmp_path)
    assert counting.model.asked == asked + 100
    assert [pair.scores[:4] for pair in again] == [pair.scores for pair in first]
    other = make_cross_encoder(tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "hidden_act": "relu"}))
    assert load_cross_encoder(other).identity != encoder.identity
    assert load_cross_encoder(encoder_folder).identity == encoder.identity


def test_a_block_that_was_cut_off_is_scored_again_to_the_same_bits(
    encoder: CrossEncoder, tmp_path: Path
) -> None:
    lists = [[(p.anchor, t) for t in (p.positive, *p.negatives)] for p in listed(100)]
    whole = score_lists(lists, encoder, ScoreCache(tmp_path, "whole"))
    data = (tmp_path / "whole.scores").read_bytes()
    for cut in (0, 3, 16, 20, 100, len(data) // 2, len(data) - 1):
        (tmp_path / "cut.scores").write_bytes(data[:cut])
        assert score_lists(lists, encoder, ScoreCache(tmp_path, "cut")) == whole
        assert (tmp_path / "cut.scores").read_bytes() == data


def test_a_damaged_cache_is_refused(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path, "x")
    cache.add([("a", "b"), ("ab", "")], [1.0, 2.0])
    assert ScoreCache(tmp_path, "x").missing([("a", "b"), ("", "ab"), ("ab", "")]) == [("", "ab")]
    data = bytearray(cache.path.read_bytes())
    data[-1] ^= 1
    cache.path.write_bytes(data)
    with pytest.raises(InputError, match=r"x.scores: is damaged at byte 16: remove it"):
        ScoreCache(tmp_path, "x")
    cache.path.write_bytes(b"pumice scores 2\n")
    with pytest.raises(InputError, match="is no file of scores of this version"):
        ScoreCache(tmp_path, "x")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file grows past 1,000 bytes; pytest's own output may be one, so for no longer than needed."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path, "x")
    cache.add([("a", "b")], [1.0])
    size = cache.path.stat().st_size
    many = [("a", str(number)) for number in range(100)]
    wanted = r"x.scores: scores cannot be kept there: .*: free some"
    with full_disk(), pytest.raises(InputError, match=wanted):
        cache.add(many, [1.0] * 100)
    assert cache.path.stat().st_size == size
    assert cache.missing(many) == many


def test_models_that_cannot_label(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    three = make_cross_encoder(tmp_path / "three", labels=3)
    for name, error, message in (
        (tmp_path / "empty", ModelFileError, "no config.json: not a model's folder"),
        (three, ModelFileError, "gives 3 numbers for a pair: take one that ranks"),
        ("./gone", HubError, "cross-encoder ./gone does not exist"),
        (
            "no-one/nothing",
            HubError,
            "no-one/nothing: it is not in the local cache, and offline=True",
        ),
    ):
        with pytest.raises(error, match=message):
            load_cross_encoder(name, offline=True)
    broken = load_cross_encoder(make_cross_encoder(tmp_path / "broken", broken=True))
    with pytest.raises(ModelFileError, match="gives nan to a passage for 'bata"):
        broken.scores([("bata", "the bata")])
