"""Static against transformer: the rule by its figures, agreement by hand, and the whole command for real."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.cli import main
from pumice.evaluate.beir import read_beir
from pumice.evaluate.comparison.cost import Cost
from pumice.evaluate.comparison.quality import Agreement, Quality, agree, judge
from pumice.evaluate.comparison.recommendation import (
    LOOK,
    STATIC,
    STATIC_FIRST,
    TRANSFORMER,
    digits,
    duration,
    recommend,
)
from pumice.evaluate.retrieval_set import checked_set
from pumice.evaluate.user_texts import Files, read_user_texts
from tests.evaluate.conftest import DOCUMENTS, QUERIES, Writer

FAST = Cost(
    texts=100_000,
    text_bytes=10_000_000,
    processor_seconds=0.5,
    seconds=0.3,
    load_seconds=0.01,
    query_milliseconds=0.005,
    resident_bytes=50_000_000,
    model_bytes=16_000_000,
    dimensions=512,
)
SLOW = replace(FAST, texts=100, processor_seconds=10.0, query_milliseconds=20.0)


def quality(
    static: float, transformer: float, *, low: float, high: float, queries: int = 300
) -> Quality:
    return Quality(static, transformer, low, high, queries)


@pytest.mark.parametrize(
    ("found", "choice"),
    [
        (quality(0.56, 0.55, low=-0.01, high=0.03), STATIC),
        (quality(0.54, 0.55, low=-0.02, high=-0.001), STATIC),  # 98 % are enough
        (quality(0.50, 0.55, low=-0.07, high=0.01), STATIC),  # and so is what cannot be told apart
        (quality(0.50, 0.55, low=-0.07, high=-0.02), STATIC_FIRST),
        (quality(0.40, 0.55, low=-0.2, high=-0.1), TRANSFORMER),
    ],
)
def test_the_rule(found: Quality, choice: str) -> None:
    agreement = Agreement(0.5, 0.7, ())
    recommendation = recommend(FAST, SLOW, quality=found, agreement=agreement)
    assert recommendation.choice == choice
    assert any("20,000 times as long" in reason for reason in recommendation.reasons)
    assert all(reason.endswith(".") for reason in recommendation.reasons)


def test_without_judgments_nothing_is_said_of_quality() -> None:
    for top, choice in ((0.7, STATIC), (0.3, LOOK)):
        found = recommend(FAST, SLOW, quality=None, agreement=Agreement(top, 0.8, ()))
        assert found.choice == choice
        assert "judge 50 queries" in found.reasons[-1]


def test_cost_is_reckoned_from_processor_time() -> None:
    assert FAST.processor_hours_per_million == pytest.approx(5 / 3600)
    assert SLOW.price_per_million(0.05) == pytest.approx(100_000 / 3600 * 0.05)


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0.5 / 3600, "0.50 s"),
        (50 / 3600, "50 s"),
        (0.5, "30 min"),
        (27.4, "27.4 h"),
        (1234, "1,234 h"),
    ],
)
def test_durations(hours: float, said: str) -> None:
    assert duration(hours) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0000533, "0.000053"), (1.097, "1.1"), (581.2, "581"), (0, "0"), (12.34, "12")],
)
def test_digits(value: float, said: str) -> None:
    assert digits(value) == said


def test_agreement_by_hand() -> None:
    theirs = {"a": ["1", "2"], "b": ["1", "2"], "c": []}
    found = agree({"a": ["2", "1"], "b": ["3", "2"]}, theirs)
    assert found.top == pytest.approx((1 + 0.5 + 0) / 3)
    assert found.first == pytest.approx(1 / 3)
    assert found.least == ("b", "a", "c")


def test_the_interval_holds_the_difference() -> None:
    rng = np.random.default_rng(1)
    documents = {f"d{at}": "text" for at in range(20)}
    queries = {f"q{at}": "query" for at in range(200)}
    data = checked_set("made", documents, queries, {one: {"d0": 1} for one in queries})
    right = {one: ["d0"] for one in queries}
    half = {one: ["d0"] if rng.random() < 0.5 else ["d1"] for one in queries}
    found = judge(half, right, data)
    assert found.transformer == 1
    assert found.low < found.static - 1 < found.high < 0
    assert 0.1 < found.high - found.low < 0.2  # 2 * 1.96 * sqrt(0.25 / 200) = 0.139
    assert found.can_tell
    assert not judge(right, right, data).can_tell


def test_texts_of_ones_own(tmp_path: Path, write_beir: Writer) -> None:
    folder = write_beir()
    assert read_user_texts(Files(folder)).judgments
    (tmp_path / "docs.txt").write_text("one text\n\nanother\n", "utf-8")
    (tmp_path / "asked.txt").write_text("a question\n", "utf-8")
    data = read_user_texts(Files(tmp_path / "docs.txt", tmp_path / "asked.txt"))
    assert list(data.documents.values()) == ["one text", "another"]
    assert list(data.queries.values()) == ["a question"]
    assert data.judgments == {}
    given = Files(folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels" / "test.tsv")
    assert read_user_texts(given).judgments == read_beir(folder).judgments
    with pytest.raises(pumice.PumiceError, match="queries must be given"):
        read_user_texts(Files(tmp_path / "docs.txt"))
    with pytest.raises(pumice.PumiceError, match="no such file"):
        read_user_texts(Files(tmp_path / "docs.txt", tmp_path / "none.txt"))
    (tmp_path / "docs.pdf").write_bytes(b"")
    with pytest.raises(pumice.PumiceError, match=r"is no \.jsonl, \.parquet or \.txt file"):
        read_user_texts(Files(tmp_path / "docs.pdf", tmp_path / "asked.txt"))


@pytest.mark.slow
def test_the_command(
    tmp_path: Path, write_beir: Writer, teacher_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_beir()
    arguments = [
        "compare",
        "pumice-base-en",
        str(teacher_folder),
        "--seconds",
        "0.5",
        "--price",
        "0.05",
    ]
    judged = [*arguments, "--corpus", str(folder), "--vectors", str(tmp_path / "vectors")]
    assert main(judged) == 0
    printed = capsys.readouterr().out
    assert "Recommendation: take the static model." in printed
    assert "4 queries cannot tell the two apart" in printed
    assert "price of that, at 0.05 an hour" in printed
    assert main([*judged, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["format"], content["version"]) == ("pumice-compare", 1)
    ours, theirs = content["static"]["cost"], content["transformer"]["cost"]
    assert ours["resident_bytes"] < theirs["resident_bytes"]
    assert (
        ours["processor_seconds"] / ours["texts"]
        < theirs["processor_seconds"] / theirs["texts"] / 100
    )
    assert theirs["dimensions"] == 384
    files = ["--corpus", str(folder / "corpus.jsonl"), "--queries", str(folder / "queries.jsonl")]
    assert main([*arguments, *files]) == 0
    printed = capsys.readouterr().out
    assert "first ten in common" in printed
    assert "judge 50 queries" in printed


def test_failures_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs.jsonl").write_text(json.dumps({"text": DOCUMENTS["bread"]}) + "\n")
    (tmp_path / "asked.txt").write_text(QUERIES["q2"] + "\n")
    texts = ["--corpus", str(tmp_path / "docs.jsonl"), "--queries", str(tmp_path / "asked.txt")]
    for arguments, said in (
        (["no.pumice", "x/y", *texts], "no such file or folder"),
        (["bm25", "x/y", *texts], "is no embedding model"),
        (["pumice-base-en", "x/y", "--corpus", str(tmp_path)], "has no corpus.jsonl"),
    ):
        assert main(["compare", *arguments]) == 1
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    assert main(["compare", "a"]) == 2
