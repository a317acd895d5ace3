"""pumice explain: a table, colours on a real terminal, JSON whose shares add up."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.cli import main
from pumice.commands.words import coloured
from pumice.explanation import words_of
from pumice.modelfile import Metadata, ModelParts
from tests.parity import small_tokenizers as small

QUERY, DOCUMENT = "renew a passport", "How naïve passport-holders\nget unaffable documents. 北京"
ACCENTED = "  cafés, naïve\t(don't) 北京 e\u0301cole \u302e\u0301 x"
PIECES = {"한국": 1, "unaf\u0301fable": 1, "hugging-face": 3}
STYLE = re.compile(r"\033\[[\d;]*m")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> pumice.StaticModel:
    """A model in a file, of characters and one word, which counts most."""
    vocab = small.spelling_vocabulary([QUERY, DOCUMENT, ACCENTED, *PIECES])
    vocab["passport"] = len(vocab)
    rows = np.random.default_rng(3).standard_normal((len(vocab), 128), dtype=np.float32)
    rows[-1] *= 3
    parts = ModelParts(small.bert(vocab), rows, metadata=Metadata(prefixes=(64,)))
    path = tmp_path_factory.mktemp("explain") / "characters.pumice"
    pumice.StaticModel.from_parts(parts).save(path)
    return pumice.load(path)


def explained(model: pumice.StaticModel, *arguments: str) -> int:
    return main(["explain", *arguments, "--model", model._file.source])


def test_a_table_with_the_largest_share_first(
    model: pumice.StaticModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explained(model, QUERY, DOCUMENT) == 0
    score, header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["share", "word", "most", "from"]
    assert rows[0].split()[1:] == ["passport", "passport"]
    shares = [float(row.split()[0]) for row in rows]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(float(score.split()[1]), abs=1e-3)
    words = {row.split()[1] for row in rows}
    assert {"naïve", "unaffable", "北", "京", "-"} <= words  # pieces of a word are one, Han are not


def test_json_adds_up(model: pumice.StaticModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(model, QUERY, DOCUMENT, "--json", "--dim", "64") == 0
    said = json.loads(capsys.readouterr().out)
    a, b = model.encode([QUERY, DOCUMENT], dim=64)
    assert said["score"] == pytest.approx(float(a @ b), abs=1e-6)
    assert np.sum(said["shares"]) == pytest.approx(said["score"], abs=1e-9)
    for side, text in (("query", QUERY), ("document", DOCUMENT)):
        assert said[side]["text"] == text
        assert sum(t["share"] for t in said[side]["tokens"]) == pytest.approx(said["score"])
    token = said["query"]["tokens"][-1]
    assert (token["token"], QUERY[token["begin"] : token["end"]]) == ("passport", "passport")


@pytest.mark.parametrize("texts", [("", "a document"), ("a query", ""), ("", "")])
def test_a_text_without_tokens_scores_0(
    model: pumice.StaticModel, texts: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert explained(model, *texts) == 0
    assert capsys.readouterr().out.startswith("score 0.0000\n")


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals on this platform")
@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_on_a_terminal(model: pumice.StaticModel, no_color: str) -> None:
    import pty

    leader, follower = pty.openpty()
    texts = (QUERY, DOCUMENT + "\033[2J")
    command = [sys.executable, "-m", "pumice.cli", "explain", *texts, "--model", model._file.source]
    environment = {**os.environ, "NO_COLOR": no_color}
    ran = subprocess.run(command, stdout=follower, timeout=120, env=environment)
    os.close(follower)
    said = os.read(leader, 1 << 16).decode().replace("\r\n", "\n")
    os.close(leader)
    assert ran.returncode == 0
    assert "\033[2J" not in said
    if no_color:
        assert "\033" not in said
        return
    assert "\033[48;5;46;38;5;16mpassport\033[0m" in said
    plain = STYLE.sub("", said)
    assert f"query     {QUERY}\n" in plain
    assert f"document  {DOCUMENT}[2J\n" in plain


def test_red_is_negative_and_nothing_is_lost(model: pumice.StaticModel) -> None:
    tokens = model.token_vectors(ACCENTED)
    shares = np.linspace(-1, 1, len(tokens))
    words = words_of(ACCENTED, tokens, shares)
    assert sum(word.share for word in words) == pytest.approx(shares.sum())
    assert [i for word in words for i in word.tokens] == list(range(len(tokens)))
    shown = coloured(ACCENTED, words)
    assert STYLE.sub("", shown) == ACCENTED
    assert "\033[38;5;167mcafés\033[0m" in shown


def test_a_piece_without_its_own_characters_stays_with_its_word(
    model: pumice.StaticModel,
) -> None:
    """One character that expands to several pieces, and a mark between two."""
    for text, count in PIECES.items():
        tokens = model.token_vectors(text)
        assert len(words_of(text, tokens, np.zeros(len(tokens)))) == count, text


def test_wrong_usage_and_failures(
    model: pumice.StaticModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "only a query"]) == 2
    assert main(["explain", "a", "b", "--dim", "x"]) == 2
    assert explained(model, "a", "b", "--dim", "7") == 1
    assert main(["explain", "a", "b", "--model", str(tmp_path / "missing.pumice")]) == 1
    said = capsys.readouterr().err
    assert "dim=7 is not among the prefixes" in said
    assert "Traceback" not in said


def test_it_needs_no_optional_library() -> None:
    code = (
        "import sys\n"
        "for name in ('tokenizers', 'qdrant_edge', 'safetensors'): sys.modules[name] = None\n"
        "from pumice.cli import main; sys.exit(main(['explain', 'a', 'b']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
