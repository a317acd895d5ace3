"""Vectors equal those of model2vec and sentence-transformers, to and from their own folders."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

import pumice
from pumice.errors import ModelFileError
from tests.parity import small_tokenizers as small
from tests.parity import texts

DIM = 24
Vectors = NDArray[Any]
Encode = Callable[[Sequence[str]], Vectors]


@pytest.fixture(scope="module")
def model2vec() -> Any:
    return pytest.importorskip("model2vec")


@pytest.fixture(scope="module")
def sentence_transformers() -> Any:
    return pytest.importorskip("sentence_transformers")


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    """Short, long, empty, hostile and unknown texts."""
    hostile = [text for text in texts.hostile_texts().values() if len(text) < 20_000]
    words = list(texts.random_texts(400, seed=21))
    return [*hostile, *words, " ".join(words), "the lower newest widest of them " * 4000]


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, Tokenizer]:
    """A tokenizer of each kind; some words are unknown to the first."""
    spelled = small.spelling_vocabulary(texts.random_texts(400, seed=21))
    return {
        "wordpiece": built(small.trained_wordpiece()),
        "spelled": built(small.bert(small.without_some_letters(spelled))),
        **{name: built(build()) for name, build in {**small.NATIVE, **small.FOREIGN}.items()},
    }


def built(tokenizer: small.Json) -> Tokenizer:
    return Tokenizer.from_str(json.dumps(tokenizer))


@dataclass(frozen=True)
class Table:
    """What a random model is made of, besides its tokenizer."""

    dtype: str = "float32"
    weights: bool = False
    clusters: int | None = None
    normalize: bool = True
    max_length: int | None = 512

    def rows(self, tokens: int) -> Vectors:
        rng = np.random.default_rng(7)
        shape = (self.clusters or tokens, DIM)
        if self.dtype == "int8":
            return rng.integers(-127, 128, shape, dtype=np.int8)
        return rng.standard_normal(shape).astype(self.dtype)

    def token_weights(self, tokens: int) -> Vectors | None:
        rng = np.random.default_rng(8)
        return rng.uniform(0.01, 2, tokens).astype(np.float32) if self.weights else None

    def token_rows(self, tokens: int) -> Vectors | None:
        rng = np.random.default_rng(9)
        return None if self.clusters is None else rng.integers(0, self.clusters, tokens)


def model2vec_model(model2vec: Any, tokenizer: Tokenizer, table: Table) -> Any:
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    return model2vec.StaticModel(
        table.rows(size),
        tokenizer,
        normalize=table.normalize,
        weights=table.token_weights(size),
        token_mapping=table.token_rows(size),
        max_length=table.max_length,
    )


def exact(model: Any) -> Any:
    """The model, summing weighted int8 rows in float64: in float32 the sum of 512 equal rows is off by 3e-6."""
    if model.embedding.dtype == np.int8 and model.weights is not None:
        model.weights = model.weights.astype(np.float64)
    return model


def static_embedding(tokenizer: Tokenizer, *, normalize: bool, dtype: str = "float32") -> Any:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    rows = Table(dtype=dtype).rows(tokenizer.get_vocab_size(with_added_tokens=True))
    modules = [StaticEmbedding(built(json.loads(tokenizer.to_str())), torch.from_numpy(rows))]
    return SentenceTransformer(
        modules=[*modules, *([Normalize()] if normalize else [])], device="cpu"
    )


def assert_agree(
    corpus: Sequence[str], ours: Encode, theirs: Encode, *, atol: float = 1e-6
) -> None:
    """Equal within `atol` of the largest component, and not trivially so."""
    found, expected = ours(corpus), np.asarray(theirs(corpus), dtype=np.float32)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert np.any(expected)
    worst = int(np.abs(found - expected).max(axis=1).argmax())
    np.testing.assert_allclose(
        found,
        expected,
        rtol=0,
        atol=atol * max(1.0, float(np.abs(expected).max())),
        err_msg=f"worst for {corpus[worst][:200]!a}",
    )


def loads_back(sentence_transformers: Any, folder: Path) -> Encode:
    model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    encode: Encode = model.encode
    return encode


TABLES = {
    "plain": Table(),
    "raw": Table(normalize=False),
    "weights": Table(weights=True),
    "clusters": Table(clusters=60),
    "clusters_weights": Table(clusters=60, weights=True, normalize=False),
    "int8": Table(dtype="int8"),
    "int8_raw": Table(dtype="int8", normalize=False),
    "int8_weights": Table(dtype="int8", weights=True),
    "no_limit": Table(max_length=None),
    "short": Table(max_length=3),
    "one": Table(max_length=1, normalize=False),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
@pytest.mark.parametrize("kind", ["wordpiece", "spelled"])
def test_model2vec(
    model2vec: Any, corpus: list[str], tokenizers: Any, tmp_path: Path, kind: str, table: Table
) -> None:
    theirs = model2vec_model(model2vec, tokenizers[kind], table)
    theirs.save_pretrained(tmp_path / "theirs")
    ours = pumice.load(tmp_path / "theirs")
    assert_agree(corpus, ours.encode, exact(theirs).encode)

    ours.save_pretrained(tmp_path / "ours", format="model2vec")
    again = model2vec.StaticModel.from_pretrained(tmp_path / "ours")
    assert_agree(corpus, ours.encode, exact(again).encode)
    assert_agree(corpus, pumice.load(tmp_path / "ours").encode, theirs.encode)

    ours.save(tmp_path / "model.pumice")
    compiled = pumice.load(tmp_path / "model.pumice")
    np.testing.assert_array_equal(compiled.encode(corpus), ours.encode(corpus))


@pytest.mark.parametrize("name", [*small.NATIVE, *small.FOREIGN])
def test_model2vec_other_tokenizers(
    model2vec: Any, corpus: list[str], tokenizers: Any, tmp_path: Path, name: str
) -> None:
    theirs = model2vec_model(model2vec, tokenizers[name], Table(max_length=20))
    theirs.save_pretrained(tmp_path)
    assert_agree(corpus, pumice.load(tmp_path).encode, theirs.encode)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("weights", [True, False])
def test_model2vec_float16(
    model2vec: Any,
    corpus: list[str],
    tokenizers: Any,
    tmp_path: Path,
    normalize: bool,
    weights: bool,
) -> None:
    """model2vec rounds a float16 model's vectors to float16; widened first, both are exact."""
    table = Table(dtype="float16", weights=weights, normalize=normalize)
    theirs = model2vec_model(model2vec, tokenizers["wordpiece"], table)
    theirs.save_pretrained(tmp_path)
    ours = pumice.load(tmp_path)
    assert_agree(corpus, ours.encode, theirs.encode, atol=1e-3)
    theirs.embedding = theirs.embedding.astype(np.float32)
    assert_agree(corpus, ours.encode, theirs.encode)


@pytest.mark.parametrize("dim", [1, 8, DIM])
def test_model2vec_dimensionality(
    model2vec: Any, corpus: list[str], tokenizers: Any, tmp_path: Path, dim: int
) -> None:
    model2vec_model(model2vec, tokenizers["wordpiece"], Table()).save_pretrained(tmp_path)
    theirs = model2vec.StaticModel.from_pretrained(tmp_path, dimensionality=dim)
    ours = pumice.load(tmp_path)
    assert_agree(corpus, lambda batch: ours.encode(batch, dim=dim), theirs.encode)


def test_model2vec_evaluation_texts(
    model2vec: Any, tokenizers: Any, tmp_path: Path, data_dir: Path
) -> None:
    theirs = model2vec_model(model2vec, tokenizers["wordpiece"], Table())
    theirs.save_pretrained(tmp_path)
    documents = list(texts.eval_texts(data_dir, each=300))
    assert_agree(documents, pumice.load(tmp_path).encode, theirs.encode)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("kind", ["wordpiece", "spelled", "unigram", "bpe_byte_level"])
def test_sentence_transformers(
    sentence_transformers: Any,
    corpus: list[str],
    tokenizers: Any,
    tmp_path: Path,
    kind: str,
    normalize: bool,
) -> None:
    theirs = static_embedding(tokenizers[kind], normalize=normalize)
    theirs.save_pretrained(str(tmp_path / "theirs"))
    ours = pumice.load(tmp_path / "theirs")
    assert_agree(corpus, ours.encode, theirs.encode)

    ours.save_pretrained(tmp_path / "ours", format="sentence-transformers")
    again = loads_back(sentence_transformers, tmp_path / "ours")
    assert_agree(corpus, ours.encode, again)
    assert_agree(corpus, pumice.load(tmp_path / "ours").encode, theirs.encode)


@pytest.mark.parametrize(("dtype", "atol"), [("float16", 2e-3), ("float64", 1e-6)])
def test_sentence_transformers_dtypes(
    sentence_transformers: Any, tokenizers: Any, tmp_path: Path, dtype: str, atol: float
) -> None:
    """sentence-transformers computes in the table's type, pumice always in float32.

    So ordinary texts only: in float16 it gives NaN for a text without tokens, and in float64 no
    rounding error on a text of 100,000 tokens, where both libraries' float32 is off by 5e-5.
    """
    theirs = static_embedding(tokenizers["wordpiece"], normalize=True, dtype=dtype)
    theirs.save_pretrained(str(tmp_path))
    ordinary = [f"the {text}" for text in texts.random_texts(400, seed=21)]
    assert_agree(ordinary, pumice.load(tmp_path).encode, theirs.encode, atol=atol)


def test_sentence_transformers_bfloat16_is_refused(
    sentence_transformers: Any, tokenizers: Any, tmp_path: Path
) -> None:
    """numpy has no bfloat16: one clear sentence, or (later) support."""
    import torch

    theirs = static_embedding(tokenizers["wordpiece"], normalize=True).to(torch.bfloat16)
    theirs.save_pretrained(str(tmp_path))
    with pytest.raises(ModelFileError, match="bfloat16"):
        pumice.load(tmp_path)


@pytest.mark.parametrize("direction", ["right", "left"])
@pytest.mark.parametrize("limit", [1, 6])
def test_sentence_transformers_truncation(
    sentence_transformers: Any,
    corpus: list[str],
    tokenizers: Any,
    tmp_path: Path,
    limit: int,
    direction: str,
) -> None:
    tokenizer = built(json.loads(tokenizers["spelled"].to_str()))
    tokenizer.enable_truncation(limit, direction=direction)
    tokenizer.enable_padding(length=32)
    theirs = static_embedding(tokenizer, normalize=False)
    theirs.save_pretrained(str(tmp_path / "theirs"))
    ours = pumice.load(tmp_path / "theirs")
    assert_agree(corpus, ours.encode, theirs.encode)
    ours.save_pretrained(tmp_path / "ours", format="sentence-transformers")
    assert_agree(corpus, ours.encode, loads_back(sentence_transformers, tmp_path / "ours"))


@pytest.mark.parametrize("folder", ["0_StaticEmbedding", "."])
def test_sentence_transformers_layouts(
    sentence_transformers: Any, corpus: list[str], tokenizers: Any, tmp_path: Path, folder: str
) -> None:
    """The static module in a sub-folder, as older versions wrote it, and at the root."""
    theirs = static_embedding(tokenizers["wordpiece"], normalize=True)
    theirs.save_pretrained(str(tmp_path))
    modules = json.loads((tmp_path / "modules.json").read_text())
    before = tmp_path / modules[0]["path"]
    (tmp_path / folder).mkdir(exist_ok=True)
    for name in ("model.safetensors", "tokenizer.json"):
        if not (tmp_path / folder / name).exists():
            shutil.move(before / name, tmp_path / folder / name)
    modules[0]["path"] = folder
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    assert_agree(corpus, loads_back(sentence_transformers, tmp_path), theirs.encode)
    assert_agree(corpus, pumice.load(tmp_path).encode, theirs.encode)


def test_sentence_transformers_without_modules(
    sentence_transformers: Any, corpus: list[str], tokenizers: Any, tmp_path: Path
) -> None:
    """Weights and tokenizer.json alone are static rows without normalisation."""
    theirs = static_embedding(tokenizers["wordpiece"], normalize=False)
    theirs.save_pretrained(str(tmp_path / "all"))
    modules = json.loads((tmp_path / "all" / "modules.json").read_text())
    (tmp_path / "bare").mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        shutil.copy(tmp_path / "all" / modules[0]["path"] / name, tmp_path / "bare" / name)
    assert_agree(corpus, pumice.load(tmp_path / "bare").encode, theirs.encode)


def test_a_default_prompt_is_prepended_or_refused(
    sentence_transformers: Any, corpus: list[str], tokenizers: Any, tmp_path: Path
) -> None:
    """sentence-transformers puts a default prompt before every text; ignoring it is not equal."""
    theirs = static_embedding(tokenizers["wordpiece"], normalize=True)
    theirs.prompts = {"query": "the lower: "}
    theirs.default_prompt_name = "query"
    theirs.save_pretrained(str(tmp_path))
    try:
        ours = pumice.load(tmp_path)
    except ModelFileError:
        return
    assert_agree(corpus, ours.encode, loads_back(sentence_transformers, tmp_path))


def test_further_modules_are_refused(
    sentence_transformers: Any, tokenizers: Any, tmp_path: Path
) -> None:
    """A Dense layer after the mean changes vectors, and the core has none."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    static = static_embedding(tokenizers["wordpiece"], normalize=False)
    dense = Dense(DIM, 8)
    SentenceTransformer(modules=[static[0], dense], device="cpu").save_pretrained(str(tmp_path))
    with pytest.raises(ModelFileError, match="Dense"):
        pumice.load(tmp_path)


@pytest.mark.parametrize("table", ["plain", "weights", "clusters_weights"])
def test_model2vec_to_sentence_transformers(
    model2vec: Any,
    sentence_transformers: Any,
    corpus: list[str],
    tokenizers: Any,
    tmp_path: Path,
    table: str,
) -> None:
    """Short texts mean the same in both; those with unknown tokens only where normalised."""
    theirs = model2vec_model(model2vec, tokenizers["spelled"], TABLES[table])
    theirs.save_pretrained(tmp_path / "theirs")
    ours = pumice.load(tmp_path / "theirs")
    same = [text for text in corpus if len(text) < 500]
    if not ours.normalized:
        same = [text for text in same if is_known(tokenizers["spelled"], text)]
    assert len(same) > 100
    with pytest.warns(UserWarning, match="will not give equal vectors"):
        ours.save_pretrained(tmp_path / "ours", format="sentence-transformers")
    assert_agree(same, ours.encode, loads_back(sentence_transformers, tmp_path / "ours"))


@pytest.mark.parametrize("normalize", [True, False])
def test_sentence_transformers_to_model2vec(
    model2vec: Any,
    sentence_transformers: Any,
    corpus: list[str],
    tokenizers: Any,
    tmp_path: Path,
    normalize: bool,
) -> None:
    """Texts of known tokens mean the same in both formats."""
    theirs = static_embedding(tokenizers["spelled"], normalize=normalize)
    theirs.save_pretrained(str(tmp_path / "theirs"))
    known = [text for text in corpus if is_known(tokenizers["spelled"], text)]
    ours = pumice.load(tmp_path / "theirs")
    with pytest.warns(UserWarning, match="will not give equal vectors"):
        ours.save_pretrained(tmp_path / "ours", format="model2vec")
    again = model2vec.StaticModel.from_pretrained(tmp_path / "ours")
    assert_agree(known, lambda batch: np.asarray(theirs.encode(batch)), again.encode)


def is_known(tokenizer: Tokenizer, text: str) -> bool:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    return len(ids) < 100 and tokenizer.token_to_id("[UNK]") not in ids
