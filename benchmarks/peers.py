"""The programs that encoding is measured beside: each made from the same model, equality asserted first."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
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


def pumice_peers(model: pumice.StaticModel, folder: Path) -> list[Peer]:
    """Ours, on every storage of the rows, then on one thread, then as columns."""
    stored = {}
    for dtype in ("float32", "float16", "int8"):
        model.save(folder / f"{dtype}.pumice", dtype=dtype)
        stored[dtype] = pumice.load(folder / f"{dtype}.pumice")
    float32 = stored["float32"]
    peers = [Peer(f"pumice {d}", m.encode, "vectors") for d, m in stored.items()]
    one = Peer("pumice float32, 1 thread", lambda t: float32.encode(t, threads=1), "vectors")
    return [*peers, one]


def other_peers(model: pumice.StaticModel, folder: Path) -> tuple[list[Peer], list[str]]:
    """Those that are installed, and a sentence for each that is not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder / "model2vec", format="model2vec")
        model.save_pretrained(folder / "st", format="sentence-transformers")
    tokenizer = {**model._file.tokenizer, "truncation": None, "padding": None}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    makers = {
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
        except (ImportError, PackageNotFoundError):
            absent.append(f"{name} is not installed and not measured")
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
    import laghu_rs  # noqa: F401  # laghu is slow without it

    model = laghu.load(folder / "model2vec")
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
