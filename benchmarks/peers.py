"""The programs that encoding is measured beside: each made from the same model, equality asserted first."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import pumice

Call = Callable[[list[str]], Any]


@dataclass(frozen=True)
class Peer:
    """A program under measurement: what it makes of a list of texts, and how."""

    name: str
    call: Call
    makes: str
    """ "vectors" or "ids"."""


def in_every_dtype(model: pumice.StaticModel, folder: Path) -> dict[str, pumice.StaticModel]:
    """The model with its rows stored in each way."""
    stored = {}
    for dtype in ("float32", "float16", "int8"):
        model.save(folder / f"{dtype}.pumice", dtype=dtype)
        stored[dtype] = pumice.load(folder / f"{dtype}.pumice")
    return stored


def pumice_peers(stored: dict[str, pumice.StaticModel]) -> list[Peer]:
    """Ours, on every storage of the rows, on all processors and on one, then from an Arrow column."""
    peers = [Peer(f"pumice {d}", m.encode, "vectors") for d, m in stored.items()]
    for dtype, model in stored.items():
        one = partial(model.encode, threads=1)
        peers.append(Peer(f"pumice {dtype}, 1 thread", one, "vectors"))
    float32 = stored["float32"]
    try:
        import polars
    except ImportError:
        return peers
    columns: dict[int, Any] = {}  # made once for each list, outside of what is timed

    def from_column(texts: list[str]) -> Any:
        column = columns.get(id(texts))
        if column is None:
            column = columns[id(texts)] = polars.Series(texts)
        return float32.encode(column)

    return [*peers, Peer("pumice float32, Polars column", from_column, "vectors")]


def other_peers(model: pumice.StaticModel, folder: Path) -> tuple[list[Peer], list[str]]:
    """Those that are installed, and a sentence for each that is not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder / "model2vec", format="model2vec")
        model.save_pretrained(folder / "st", format="sentence-transformers")
    tokenizer = {**model._file.tokenizer, "truncation": None, "padding": None}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    makers: dict[str, Callable[[Path, str], Peer]] = {
        "model2vec": model2vec,
        "sentence-transformers": sentence_transformers,
        "laghu-rs": laghu,
        "tokenizers": tokenizers,
        "tokie": tokie,
        "nanotoken": nanotoken,
    }
    peers, absent = [], []
    for name, maker in makers.items():
        try:
            peers.append(maker(folder, f"{name} {version(name)}"))
        except PackageNotFoundError:
            absent.append(f"{name} is not installed and not measured")
        except ImportError as error:
            absent.append(f"{name} is not measured: {error}")
    return peers, absent


def model2vec(folder: Path, name: str) -> Peer:
    """encode, as shipped."""
    from model2vec import StaticModel

    return Peer(name, StaticModel.from_pretrained(folder / "model2vec").encode, "vectors")


def sentence_transformers(folder: Path, name: str) -> Peer:
    """StaticEmbedding at a batch size of 1,024."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder / "st"), device="cpu")
    return Peer(name, lambda texts: model.encode(texts, batch_size=1024), "vectors")


def laghu(folder: Path, name: str) -> Peer:
    """laghu over its Rust core."""
    import laghu
    import laghu_rs

    model = laghu.load(folder / "model2vec")
    if model.tokenizer.rs is None:
        wanted = laghu_rs.TOKENIZERS
        raise ImportError(f"its Rust tokenizer runs only beside tokenizers {wanted}")
    return Peer(name, lambda texts: model.encode(texts, max_length=None), "vectors")


def tokenizers(folder: Path, name: str) -> Peer:
    """encode_batch_fast."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def call(texts: list[str]) -> Any:
        return tokenizer.encode_batch_fast(texts, add_special_tokens=False)

    return Peer(name, call, "ids")


def tokie(folder: Path, name: str) -> Peer:
    """encode_batch_flat, its fastest."""
    from tokie import Tokenizer

    tokenizer = Tokenizer.from_json(str(folder / "tokenizer.json"))
    return Peer(name, tokenizer.encode_batch_flat, "ids")


def nanotoken(folder: Path, name: str) -> Peer:
    """encode_batch, in parallel on all processors."""
    from nanotoken import Tokenizer

    tokenizer = Tokenizer(str(folder / "tokenizer.json"))
    return Peer(name, lambda t: tokenizer.encode_batch(t, add_special_tokens=False), "ids")


def assert_equal(model: pumice.StaticModel, peers: list[Peer], texts: list[str]) -> None:
    """Every program that makes vectors makes the same ones, to 1e-6."""
    wanted = model.encode(texts)
    for peer in peers:
        if peer.makes == "vectors" and not any(d in peer.name for d in ("float16", "int8")):
            difference = float(np.abs(np.asarray(peer.call(texts)) - wanted).max())
            assert difference < 1e-6, f"{peer.name} differs by {difference}"
