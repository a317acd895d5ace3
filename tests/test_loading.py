"""pumice.load: paths, folders, and hub ids from a local cache and from a hub served on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pumice
from pumice.errors import HubError, InputError, MissingExtraError, ModelFileError
from tests.hub_server import COMMIT, serve


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, model: pumice.StaticModel) -> Path:
    """The files of a hub repository."""
    folder = tmp_path_factory.mktemp("repository")
    model.save_pretrained(folder, format="model2vec")
    return folder


def cached(repository: Path, root: Path) -> Path:
    """A hub cache that holds the repository as owner/name at ``main``."""
    place = root / "models--owner--name"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    snapshot = place / "snapshots" / COMMIT
    snapshot.parent.mkdir()
    snapshot.symlink_to(repository, target_is_directory=True)
    return root


def load_in_child(name: str, *, hub: str, cache: Path, arguments: str = "") -> str:
    """Load in a new process, whose hub settings are its own; prints the fingerprint or the error."""
    code = (
        "import pumice\n"
        "try:\n"
        f"    print(pumice.load({name!r}{arguments}).fingerprint)\n"
        "except pumice.PumiceError as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    env = {**os.environ, "HF_HUB_CACHE": str(cache), "HF_ENDPOINT": hub, "HF_HUB_DISABLE_XET": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.fixture
def hub(repository: Path) -> Iterator[tuple[str, list[str]]]:
    """A hub on loopback that serves the repository, and the paths asked of it."""
    with serve(repository) as served:
        yield served


def test_a_hub_id_is_taken_from_the_cache_first(
    repository: Path, tmp_path: Path, hub: tuple[str, list[str]]
) -> None:
    address, asked = hub
    found = load_in_child("owner/name", hub=address, cache=cached(repository, tmp_path))
    assert len(found) == 64
    assert asked == []
    assert (
        load_in_child("owner/name", hub=address, cache=tmp_path, arguments=", offline=True")
        == found
    )


def test_a_hub_id_is_fetched_once(tmp_path: Path, hub: tuple[str, list[str]]) -> None:
    address, asked = hub
    found = load_in_child("owner/name", hub=address, cache=tmp_path)
    assert len(found) == 64
    assert any(path.endswith("model.safetensors") for path in asked)
    asked.clear()
    assert load_in_child("owner/name", hub=address, cache=tmp_path) == found
    assert asked == []
    pinned = load_in_child(
        "owner/name", hub=address, cache=tmp_path, arguments=f", revision={COMMIT!r}, offline=True"
    )
    assert pinned == found


def test_a_cache_that_lacks_the_weights_is_completed(
    repository: Path, tmp_path: Path, hub: tuple[str, list[str]]
) -> None:
    snapshot = tmp_path / "models--owner--name" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (tmp_path / "models--owner--name" / "refs").mkdir()
    (tmp_path / "models--owner--name" / "refs" / "main").write_text(COMMIT)
    (snapshot / "config.json").write_bytes((repository / "config.json").read_bytes())
    offline = load_in_child("owner/name", hub=hub[0], cache=tmp_path, arguments=", offline=True")
    assert "its cached files are not a whole model, and offline=True forbids fetching" in offline
    assert len(load_in_child("owner/name", hub=hub[0], cache=tmp_path)) == 64


def test_what_the_hub_does_not_have(tmp_path: Path, hub: tuple[str, list[str]]) -> None:
    said = load_in_child("no/such", hub=hub[0], cache=tmp_path)
    assert said.startswith("HubError no/such: the hub answers 404: check the name")


def test_a_hub_that_cannot_be_reached(tmp_path: Path) -> None:
    said = load_in_child("owner/name", hub="http://127.0.0.1:9", cache=tmp_path)
    assert said.startswith("HubError owner/name: no such path, it is not in the local cache")
    offline = load_in_child(
        "owner/name",
        hub="http://127.0.0.1:9",
        cache=tmp_path,
        arguments=', revision="v1", offline=True',
    )
    assert offline.startswith(
        "HubError owner/name@v1: it is not in the local cache, and offline=True"
    )


@pytest.mark.parametrize("name", ["no-such-model", "./missing/folder/", "missing.pumice"])
def test_paths_that_do_not_exist(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((HubError, ModelFileError)):
        pumice.load(name)


def test_a_folder_with_one_model_file(model: pumice.StaticModel, tmp_path: Path) -> None:
    model.save(tmp_path / "a.pumice")
    assert pumice.load(tmp_path).fingerprint == model.fingerprint
    model.save(tmp_path / "b.pumice")
    with pytest.raises(ModelFileError, match=r"more than one model \(a.pumice, b.pumice\)"):
        pumice.load(tmp_path)


def test_a_wrong_type_is_refused() -> None:
    with pytest.raises(InputError, match="model is int: pass a path"):
        pumice.load(3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match='model is "": pass a path'):
        pumice.load("")


def test_a_revision_of_a_local_path_is_refused(repository: Path) -> None:
    with pytest.raises(InputError, match="is for hub ids, and this is a local path"):
        pumice.load(repository, revision="v1")


def test_a_misspelt_path_is_told_where_the_hub_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(
        MissingExtraError, match=r"^models/mine: no such file or folder, and .*\[hub\]"
    ):
        pumice.load("models/mine")
