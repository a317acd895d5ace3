"""mteb takes the model and reckons what we do: on a task that is made here, without a network."""

from __future__ import annotations

from typing import Any

import pytest

import pumice
from pumice.evaluate import Model, evaluate
from pumice.evaluate.beir import read_beir
from tests.evaluate.conftest import Writer


def local_task(data: Any) -> Any:
    datasets = pytest.importorskip("datasets")
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    class TinyRetrieval(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name="TinyRetrieval",
            description="Made for a test.",
            dataset={"path": "none/none", "revision": "1"},
            type="Retrieval",
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="ndcg_at_10",
        )

        def load_data(self, *_: Any, **__: Any) -> None:
            rows = [{"id": one, "title": "", "text": text} for one, text in data.documents.items()]
            asked = [{"id": one, "text": text} for one, text in data.queries.items()]
            split = {
                "corpus": datasets.Dataset.from_list(rows),
                "queries": datasets.Dataset.from_list(asked),
                "relevant_docs": {one: dict(grades) for one, grades in data.judgments.items()},
                "top_ranked": None,
            }
            self.dataset = {"default": {"test": split}}
            self.data_loaded = True

    return TinyRetrieval()


@pytest.mark.slow
def test_the_same_figure(write_beir: Writer, model: pumice.StaticModel) -> None:
    pytest.importorskip("mteb", reason="needs pumice[mteb]")
    from pumice.evaluate.mteb_tasks import run_tasks

    data = read_beir(write_beir())
    ours = Model("random-64", model, model, static=True)
    [found] = run_tasks(ours, [local_task(data)])
    first = evaluate([ours], [data]).figures[0]
    assert (found.task, found.metric) == ("TinyRetrieval", "ndcg_at_10")
    assert found.score == pytest.approx(first.metrics["nDCG@10"], abs=1e-5)


@pytest.mark.slow
def test_an_unknown_task_is_told(model: pumice.StaticModel) -> None:
    pytest.importorskip("mteb", reason="needs pumice[mteb]")
    from pumice.evaluate.mteb_tasks import run_tasks

    with pytest.raises(pumice.PumiceError, match="mteb knows no benchmark or task of this name"):
        run_tasks(Model("random-64", model, model, static=True), ["nonsense"])
