"""Importing pumice loads numpy and the core, and does nothing else."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pumice

OPTIONAL = [
    "bm25s",
    "datasets",
    "fsspec",
    "huggingface_hub",
    "ir_measures",
    "matplotlib",
    "mteb",
    "pyarrow",
    "qdrant_client",
    "qdrant_edge",
    "ray",
    "safetensors",
    "semhash",
    "semantic_text_splitter",
    "sentence_transformers",
    "tokenizers",
    "torch",
    "tqdm",
    "transformers",
    "zstandard",
]


def in_child(code: str) -> str:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout


def test_import_loads_numpy_and_the_core_alone() -> None:
    code = (
        "import sys, json, numpy; before = set(sys.modules); import pumice\n"
        "print(json.dumps(sorted(m for m in set(sys.modules) - before if not m.startswith('pumice'))))"
    )
    added = {name.partition(".")[0] for name in json.loads(in_child(code))}
    assert added <= {"numpy", *sys.stdlib_module_names}


def test_encoding_with_a_native_model_loads_nothing_more(tmp_path: object) -> None:
    code = (
        "import sys, json, pumice; pumice.load().encode(['a text'], dtype='binary')\n"
        f"print(json.dumps([m for m in {OPTIONAL!r} if m in sys.modules]))"
    )
    assert json.loads(in_child(code)) == []


@pytest.mark.parametrize(
    ("module", "named", "extra", "call"),
    [
        ("safetensors", "safetensors", "hub", "pumice.load('folder')"),
        ("huggingface_hub", "huggingface_hub", "hub", "pumice.load('owner/name')"),
        (
            "qdrant_edge",
            "qdrant-edge-py",
            "search",
            "pumice.Index('index', pumice.load()).add([{'id': 1, 'text': 'a'}])",
        ),
        ("ir_measures", "ir-measures", "eval", "pumice.evaluate([pumice.load()], [])"),
        ("pyarrow", "pyarrow", "batch", "pumice.batch.encode_files('folder/texts.txt', 'out')"),
        ("torch", "torch", "distill", "pumice.distill('owner/name')"),
        ("torch", "torch", "train", "pumice.train('owner/name')"),
    ],
)
def test_an_absent_library_names_its_extra(module: str, named: str, extra: str, call: str) -> None:
    code = (
        f"import os, sys, tempfile; sys.modules[{module!r}] = None; import pumice, pumice.batch\n"
        "os.chdir(tempfile.mkdtemp()); os.mkdir('folder')\n"
        "for name in ('tokenizer.json', 'model.safetensors', 'texts.txt'):\n"
        "    open(f'folder/{name}', 'w').write('{}')\n"
        f"try:\n    {call}\n"
        "except pumice.PumiceError as error:\n    print(error)\n"
    )
    told = in_child(code).strip()
    assert told.endswith(f'{named} is not installed: run pip install "pumice[{extra}]"')
    assert "\n" not in told


def test_an_absent_library_is_told_by_another_process_too() -> None:
    for wanted in ("", "a lance dataset: "):
        error = pumice.errors.MissingExtraError("pylance", "lance", wanted=wanted)
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == str(error)


VERBS = ("batch", "distill", "evaluate", "search", "serve", "train")


def test_verbs_never_import_each_other() -> None:
    package = Path(pumice.__file__).parent
    for verb in VERBS:
        for path in (package / verb).rglob("*.py"):
            others = "|".join(other for other in VERBS if other != verb)
            found = re.findall(rf"(?:from|import) pumice\.(?:{others})\b", path.read_text("utf-8"))
            assert not found, f"{path}: {found}"


def test_importing_train_and_batch_loads_no_library() -> None:
    code = (
        "import sys, json; from pumice.train import TrainOptions, train; TrainOptions(); import pumice.batch\n"
        f"print(json.dumps([m for m in {OPTIONAL!r} if m in sys.modules]))"
    )
    assert json.loads(in_child(code)) == []


def test_the_verbs_are_reached_from_the_package() -> None:
    code = (
        "import pumice, pumice.distill, pumice.evaluate, pumice.search, pumice.train, inspect\n"
        "from pumice import Index, distill, evaluate, train\n"
        "verbs = (pumice.distill, pumice.evaluate, pumice.train)\n"
        "print(all(map(callable, verbs)), inspect.isclass(pumice.Index),\n"
        "      pumice.__version__)"
    )
    assert in_child(code).split()[:2] == ["True", "True"]


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = pumice.nonsense  # type: ignore[attr-defined]
