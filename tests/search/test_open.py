"""Opening, reopening and refusing: manifests, other models, foreign and half-made folders."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from pumice.errors import PumiceError, SearchIndexError
from pumice.search import Index
from pumice.search.manifest import MANIFEST_FILE, UNFINISHED_FILE

RECORDS = [{"id": 1, "text": "a cat"}, {"id": "two", "text": "a train", "year": 2024}]


@pytest.fixture
def filled(tmp_path: Path, model: Any) -> Path:
    folder = tmp_path / "filled"
    with Index(folder, model) as index:
        index.add(RECORDS)
    return folder


def test_reopens_with_everything_in_it(filled: Path, model: Any) -> None:
    for _ in range(2):
        with Index(filled, model) as index:
            assert len(index) == 2
            assert index.search("train", k=1)[0].payload == {"year": 2024}


def test_remembers_where_its_model_is(tmp_path: Path, model_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(model_path.parent)
    with Index(tmp_path / "i", model_path.name) as index:
        index.add(RECORDS)
    monkeypatch.chdir(tmp_path)
    with Index("i") as index:
        assert index.search("train", k=1)[0].id == "two"


def test_a_model_that_moved_is_asked_for_and_then_remembered(
    tmp_path: Path, model_path: Path
) -> None:
    here, there = tmp_path / "here.pumice", tmp_path / "there.pumice"
    copy = shutil.copytree if model_path.is_dir() else shutil.copy
    copy(model_path, here)
    Index(tmp_path / "i", here).close()
    here.rename(there)
    with pytest.raises(SearchIndexError, match="needs the model"):
        Index(tmp_path / "i")
    if model_path.is_file():
        Index(tmp_path / "i", there).close()
        Index(tmp_path / "i").close()


def test_refuses_another_model_by_name(filled: Path, model: Any, other_model: Any) -> None:
    with pytest.raises(SearchIndexError) as refused:
        Index(filled, other_model)
    for part in (model.name, model.fingerprint[:8], other_model.fingerprint[:8], "new folder"):
        assert part in str(refused.value)
    with Index(filled, model) as index:  # the refusal left no lock behind
        assert len(index) == 2


def test_refuses_other_dimensions(filled: Path, model: Any) -> None:
    with pytest.raises(SearchIndexError, match="dimensions"):
        Index(filled, model, dim=model.dimensions // 2)


def test_refuses_a_folder_of_somebody_else(tmp_path: Path, model: Any) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SearchIndexError, match=r"thesis\.tex"):
        Index(tmp_path, model)
    with pytest.raises(SearchIndexError, match="is a file"):
        Index(tmp_path / "thesis.tex", model)


def test_creates_nothing_when_told_not_to(tmp_path: Path, model: Any) -> None:
    with pytest.raises(SearchIndexError, match="pumice index"):
        Index(tmp_path / "none", model, create=False)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"format": "other"}',
        b'{"format": "pumice-index"}',
        b'{"format": "pumice-index", "version": 99}',
        b'{"format": "pumice-index", "version": 1}',
        b'{"format": "pumice-index", "version": 2}',
        b'{"format": "pumice-index", "version": 2, "model_name": 5}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_damaged_manifest_is_one_sentence(filled: Path, model: Any, content: bytes) -> None:
    (filled / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(SearchIndexError, match=r"index again into a new folder"):
        Index(filled, model)


def test_a_lost_shard_is_one_sentence(filled: Path, model: Any) -> None:
    shutil.rmtree(filled / "shard")
    with pytest.raises(SearchIndexError, match="could not be opened"):
        Index(filled, model)


def test_a_creation_that_was_killed_starts_over(filled: Path, model: Any) -> None:
    (filled / UNFINISHED_FILE).touch()  # it goes last
    (filled / MANIFEST_FILE).unlink()
    (filled / (MANIFEST_FILE + "abc.tmp")).write_text("{")
    with Index(filled, model) as index:
        assert len(index) == 0
        index.add(RECORDS)
    assert json.loads((filled / MANIFEST_FILE).read_text())["version"] == 2
    assert not (filled / UNFINISHED_FILE).exists()


def test_a_finished_index_is_kept_whatever_a_killed_creation_left(filled: Path, model: Any) -> None:
    (filled / UNFINISHED_FILE).touch()
    with Index(filled, model) as index:
        assert len(index) == 2
    (filled / MANIFEST_FILE).unlink()
    with pytest.raises(SearchIndexError, match="restore it"):
        Index(filled, model)


def test_a_lost_manifest_does_not_cost_the_records(filled: Path, model: Any) -> None:
    (filled / MANIFEST_FILE).rename(filled.parent / "backup.json")
    with pytest.raises(
        SearchIndexError,
        match=r"holds a shard but no pumice-index\.json: restore it or name a new folder",
    ):
        Index(filled, model)
    (filled.parent / "backup.json").rename(filled / MANIFEST_FILE)
    with Index(filled, model) as index:
        assert len(index) == 2


def test_a_folder_of_the_users_named_shard_is_kept(tmp_path: Path, model: Any) -> None:
    (tmp_path / "shard").mkdir()
    (tmp_path / "shard" / "thesis.tex").write_text("years of work")
    for _ in range(2):
        with pytest.raises(SearchIndexError, match=r"not empty \(it holds 'shard'\)"):
            Index(tmp_path, model)
    assert (tmp_path / "shard" / "thesis.tex").read_text() == "years of work"
    assert os.listdir(tmp_path) == ["shard"]


def test_a_tilde_is_the_home_folder(tmp_path: Path, model: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with Index("~/mine", model) as index:
        assert index.location == str(tmp_path / "mine")


def test_a_missing_engine_leaves_no_folder(tmp_path: Path, model: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_edge", None)
    with pytest.raises(PumiceError, match=r'pip install "pumice\[search\]"'):
        Index(tmp_path / "new", model)
    assert not (tmp_path / "new").exists()


def test_a_closed_index_says_so(filled: Path, model: Any) -> None:
    index = Index(filled, model)
    index.close()
    index.close()
    with pytest.raises(SearchIndexError, match="closed"):
        index.search("x")


def test_forgetting_an_index_lets_its_folder_go(filled: Path, model: Any) -> None:
    index = Index(filled, model)
    with pytest.raises(PumiceError, match="already open in this process"):
        Index(filled, model)
    del index
    Index(filled, model).close()
