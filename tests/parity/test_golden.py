"""The models in testdata/ give the recorded ids and bits, and compile to the same bytes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import pumice
from tests.parity import golden_tokenizers

TESTDATA = Path(__file__).resolve().parents[2] / "testdata"
DTYPES = ("float32", "float16", "int8", "int4", "int2", "int1")
FAMILIES = tuple(golden_tokenizers.TOKENIZERS)


@pytest.fixture(scope="module")
def golden() -> list[dict[str, Any]]:
    lines = (TESTDATA / "golden.jsonl").read_text("ascii").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_generator", TESTDATA / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", [*DTYPES, "counting"])
def test_bits(golden: list[dict[str, Any]], dtype: str, threads: int) -> None:
    model = pumice.load(TESTDATA / f"golden-{dtype}.pumice")
    batch = [record["text"] for record in golden]
    assert model.tokenize(batch) == [record["ids"] for record in golden]
    found = {
        "float32": model.encode(batch, threads=threads).astype("<f4"),
        "float32_prefix": model.encode(batch, threads=threads, dim=7).astype("<f4"),
        "int8": model.encode(batch, threads=threads, dtype="int8"),
        "binary": model.encode(batch, threads=threads, dtype="binary"),
    }
    for i, record in enumerate(golden):
        expected = record["vectors"][dtype]
        assert {kind: rows[i].tobytes().hex() for kind, rows in found.items()} == expected
        alone = model.encode(record["text"]).astype("<f4")
        assert alone.tobytes().hex() == expected["float32"]


def test_explanations() -> None:
    """Spans and what each token adds, bit for bit; shares to a BLAS's order of adding."""
    models: dict[str, pumice.StaticModel] = {}
    lines = (TESTDATA / "golden-explain.jsonl").read_text("ascii").splitlines()
    for record in map(json.loads, lines):
        name = record["model"]
        if name not in models:
            models[name] = pumice.load(TESTDATA / f"golden-{name}.pumice")
        found = models[name].explain(record["query"], record["document"])
        assert found.document.ids.tolist() == record["ids"]
        assert found.document.spans.tolist() == record["spans"]
        assert found.document.vectors.astype("<f4").tobytes().hex() == record["vectors"]
        np.testing.assert_allclose(found.score, record["score"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.document_shares, record["shares"], rtol=0, atol=1e-12)
    assert len(lines) > 80
    assert len(models) == len(DTYPES) + 1 + len(FAMILIES)


@pytest.mark.parametrize("dtype", DTYPES)
def test_compiling_gives_the_same_bytes(dtype: str, generator: ModuleType, tmp_path: Path) -> None:
    model = pumice.StaticModel.from_parts(generator.tiny_parts(), dtype=dtype)
    model.save(tmp_path / "again.pumice")
    recorded = (TESTDATA / f"golden-{dtype}.pumice").read_bytes()
    assert (tmp_path / "again.pumice").read_bytes() == recorded


def test_ids_are_the_library_s(golden: list[dict[str, Any]], generator: ModuleType) -> None:
    batch = [record["text"] for record in golden]
    assert batch == generator.golden_texts()
    expected = generator.expected_ids(generator.tiny_parts(), batch)
    assert [record["ids"] for record in golden] == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_families(family: str, generator: ModuleType, tmp_path: Path) -> None:
    """The other tokenizers: run by the core, the library's ids, the recorded bytes."""
    parts, batch = generator.family_parts(family), generator.golden_texts()
    batch += ["the word <mask> aword abc", " the <mask>word 12-ab don't a\u0301b!", "word word"]
    model = pumice.load(TESTDATA / f"golden-{family}.pumice")
    assert model.metadata["tokenizer"]["native"]
    assert model.tokenize(batch) == generator.expected_ids(parts, batch)
    pumice.StaticModel.from_parts(parts).save(tmp_path / "again.pumice")
    recorded = (TESTDATA / f"golden-{family}.pumice").read_bytes()
    assert (tmp_path / "again.pumice").read_bytes() == recorded
