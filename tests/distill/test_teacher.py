"""Teachers: vectors as sentence-transformers and transformers give them, and clear refusals."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pumice.distill import DistillOptions, distill, distill_parts
from pumice.errors import HubError, InputError, MissingExtraError, ModelFileError, PumiceError
from pumice.teachers.files import teacher_name
from pumice.teachers.options import TeacherOptions
from pumice.teachers.teacher import Teacher, load_teacher
from tests.hub_server import serve

TEXTS = ["help", "the parser", "argument value of the action", "Überraschung 한국어"]


def embed(teacher: Teacher, texts: list[str]) -> NDArray[np.float32]:
    from pumice.distill.tokenizer_json import load_tokenizer

    plain = {**teacher.tokenizer, "truncation": None, "padding": None}
    encodings = load_tokenizer(plain).encode_batch(texts, add_special_tokens=False)
    return teacher.embed([encoding.ids for encoding in encodings])


def test_sentence_transformer_runs_all_its_layers(sentence_bert: Path) -> None:
    from sentence_transformers import SentenceTransformer

    teacher = load_teacher(sentence_bert, TeacherOptions(device="cpu"))
    vectors = embed(teacher, TEXTS)
    # The default prompt counts, and only the final normalisation is left out.
    expected = SentenceTransformer(str(sentence_bert), device="cpu").encode(TEXTS)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors / norms, expected, atol=1e-5)
    assert np.ptp(norms) > 0.01
    assert teacher.width == 16


def test_another_prompt(sentence_bert: Path) -> None:
    from sentence_transformers import SentenceTransformer

    teacher = load_teacher(sentence_bert, TeacherOptions(device="cpu", prompt="the "))
    vectors = embed(teacher, TEXTS)
    model = SentenceTransformer(str(sentence_bert), device="cpu")
    expected = model.encode(TEXTS, prompt="the ")
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors / norms, expected, atol=1e-5)


@pytest.mark.parametrize("pooling", ["teacher", "mean", "token", "first", "last"])
@pytest.mark.parametrize("name", ["bert", "gpt"])
def test_plain_transformer(name: str, pooling: Any, request: pytest.FixtureRequest) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = request.getfixturevalue(name)
    vectors = embed(load_teacher(folder, TeacherOptions(device="cpu", pooling=pooling)), TEXTS)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    model.eval()
    for vector, text in zip(vectors, TEXTS, strict=True):
        with torch.inference_mode():
            encoded = tokenizer(text, return_tensors="pt")
            states = model(**encoded).last_hidden_state[0].numpy()
        inner = states[1:-1] if name == "bert" else states
        expected = {
            "mean": states.mean(axis=0),
            "token": inner.mean(axis=0),
            "first": states[0],
            "last": states[-1],
        }
        # A plain decoder says a text's meaning at its last token, an encoder on average.
        expected["teacher"] = expected["last" if name == "gpt" else "mean"]
        np.testing.assert_allclose(vector, expected[pooling], atol=1e-4)


def test_metadata_comes_from_the_teachers_card(sentence_bert: Path) -> None:
    metadata = distill_parts(sentence_bert, dim=8, options=DistillOptions(name="mine")).metadata
    assert metadata.name == "mine"
    assert metadata.license == "mit"
    assert metadata.languages == ("en", "ko")
    assert metadata.prefixes == (8,)
    assert metadata.provenance["weighting"] == "zipf"
    assert str(sentence_bert.parent) not in str(metadata)


def test_same_input_same_numbers(bert: Path) -> None:
    first, second = distill_parts(bert, dim=8), distill_parts(bert, dim=8)
    assert first.embeddings.tobytes() == second.embeddings.tobytes()
    assert first.tokenizer == second.tokenizer


def test_progress_is_told(bert: Path) -> None:
    calls: list[tuple[int, int]] = []
    options = DistillOptions(progress=lambda done, total: calls.append((done, total)))
    parts = distill_parts(bert, dim=8, options=options)
    assert calls[-1] == (len(parts.embeddings), len(parts.embeddings))
    assert calls == sorted(calls)


def test_library_is_silent(bert: Path, capfd: pytest.CaptureFixture[str]) -> None:
    distill_parts(bert, dim=8)
    assert capfd.readouterr() == ("", "")


def test_teacher_without_its_files(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(HubError, match="does not exist"):
        distill_parts(tmp_path / "gone")
    with pytest.raises(HubError, match="not in the local cache, and offline=True"):
        distill_parts("nobody/such-model", options=DistillOptions(offline=True))
    with pytest.raises(InputError, match="is a file"):
        distill_parts(bert / "config.json")
    with pytest.raises(ModelFileError, match=r"no config\.json: not a model's folder$"):
        distill_parts(tmp_path)
    untold = tmp_path / "untold"
    untold.mkdir()
    shutil.copy(bert / "config.json", untold)
    with pytest.raises(ModelFileError, match=r"teacher untold cannot be loaded: .*[^: ]$"):
        distill_parts(untold)
    broken = tmp_path / "broken"
    shutil.copytree(bert, broken)
    (broken / "model.safetensors").write_bytes(b"short")
    with pytest.raises(PumiceError, match="teacher broken cannot be loaded"):
        distill_parts(broken)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (None, "teacher is of type NoneType: give a folder or a Hugging Face id"),
        (3, "teacher is of type int"),
        (b"model", "teacher is of type bytes"),
        ("", "teacher is empty: give a folder"),
    ],
)
def test_no_teacher_at_all(teacher: Any, message: str) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(InputError, match=message):
        distill(teacher)


def test_a_loaded_teacher_is_refused(sentence_bert: Path) -> None:
    from sentence_transformers import SentenceTransformer

    loaded: Any = SentenceTransformer(str(sentence_bert), device="cpu")
    with pytest.raises(InputError, match="of type SentenceTransformer: save it, and give the"):
        distill(loaded)


def test_folder_that_is_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path)
    for folder in ("notes", "."):
        with pytest.raises(ModelFileError) as caught:
            distill_parts(folder)
        assert str(caught.value) == f"{folder}: no config.json: not a model's folder"


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("bogus", "^device bogus: torch knows no such device: use cpu"),
        ("", "^device : torch knows no such device"),
        ("meta", r"^device meta: Cannot copy out of meta tensor; no data!: use cpu, or leave"),
        ("cuda", "^device cuda: torch was built without CUDA: use cpu, or leave it out$"),
    ],
)
def test_device_that_is_not_there(bert: Path, device: str, message: str) -> None:
    import torch

    if device == "cuda" and torch.version.cuda is not None:
        pytest.skip("needs a torch without CUDA")
    with pytest.raises(InputError, match=message):
        distill_parts(bert, dim=8, options=DistillOptions(device=device))


@pytest.mark.parametrize(
    ("folder", "title", "name"),
    [
        ("my-bert", "# other", "my-bert"),
        (
            "gt_minilm/model",
            "---\n# a comment\nlicense: mit\n---\n\n# all-MiniLM-L6-v2\n# Usage",
            "all-MiniLM-L6-v2",
        ),
        ("tuned/checkpoint-500", "# SentenceTransformer based on x/y\n# Usage", "tuned"),
        ("tuned/model", "", "tuned"),
        (f"models--owner--the-name/snapshots/{'0a' * 20}", "# x", "owner/the-name"),
    ],
)
def test_a_local_teachers_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, title: str, name: str
) -> None:
    place = tmp_path / folder
    place.mkdir(parents=True)
    if title:
        (place / "README.md").write_text(title, encoding="utf-8")
    assert teacher_name(place) == name
    monkeypatch.chdir(place)
    assert teacher_name(".") == name


def test_a_hub_teachers_name() -> None:
    assert teacher_name("owner/model") == "owner/model"


def test_teacher_with_nan(bert: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel

    folder = tmp_path / "nan"
    shutil.copytree(bert, folder)
    model = AutoModel.from_pretrained(folder)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight[20] = float("nan")
    model.save_pretrained(folder)
    with pytest.raises(ModelFileError, match=r"teacher nan: 1 of \d+ vectors hold NaN"):
        distill_parts(folder, dim=8)


def test_teacher_whose_table_is_too_small(bert: Path, tmp_path: Path) -> None:
    from transformers import AutoModel

    folder = tmp_path / "small"
    shutil.copytree(bert, folder)
    model = AutoModel.from_pretrained(folder)
    model.resize_token_embeddings(100)
    model.save_pretrained(folder)
    with pytest.raises(ModelFileError, match="its embedding table only 100 rows"):
        distill_parts(folder, dim=8)


def test_static_teacher_is_refused(tmp_path: Path, gpt: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    static = StaticEmbedding(Tokenizer.from_file(str(gpt / "tokenizer.json")), embedding_dim=8)
    SentenceTransformer(modules=[static], device="cpu").save(str(tmp_path / "static"))
    with pytest.raises(ModelFileError, match="which is not a transformer"):
        distill_parts(tmp_path / "static", dim=4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weighting": "idf"}, "weighting 'idf' is unknown: use one of auto, sif"),
        ({"pooling": "max"}, "pooling 'max' is unknown"),
        ({"sif_coefficient": 0.0}, "sif_coefficient is 0.0: it must lie between 0 and 1"),
        ({"sif_coefficient": float("nan")}, "sif_coefficient is nan"),
        ({"whitening": 1.5}, "whitening is 1.5"),
        ({"remove_pattern": "("}, "is not a regular expression"),
        ({"remove_pattern": 3}, "remove_pattern is of type int: give a string or None"),
        ({"prompt": 3}, "prompt is of type int: give a string or None"),
        ({"prompt": "\ud800"}, "prompt holds a lone surrogate at character 0"),
        ({"device": 3.5}, "device is of type float: give a string or None"),
        ({"name": 3}, "name is of type int: give a string"),
        ({"name": None}, "name is of type NoneType: give a string"),
        ({"offline": "yes"}, "offline is of type str: give True or False"),
        ({"sif_coefficient": "a"}, "sif_coefficient is of type str: give a number or None"),
        ({"whitening": True}, "whitening is of type bool: give a number or None"),
        ({"progress": 3}, "progress is of type int: give a function"),
    ],
)
def test_bad_options(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DistillOptions(**settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dim": 25}, "dim is 25 but teacher .* has 24 dimensions"),
        ({"dim": 0}, "dim is 0: give a whole number"),
        ({"dim": 8.0}, "dim is 8.0: give a whole number"),
        ({"options": DistillOptions(weighting="sif")}, '"sif" needs a corpus'),
        ({"options": DistillOptions(remove_unseen=True)}, "remove_unseen needs a corpus"),
        ({"options": DistillOptions(teacher_vocabulary=False)}, "the vocabulary is empty"),
        ({"options": DistillOptions(remove_pattern=".")}, "leaves no token"),
        ({"corpus": ["a"], "options": DistillOptions(weighting="zipf")}, "corpus has no use"),
        ({"corpus": ["a", "b\ud800"]}, "corpus text 1 holds a lone surrogate at character 1"),
        ({"corpus": 3}, "corpus is of type int: give a sequence of texts"),
        ({"corpus": {"the": "often"}}, "corpus counts 'the' as 'often'"),
        ({"corpus": {"the": 2**70}}, "corpus counts 'the' as 1180591620717411303424"),
        ({"options": {"name": "mine"}}, "options is of type dict: give DistillOptions"),
    ],
)
def test_bad_arguments(bert: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        distill_parts(bert, **{"dim": 8, **arguments})


def test_import_is_light_and_the_verb_stays_callable() -> None:
    code = (
        "import sys\n"
        "from pumice.distill import DistillOptions\n"
        "import pumice\n"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)\n"
        "assert callable(pumice.distill)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("library", ["torch", "transformers", "sentence_transformers"])
def test_missing_library(
    sentence_bert: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    # A None entry is how Python itself marks a module that cannot be imported.
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r'pip install "pumice\[distill\]"'):
        distill_parts(sentence_bert, dim=8)


def test_a_teacher_from_a_hub_is_the_teacher_in_its_folder(bert: Path, tmp_path: Path) -> None:
    code = (
        "import sys, pumice\n"
        "print(pumice.distill(sys.argv[1], dim=8).encode('a word or two').tobytes().hex())"
    )

    def distilled(teacher: str, address: str) -> str:
        env = {**os.environ, "HF_HUB_CACHE": str(tmp_path), "HF_ENDPOINT": address}
        ran = subprocess.run(
            [sys.executable, "-c", code, teacher],
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    with serve(bert) as (address, asked):
        fetched = distilled("owner/name", address)
        assert fetched == distilled(str(bert), address)
        assert any(path.endswith("model.safetensors") for path in asked)
        asked.clear()
        assert distilled("owner/name", address) == fetched
        assert asked == []
