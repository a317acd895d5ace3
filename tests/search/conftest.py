"""Fixtures of the search tests: an index in a temporary folder, models on disk, words to index."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="search tests need pumice[search]")

import pumice
from pumice.search import Index

WORDS = [
    *("passport", "renewal", "office", "city", "hall", "photograph", "appointment", "fee", "cat"),
    *("dog", "horse", "river", "mountain", "snow", "summer", "winter", "bread", "cheese", "wine"),
    *("train", "ticket", "station", "window", "garden", "music", "piano", "doctor", "hospital"),
    *("medicine", "python", "program", "compiler", "memory", "network", "cable", "battery"),
]


@pytest.fixture
def index(tmp_path: Path, model: Any) -> Any:
    """An empty index in a folder of its own."""
    with Index(tmp_path / "index", model) as opened:
        yield opened


@pytest.fixture(scope="session")
def model_path(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as a file, for other processes."""
    path = tmp_path_factory.mktemp("models") / "model.pumice"
    model.save(path)
    return path


@pytest.fixture(scope="session")
def other_model(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model of another fingerprint."""
    path = tmp_path_factory.mktemp("models") / "other.pumice"
    stored = model.metadata.get("dtype")
    model.save(path, dtype="float32" if stored == "float16" else "float16")
    return pumice.load(path)


@pytest.fixture(scope="session")
def sentences() -> list[str]:
    """300 different texts."""
    dice = random.Random(7)
    return [" ".join(dice.choices(WORDS, k=dice.randint(3, 12))) + f" {at}" for at in range(300)]
