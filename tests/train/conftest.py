"""Small generated pairs and a small model; without the libraries of the train extra the suite skips."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import pumice
from pumice.cli import main
from pumice.modelfile import Metadata, ModelParts

if TYPE_CHECKING:
    from pumice.teachers.cross_encoders import CrossEncoder


@pytest.fixture(scope="session", autouse=True)
def _needed() -> None:
    for library in ("torch", "matplotlib"):
        pytest.importorskip(library, reason=f"training needs {library}")


WORDS = [a + b for a in ("ba", "do", "fi", "ku", "le", "mo") for b in ("ta", "ri", "sun", "pek")]
"""Two dozen words; a pair shares its topic's words."""


def make_pairs(count: int, *, seed: int = 0, negatives: bool = False) -> list[dict[str, str]]:
    rng = random.Random(seed)
    pairs = []
    for number in range(count):
        topic = rng.sample(WORDS, 3)
        noise = rng.sample(WORDS, 3)
        pair = {
            "anchor": f"{' '.join(topic)} {number % 97}",
            "positive": f"the {topic[0]} {topic[1]} of {noise[0]} and {topic[2]} {number}",
        }
        if negatives and number % 2:
            pair["negative"] = f"the {noise[0]} {noise[1]} of {number}"
        pairs.append(pair)
    return pairs


def write_jsonl(path: Path, pairs: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    return path


def tokenizer_json() -> dict[str, Any]:
    """A WordPiece tokenizer.json over WORDS, digits and letters."""
    tokens = ["[UNK]", *WORDS, "the", "of", "and", *"0123456789", *(f"##{d}" for d in "0123456789")]
    return {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordPiece",
            "vocab": {token: number for number, token in enumerate(tokens)},
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
        },
    }


@pytest.fixture(scope="session")
def start() -> pumice.StaticModel:
    """Random rows of 16 dimensions; unknown tokens are dropped."""
    tokenizer = tokenizer_json()
    rows = np.random.default_rng(3).standard_normal((len(tokenizer["model"]["vocab"]), 16))
    metadata = Metadata(name="start", license="MIT", prefixes=(4, 8, 16))
    return pumice.StaticModel.from_parts(
        ModelParts(tokenizer, rows.astype(np.float32), metadata=metadata)
    )


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "pairs.jsonl", make_pairs(600, negatives=True))


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Run in a folder of the test's own, so that errors name short paths."""
    monkeypatch.chdir(tmp_path)
    return lambda name: Path(os.curdir) / name


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.train.cross_encoders import make_cross_encoder

    return make_cross_encoder(tmp_path_factory.mktemp("cross-encoder"))


@pytest.fixture(scope="session")
def encoder(encoder_folder: Path) -> CrossEncoder:
    from pumice.teachers.cross_encoders import load_cross_encoder

    return load_cross_encoder(encoder_folder, offline=True, threads=2)


@pytest.fixture
def complains(capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Run ``pumice train`` with a mistake: the exit code, and one sentence for last line."""

    def run(arguments: Sequence[str], *, code: int, message: str) -> None:
        assert main(["train", *arguments]) == code
        error = capsys.readouterr().err
        assert message in error.splitlines()[-1]
        assert "Traceback" not in error

    return run
