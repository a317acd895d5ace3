"""pumice export and push_to_hub: folders that load again, cards, and a hub on loopback that receives them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub")

import pumice
from pumice.cli import main
from pumice.errors import InputError
from pumice.loading import shipped_path
from tests.hub_server import Uploads, receive

TEXTS = ["renew a passport", "bread, water and salt", "Überraschung", ""]


@pytest.fixture
def model_file(model: pumice.StaticModel, tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    model.save(tmp_path / "in" / "mine.pumice")
    return tmp_path / "in" / "mine.pumice"


def pushed(arguments: list[str], hub: Uploads, *, token: str | None = "hf_x") -> tuple[int, str]:
    """Run pumice export in a new process, whose hub and login are its own."""
    left_out = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HOME", "HF_TOKEN_PATH")
    env = {key: value for key, value in os.environ.items() if key not in left_out}
    env |= {"HF_ENDPOINT": hub.address, "HF_HUB_DISABLE_XET": "1"}
    env["HF_HOME"] = str(Path(arguments[0]).parent)  # where no login is
    if token is not None:
        env["HF_TOKEN"] = token
    ran = subprocess.run(
        [sys.executable, "-m", "pumice", "export", *arguments],
        env=env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in ran.stderr
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.parametrize("format_name", ["pumice", "model2vec", "sentence-transformers"])
def test_a_folder_gives_the_same_vectors(
    model: pumice.StaticModel, model_file: Path, tmp_path: Path, format_name: str
) -> None:
    folder = tmp_path / "out"
    assert main(["export", str(model_file), "-o", str(folder), "--format", format_name]) == 0
    same = pumice.load(folder)
    assert abs(same.encode(TEXTS) - model.encode(TEXTS)).max() < 1e-6
    if format_name == "pumice":
        assert same.fingerprint == model.fingerprint
    card = (folder / "README.md").read_text("utf-8")
    assert card.startswith("---\n")
    assert f'library_name: "{format_name}"' in card
    from huggingface_hub import ModelCard

    assert "static-embeddings" in (ModelCard(card).data.tags or [])


def test_the_card_beside_a_model_goes_with_it(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model_file.with_suffix(".md").write_text("# mine\n\n![plot](mine.svg)\n", "utf-8")
    model_file.with_suffix(".svg").write_text("<svg/>")
    assert main(["export", str(model_file), "-o", str(tmp_path / "out"), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["files"] == ["README.md", "mine.svg", "model.pumice"]
    assert "\n---\n\n# mine\n" in (tmp_path / "out" / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("format_name", "loads"),
    [
        ("pumice", 'pumice.load("FOLDER")'),
        ("model2vec", 'StaticModel.from_pretrained("FOLDER")'),
        ("sentence-transformers", 'SentenceTransformer("FOLDER")'),
    ],
)
def test_a_trained_models_card_tells_how_the_folder_is_loaded(
    model_file: Path, tmp_path: Path, format_name: str, loads: str
) -> None:
    shipped = shipped_path().with_suffix(".md").read_text("utf-8")  # as pumice train wrote it
    model_file.with_suffix(".md").write_text(shipped, "utf-8")
    folder = tmp_path / "out"
    assert main(["export", str(model_file), "-o", str(folder), "--format", format_name]) == 0
    card = (folder / "README.md").read_text("utf-8")
    assert loads in card
    assert ".pumice" not in card.partition("## Data")[0]
    assert card.partition("## Data")[2].strip() == shipped.partition("## Data")[2].strip()


def test_a_push_makes_a_repository_that_loads(
    model: pumice.StaticModel, model_file: Path, tmp_path: Path
) -> None:
    with receive() as hub:
        code, told = pushed([str(model_file), "--push", "owner/name", "--private"], hub)
        assert (code, told) == (0, f"pushed to {hub.address}/owner/name\n")
        assert hub.private == {"owner/name": True}
        assert hub.tokens == {"Bearer hf_x"}
        files = hub.files["owner/name"]
        assert files.keys() == {"README.md", "model.pumice"}
        assert model.fingerprint in files["README.md"].decode()
        (tmp_path / "back.pumice").write_bytes(files["model.pumice"])
        assert pumice.load(tmp_path / "back.pumice").fingerprint == model.fingerprint
        # Again, into what is there; and as another library's files, kept here too.
        arguments = [str(model_file), "--push", "owner/name", "--format", "model2vec"]
        assert pushed([*arguments, "-o", str(tmp_path / "kept")], hub)[0] == 0
        assert {"model.safetensors", "config.json"} <= hub.files["owner/name"].keys()
        assert (tmp_path / "kept" / "model.safetensors").exists()


def test_nothing_private_goes_to_a_public_place(model_file: Path) -> None:
    with receive() as hub:
        hub.private["owner/name"] = False
        code, told = pushed([str(model_file), "--push", "owner/name", "--private"], hub)
        assert code == 1
        assert "owner/name: is public already" in told
        assert hub.files == {}


def test_no_login_and_no_right_are_told(model_file: Path) -> None:
    with receive(refuses=403) as hub:
        code, told = pushed([str(model_file), "--push", "owner/name"], hub, token=None)
        assert (code, hub.asked) == (1, [])
        assert "run hf auth login, or set HF_TOKEN" in told
        code, told = pushed([str(model_file), "--push", "owner/name"], hub)
        assert code == 1
        assert "the hub refuses the upload (403)" in told
        assert "hf_x" not in told
    code, told = pushed([str(model_file), "--push", "owner/name"], hub)  # it is gone
    assert code == 1
    assert "owner/name: cannot be uploaded" in told


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "give a folder (-o), or a place to --push to"),
        (["-o", "out", "--private"], 2, "--private has no use without --push"),
        (["--push", "name"], 1, "name: is no place on a hub: give owner/name"),
        (["-o", "out", "--card", "gone.md"], 1, "gone.md: cannot be read: No such file"),
        (["-o", "out", "--card", "front.md"], 1, "front.md: begins with front matter"),
        (["gone.pumice", "-o", "out"], 1, "gone.pumice: no such file or folder"),
        (["-o", "front.md"], 1, "front.md: is a file: name a folder to write"),
    ],
)
def test_mistakes_are_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "front.md").write_text("---\nlicense: mit\n---\n# card\n")
    assert main(["export", *arguments]) == code
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["front.md"]


def test_a_place_is_checked_before_anything_is_written(model: pumice.StaticModel) -> None:
    with pytest.raises(InputError, match="a place/that is none: is no place on a hub"):
        model.push_to_hub("a place/that is none")
