"""Evaluation from end to end: what Qdrant finds, held against plain numpy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pumice
from pumice.cli import main
from pumice.evaluate import Model, evaluate, open_model
from pumice.evaluate.beir import read_beir
from pumice.evaluate.exact import Exact
from pumice.evaluate.metrics import measure
from pumice.evaluate.retrieval_set import checked_set
from tests.evaluate.conftest import Writer


def as_model(model: pumice.StaticModel) -> Model:
    return Model("random-64", model, model, static=True)


def test_float_rows_are_exact_search(write_beir: Writer, model: pumice.StaticModel) -> None:
    data = read_beir(write_beir())
    figures = {f.setting: f for f in evaluate([as_model(model)], [data]).figures}
    for dim in (64, 32, 16):
        vectors = model.encode(list(data.documents.values()), dim=dim)
        queries = model.encode(list(data.queries.values()), dim=dim)
        order = np.argsort(-(queries @ vectors.T), axis=1)
        first = [data.document_ids[row[0]] for row in order]
        mrr = [
            1.0 if data.judgments[query].get(one, 0) > 0 else None
            for query, one in zip(data.queries, first, strict=True)
        ]
        figure = figures[f"float32, {dim} d"]
        if all(mrr):
            assert figure.metrics["MRR@10"] == 1
        assert figure.metrics["recall@10"] == 1  # six documents: all are found
        assert figure.bytes_per_vector == 4 * dim
    assert figures["float32, 64 d"].recall == 1
    assert figures["float32, 64 d"].metrics["nDCG@10"] > 0.9  # it shares every word


def test_bm25_finds_words(write_beir: Writer) -> None:
    data = read_beir(write_beir())
    [figure] = evaluate([None], [data]).figures
    assert figure.model == "bm25"
    assert figure.metrics["MRR@10"] == 1
    assert figure.recall is None


def test_queries_that_are_documents_do_not_find_themselves(model: pumice.StaticModel) -> None:
    texts = {"a": "bread and salt", "b": "bread and salt and water", "c": "a piano"}
    data = checked_set("self", texts, {"a": texts["a"]}, {"a": {"b": 1}})
    figures = evaluate([as_model(model), None], [data]).figures
    assert {figure.metrics["MRR@10"] for figure in figures} == {1.0}


def test_recall_counts_equal_scores(model: pumice.StaticModel) -> None:
    """Twelve copies of one text: any ten of them are the nearest ten."""
    texts = {f"d{at}": "bread and salt" for at in range(12)} | {"other": "a piano"}
    data = checked_set("copies", texts, {"q": "bread"}, {"q": {"d0": 1}})
    exact = Exact.of(as_model(model), data)
    assert exact.recall({"q": [f"d{at}" for at in range(2, 12)]}, ["q"]) == 1
    assert exact.recall({"q": ["other", *(f"d{at}" for at in range(9))]}, ["q"]) == 0.9


def test_a_language_without_tokens_is_told(model: pumice.StaticModel) -> None:
    data = checked_set("odd", {"a": "\u0d15\u0d7a"}, {"q": "bread"}, {"q": {"a": 1}})
    with pytest.raises(pumice.PumiceError, match="knows no token of any document"):
        evaluate([as_model(model)], [data])


class Broken:
    """What damaged weights give."""

    name, fingerprint, dimensions, prefixes, nbytes = "broken", "0", 4, None, 16

    def encode(self, texts: Any, *, dim: int | None = None) -> Any:
        return np.array([[1, 0, 0, np.nan if "salt" in text else 0] for text in texts], np.float32)


def test_nan_is_told(write_beir: Writer) -> None:
    model = Model("broken", Broken(), Broken(), static=False)
    with pytest.raises(pumice.PumiceError, match=r"model broken gives .* NaN .* document 'bread'"):
        evaluate([model], [read_beir(write_beir())])


def test_the_command(
    write_beir: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_beir()
    page = tmp_path / "report.html"
    arguments = ["pumice-base-en", "bm25", "--data", str(folder)]
    assert main(["eval", *arguments, "--html", str(page)]) == 0
    printed = capsys.readouterr()
    head, *rows = printed.out.splitlines()
    assert head.split()[:2] == ["nDCG@10", "tiny"]
    assert rows[0] == "pumice-base-en"
    assert "tiny: pumice-base-en, float32, 512 d: nDCG@10" in printed.err
    assert main(["eval", "--json", *arguments]) == 0  # a flag: it takes no file's name
    content = json.loads(capsys.readouterr().out)
    assert (content["format"], content["version"]) == ("pumice-eval", 1)
    assert {figure["model"] for figure in content["figures"]} == {"pumice-base-en", "bm25"}
    assert content["sets"] == [{"name": "tiny", "documents": 6, "queries": 4, "relevant": 5}]
    assert content["fingerprints"] == {"pumice-base-en": pumice.load().fingerprint}
    html = page.read_text("utf-8")
    assert pumice.load().fingerprint in html
    assert html.count("<svg") == html.count("</svg>") == 3
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org/", "")  # nothing is fetched


def test_failures_are_one_sentence(
    write_beir: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(write_beir())
    (tmp_path / "bad").mkdir()
    for arguments, said in (
        ([str(tmp_path / "no.pumice"), "--data", folder], "no such file or folder"),
        (["--data", str(tmp_path / "bad")], "has no corpus.jsonl"),
        (["--data", folder, "--html", str(tmp_path)], "is a folder: name a file in it, such as"),
        (["--data", folder, "--html", str(tmp_path / "a/b")], "no such folder to write the report"),
    ):
        assert main(["eval", *arguments]) == 1
        error = capsys.readouterr().err
        assert said in error
        assert error.startswith("pumice: ")
        assert error.count("\n") == 1
    assert main(["eval"]) == 2


def test_the_shipped_model_on_real_data(data_dir: Path) -> None:
    """Float rows are what numpy finds; codes lose little, and next to nothing where they are rescored."""
    data = read_beir(data_dir / "eval" / "xquad_en").ask_only(150)
    figures = {figure.setting: figure for figure in evaluate([open_model(None)], [data]).figures}
    model = pumice.load()
    scores = (
        model.encode(list(data.queries.values())) @ model.encode(list(data.documents.values())).T
    )
    best = [[data.document_ids[at] for at in row[:10]] for row in np.argsort(-scores, axis=1)]
    ranking = dict(zip(data.queries, best, strict=True))
    floats = figures[f"float32, {model.dimensions} d"]
    assert floats.metrics["nDCG@10"] == pytest.approx(measure(ranking, {}, data)["nDCG@10"])
    assert floats.recall == 1
    assert figures["int8"].recall > 0.95
    assert figures["int8, rescored"].recall > 0.99
    assert 0.3 < figures["binary"].recall < figures["binary, 8-bit query"].recall
    assert figures["binary, 8-bit query, rescored"].recall > 0.9
    assert figures["binary"].bytes_per_vector == model.dimensions / 8
    assert figures["BM25"].recall is None
    assert figures["hybrid"].metrics["nDCG@10"] > floats.metrics["nDCG@10"]
