"""A model of queries: its documents are encoded by the transformer that its file names, and by no other."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

import pumice
from pumice import arguments
from pumice.errors import InputError, ModelFileError
from pumice.modelfile.parts import DocumentEncoder
from pumice.teachers.files import weights_fingerprint

TEXTS = ["help of the parser", "", "  ", "argument value", "an action of the group"]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.distill.teachers import make_bert, make_sentence_bert

    bert = make_bert(tmp_path_factory.mktemp("bert"))
    return make_sentence_bert(tmp_path_factory.mktemp("sentence-bert"), bert=bert)


@pytest.fixture(scope="module")
def model_file(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = pumice.distill(teacher, dim=None).parts()
    encoder = DocumentEncoder(str(teacher), weights_fingerprint(teacher), prompt="find this ")
    metadata = replace(parts.metadata, document_encoder=encoder, prefixes=(8,))
    path = tmp_path_factory.mktemp("model") / "m.pumice"
    pumice.StaticModel.from_parts(replace(parts, metadata=metadata)).save(path)
    return path


def test_documents_are_the_transformers(teacher: Path, model_file: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = pumice.load(model_file)
    vectors = model.encode_documents(TEXTS)
    wanted = SentenceTransformer(str(teacher), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors[[0, 3, 4]], wanted[[0, 3, 4]], atol=1e-5)
    assert not vectors[[1, 2]].any()
    np.testing.assert_allclose(model.encode_documents(TEXTS[3]), vectors[3], atol=1e-5)
    assert model.encode_documents([]).shape == (0, 16)
    half = model.encode_documents(TEXTS, dim=8)
    lengths = np.linalg.norm(vectors[:, :8], axis=1, keepdims=True)
    np.testing.assert_allclose(
        half[[0, 3]], (vectors[:, :8] / np.maximum(lengths, 1e-9))[[0, 3]], atol=1e-6
    )
    assert model.encode_documents(TEXTS, dim=8, dtype="binary").shape == (5, 1)
    assert (model.encode_documents(TEXTS, precision="bfloat16") * vectors).sum(1)[0] > 0.99


@pytest.mark.parametrize("dtype", ["float16", "int8", "binary"])
def test_codes_are_those_of_the_core(dtype: str) -> None:
    model = pumice.load()
    texts = [f"{word} and text number {n}" for n in range(50) for word in ("bread", "passport", "")]
    vectors = model.encode([*texts, ""])
    kind = arguments.checked_dtype(dtype)
    coded = arguments.coded(vectors, kind=kind)
    expected = model.encode([*texts, ""], dtype=dtype)
    assert coded.dtype == expected.dtype
    assert np.abs(coded.astype(np.float32) - expected.astype(np.float32)).max() <= (
        1e-3 if dtype == "float16" else 1 if dtype == "int8" else 0
    )
    assert (coded == expected).mean() > 0.999


def test_a_model_of_both_sides_encodes_documents_itself() -> None:
    model = pumice.load()
    assert model.document_encoder is None
    np.testing.assert_array_equal(model.encode_documents(["a text"]), model.encode(["a text"]))
    with pytest.raises(InputError, match="the model encodes documents itself: leave it out"):
        pumice.load(document_encoder=".")


def test_what_the_file_says_survives(model_file: Path, tmp_path: Path) -> None:
    model = pumice.load(model_file)
    model.save(tmp_path / "int8.pumice", dtype="int8")
    same = pumice.load(tmp_path / "int8.pumice")
    assert same.document_encoder == model.document_encoder
    again = pickle.loads(pickle.dumps(pumice.load(model_file, offline=True)))
    assert again.encode_documents("help").any()
    with pytest.raises(InputError, match="no such folder"):
        pumice.load(model_file, document_encoder=tmp_path / "gone")
    with pytest.raises(InputError, match="precision='half' is not one of"):
        model.encode_documents("help", precision="half")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"texts\[1\] is int"):
        model.encode_documents(["help", 3])  # type: ignore[list-item]


def test_a_shrunk_model_compares_the_first_dimensions(model_file: Path) -> None:
    parts = pumice.load(model_file).parts()
    metadata = replace(parts.metadata, prefixes=None)
    cut = replace(parts, embeddings=parts.embeddings[:, :8].copy(), metadata=metadata)
    vectors = pumice.StaticModel.from_parts(cut).encode_documents(TEXTS)
    wanted = pumice.load(model_file).encode_documents(TEXTS, dim=8)
    np.testing.assert_allclose(vectors, wanted, atol=1e-6)
    wide = np.repeat(parts.embeddings, 2, axis=1)
    model = pumice.StaticModel.from_parts(replace(cut, embeddings=wide))
    with pytest.raises(ModelFileError, match="its vectors have 16 dimensions and the model's 32"):
        model.encode_documents("help")


def test_both_sides_as_a_sentence_transformers_router(model_file: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = pumice.load(model_file)
    model.save_pretrained(tmp_path / "both", format="sentence-transformers")
    both = SentenceTransformer(str(tmp_path / "both"), device="cpu")
    texts = [TEXTS[0], *TEXTS[3:], "the value of an argument " * 40]
    np.testing.assert_allclose(both.encode_query(texts), model.encode(texts), atol=1e-6)
    np.testing.assert_allclose(
        both.encode_document(texts), model.encode_documents(texts), atol=1e-5
    )
    assert "These are vectors of queries" in (tmp_path / "both" / "README.md").read_text("utf-8")
    with pytest.warns(UserWarning, match="documents are another model's"):
        model.save_pretrained(tmp_path / "static", format="model2vec")


def test_other_weights_are_refused(model_file: Path, teacher: Path, tmp_path: Path) -> None:
    from tests.distill.teachers import make_bert, make_sentence_bert

    (tmp_path / "bert").mkdir()
    other = make_sentence_bert(tmp_path / "other", bert=make_bert(tmp_path / "bert"))
    assert weights_fingerprint(other) == weights_fingerprint(teacher)  # the same seed
    weights = next(other.glob("**/*.safetensors"))
    data = bytearray(weights.read_bytes())
    data[-5] ^= 1
    weights.write_bytes(data)
    model = pumice.load(model_file, document_encoder=other)
    with pytest.raises(ModelFileError, match="are not those of the document encoder"):
        model.encode_documents("help")


@pytest.mark.parametrize("told", ["text", 3, {}, {"name": "", "fingerprint": 1, "prompt": ""}])
def test_a_damaged_name_is_refused(model_file: Path, told: object) -> None:
    from pumice.modelfile.compiler import metadata_of

    with pytest.raises(ModelFileError, match="document_encoder is damaged"):
        metadata_of({"document_encoder": told})


def test_queries_need_no_torch(model_file: Path) -> None:
    code = (
        "import sys, pumice\n"
        f"model = pumice.load({str(model_file)!r})\n"
        "assert model.encode('help').any() and model.document_encoder\n"
        "assert not {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_an_evaluation_asks_each_side(model_file: Path) -> None:
    from pumice.evaluate.opening import open_model

    opened = open_model(str(model_file))
    model = pumice.load(model_file)
    assert opened is not None
    np.testing.assert_allclose(
        opened.documents.encode(TEXTS), model.encode_documents(TEXTS), atol=1e-5
    )
    np.testing.assert_array_equal(opened.queries.encode(TEXTS), model.encode(TEXTS))


def test_an_index_is_filled_by_the_transformer(model_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("qdrant_edge")
    pytest.importorskip("Stemmer")
    model = pumice.load(model_file)
    with pumice.Index(tmp_path / "index", model) as index:
        report = index.add([{"id": n, "text": text} for n, text in enumerate(TEXTS)])
        assert report.added == 3
        hits = index.search("the parser of an action", k=3, mode="dense")
    scores = model.encode_documents(TEXTS) @ model.encode("the parser of an action")
    assert [hit.id for hit in hits] == [n for n in np.argsort(-scores) if TEXTS[n].strip()][:3]
    assert [hit.score for hit in hits] == pytest.approx(sorted(scores[[0, 3, 4]])[::-1], abs=1e-5)
