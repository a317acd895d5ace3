"""Tiny teachers, made once a session; without the libraries of the distill extra they skip."""

from __future__ import annotations

from pathlib import Path

import pytest


def _needed() -> None:
    for library in ("torch", "transformers", "sentence_transformers"):
        pytest.importorskip(library, reason=f"distillation needs {library}")


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _needed()
    from tests.distill.teachers import make_bert

    return make_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="session")
def sentence_bert(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.distill.teachers import make_sentence_bert

    return make_sentence_bert(tmp_path_factory.mktemp("sentence-bert"), bert=bert)


@pytest.fixture(scope="session")
def unigram_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _needed()
    from tests.distill.teachers import make_unigram_bert

    return make_unigram_bert(tmp_path_factory.mktemp("unigram-bert"))


@pytest.fixture(scope="session")
def gpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _needed()
    from tests.distill.teachers import make_gpt

    return make_gpt(tmp_path_factory.mktemp("gpt"))
