"""Folders of model2vec and sentence-transformers: every layout, and every way one can be broken.

That vectors agree with both libraries, each way, is tested in tests/parity.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import pumice
from pumice.errors import ModelFileError
from pumice.modelfile import ModelParts
from pumice.modelfile.folders import read_folder

MODULE = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"}
NORMALIZE = {"idx": 1, "name": "1", "path": "1_Normalize", "type": "x.y.Normalize"}


@pytest.fixture
def static(tmp_path: Path, parts: ModelParts) -> Path:
    """tokenizer.json and model.safetensors, with model2vec's key."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(parts.tokenizer))
    save_file({"embeddings": parts.embeddings[:, :8].copy()}, folder / "model.safetensors")
    return folder


def as_sentence_transformers(
    folder: Path, modules: list[dict[str, Any]], parts: ModelParts
) -> None:
    save_file({"embedding.weight": parts.embeddings[:, :8].copy()}, folder / "model.safetensors")
    (folder / "modules.json").write_text(json.dumps(modules))


def test_weights_and_tokenizer_alone(static: Path) -> None:
    parts = read_folder(static)
    assert (parts.unknown, parts.normalize, parts.max_tokens, parts.max_chars) == (
        "drop",
        False,
        512,
        512 * 6,
    )


def test_model2vecs_config(static: Path) -> None:
    (static / "config.json").write_text(json.dumps({"normalize": True, "max_length": None}))
    parts = read_folder(static)
    assert (parts.normalize, parts.max_tokens, parts.max_chars) == (True, None, None)


def test_sentence_transformers_with_modules_at_the_root(static: Path, parts: ModelParts) -> None:
    as_sentence_transformers(static, [MODULE], parts)
    found = read_folder(static)
    assert (found.unknown, found.normalize, found.max_tokens) == ("average", False, None)


def test_sentence_transformers_in_a_sub_folder(
    static: Path, parts: ModelParts, tmp_path: Path
) -> None:
    as_sentence_transformers(static, [], parts)
    outer = tmp_path / "outer"
    outer.mkdir()
    shutil.move(static, outer / "0_StaticEmbedding")
    modules = [{**MODULE, "path": "0_StaticEmbedding"}, NORMALIZE]
    (outer / "modules.json").write_text(json.dumps(modules))
    found = read_folder(outer)
    assert found.normalize
    assert np.array_equal(found.embeddings, parts.embeddings[:, :8])


def test_sentence_transformers_without_modules(static: Path, parts: ModelParts) -> None:
    as_sentence_transformers(static, [], parts)
    (static / "modules.json").unlink()
    assert read_folder(static).unknown == "average"


def test_the_model_cards_front_matter(static: Path) -> None:
    card = "---\nlicense: mit\nlanguage:\n- en\n- ko\nbase_model: a/teacher\n---\n# A model\n"
    (static / "README.md").write_text(card)
    metadata = read_folder(static).metadata
    assert (metadata.license, metadata.languages, metadata.source) == (
        "mit",
        ("en", "ko"),
        "a/teacher",
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", None, "no tokenizer.json"),
        ("tokenizer.json", b"{", "tokenizer.json: not JSON"),
        ("tokenizer.json", b"[]", "tokenizer.json: not a JSON object"),
        ("model.safetensors", None, "no model.safetensors"),
        ("model.safetensors", b"\xff" * 40, "model.safetensors: cannot be read"),
        ("model.safetensors", b"", "model.safetensors: cannot be read"),
        ("config.json", b"nope", "config.json: not JSON"),
        ("modules.json", b"{}", "modules.json: not a list of modules"),
    ],
)
def test_broken_files(static: Path, name: str, content: bytes | None, message: str) -> None:
    (static / name).unlink(missing_ok=True)
    if content is not None:
        (static / name).write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        pumice.load(static)


def test_a_transformers_modules_are_refused(static: Path) -> None:
    modules = [{**MODULE, "type": "sentence_transformers.models.Transformer"}, NORMALIZE]
    (static / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelFileError, match="Transformer, Normalize are not a static model"):
        pumice.load(static)


def test_a_module_path_that_leads_out_is_refused(static: Path) -> None:
    (static / "modules.json").write_text(json.dumps([{**MODULE, "path": ".."}]))
    with pytest.raises(ModelFileError, match="leads out of the folder"):
        pumice.load(static)


@pytest.mark.parametrize("path", ["missing", "\0", "x" * 300, 3, None, ["a"]])
def test_a_module_path_that_is_none_is_refused(static: Path, path: object) -> None:
    (static / "modules.json").write_text(json.dumps([{**MODULE, "path": path}]))
    with pytest.raises(ModelFileError, match=r"modules\.json: module path .* is no folder"):
        pumice.load(static)


def test_other_tensors_are_named(static: Path) -> None:
    save_file({"encoder.weight": np.ones((2, 2), np.float32)}, static / "model.safetensors")
    with pytest.raises(ModelFileError, match=r"among its tensors \(encoder.weight\)"):
        pumice.load(static)


def test_pickled_weights_are_named(static: Path) -> None:
    (static / "model.safetensors").rename(static / "pytorch_model.bin")
    with pytest.raises(ModelFileError, match=r"pytorch_model.bin is there: save it again"):
        pumice.load(static)


def test_a_default_prompt_is_refused(static: Path, parts: ModelParts) -> None:
    as_sentence_transformers(static, [MODULE], parts)
    config = {"prompts": {"query": "query: "}, "default_prompt_name": "query"}
    (static / "config_sentence_transformers.json").write_text(json.dumps(config))
    with pytest.raises(ModelFileError, match='default_prompt_name "query"'):
        pumice.load(static)
    for damage in ({"prompts": 3}, {"default_prompt_name": ["query"]}):
        (static / "config_sentence_transformers.json").write_text(json.dumps({**config, **damage}))
        with pytest.raises(ModelFileError, match="its prompts are damaged"):
            pumice.load(static)


def test_weights_beyond_float32_are_refused(static: Path, parts: ModelParts) -> None:
    tensors = {"embeddings": parts.embeddings[:, :8].copy(), "weights": np.full(30522, 1e300)}
    save_file(tensors, static / "model.safetensors")
    with pytest.raises(ModelFileError, match="more than float32"):
        pumice.load(static)
    rows = parts.embeddings[:, :8].astype(np.float64)
    rows[7, 3] = 1e300
    save_file({"embeddings": rows}, static / "model.safetensors")
    with pytest.raises(ModelFileError, match="row 7 holds NaN or infinity"):
        pumice.load(static)


def test_rows_that_do_not_match_the_vocabulary(static: Path, parts: ModelParts) -> None:
    save_file({"embeddings": parts.embeddings[:100].copy()}, static / "model.safetensors")
    with pytest.raises(ModelFileError, match="100 rows but the tokenizer has 30522 tokens"):
        pumice.load(static)


@pytest.mark.parametrize(
    ("library", "change", "message"),
    [
        ("model2vec", {"unknown": "average"}, "leaves unknown tokens out"),
        ("model2vec", {"max_tokens": 128}, "also cuts texts at"),
        ("sentence-transformers", {"max_chars": 99}, "cannot cut texts at 99 characters"),
        ("sentence-transformers", {"normalize": False}, "counts unknown tokens in the mean"),
    ],
)
def test_rules_that_a_format_cannot_carry_are_said(
    parts: ModelParts, tmp_path: Path, library: str, change: dict[str, Any], message: str
) -> None:
    model = pumice.StaticModel.from_parts(replace(parts, **change))
    with pytest.warns(UserWarning, match=message) as caught:
        model.save_pretrained(tmp_path / "folder", format=library)
    assert caught[0].filename == __file__


def test_an_unknown_format_is_refused(model: pumice.StaticModel, tmp_path: Path) -> None:
    with pytest.raises(pumice.PumiceError, match='format "onnx" is not one of model2vec'):
        model.save_pretrained(tmp_path / "folder", format="onnx")
    assert not (tmp_path / "folder").exists()
