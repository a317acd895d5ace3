"""A cross-encoder, tiny and of random weights, reorders hits by its own scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumice.errors import HubError, InputError, ModelFileError
from pumice.search import Hit, rerank
from tests.train.conftest import WORDS
from tests.train.cross_encoders import make_cross_encoder


@pytest.mark.slow  # importing sentence-transformers takes seconds
def test_the_cross_encoder_decides(tmp_path: Path) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    question = " ".join(WORDS[:3])
    hits = [Hit(at, 1 - at / 10, " ".join(WORDS[at : at + 4])) for at in range(8)]
    encoder = sentence_transformers.CrossEncoder(str(make_cross_encoder(tmp_path / "one")))
    scores = encoder.predict([(question, hit.text) for hit in hits]).tolist()
    found = rerank(question, hits, model=encoder)
    assert [hit.score for hit in found] == pytest.approx(sorted(scores, reverse=True), abs=1e-6)
    assert [hit.text for hit in found] == [hits[hit.id].text for hit in found]  # type: ignore[index]
    assert rerank(question, hits, model=str(tmp_path / "one"), k=3) == found[:3]
    assert rerank(question, [], model=encoder) == []
    two = make_cross_encoder(tmp_path / "two", labels=2)
    broken = make_cross_encoder(tmp_path / "broken", broken=True)
    for other in (two, broken):
        with pytest.raises(InputError, match="a single output, and finite"):
            rerank(question, hits, model=sentence_transformers.CrossEncoder(str(other)))
    with pytest.raises(ModelFileError, match="gives 2 numbers for a pair"):
        rerank(question, hits, model=str(two))
    for k in (0, -1):
        with pytest.raises(InputError, match=f"k={k} is not a positive whole number"):
            rerank(question, hits, model=encoder, k=k)


@pytest.mark.slow
def test_what_is_none_is_told() -> None:
    with pytest.raises(HubError, match="cross-encoder /nowhere/at/all does not exist"):
        rerank("q", [Hit(1, 1.0, "a")], model="/nowhere/at/all")
