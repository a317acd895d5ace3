"""Every Python snippet of the README runs, and every command it shows is one that exists."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_snippets_run(snippet: str, tmp_path: Path) -> None:
    assert "assert" in snippet
    ran = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", snippet],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr


def test_commands_run(tmp_path: Path, teacher_folder: Path) -> None:
    """``pumice`` commands in their order, on a folder of notes and the packaged teacher."""
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "passport.md").write_text(
        "# Passport\n\nRenew it at the town hall, with two photographs.\n"
    )
    (notes / "bread.txt").write_text("Flour, water, salt and time.\n")
    pairs = [{"anchor": f"question {i}", "positive": f"answer {i}"} for i in range(50)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    articles = tmp_path / "articles"
    articles.mkdir()
    rows = pa.table({"id": [1, 2], "body": ["Renew a passport.", "Bake bread."]})
    pq.write_table(rows, articles / "a.parquet")
    qrels = tmp_path / "scifact" / "qrels"
    qrels.mkdir(parents=True)
    (qrels / "test.tsv").write_text("q\ta\t1\n")
    documents = [{"_id": "a", "text": "Renew a passport."}, {"_id": "b", "text": "Bake bread."}]
    (qrels.parent / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (qrels.parent / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "passports"}))
    ran = []
    for command in COMMANDS:
        words = command.split()
        if words[0] != "pumice":
            continue
        command = command.replace("~/notes", "notes").replace("~/beir/scifact", "scifact")
        command = command.replace("sentence-transformers/all-MiniLM-L6-v2", str(teacher_folder))
        if words[1] == "distill":
            command += " --dim 32"
        done = subprocess.run(
            command.replace("pumice", f"{sys.executable} -m pumice.cli", 1),
            shell=True,
            cwd=tmp_path,
            env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        ran.append((words[1], done.stdout))
    outputs = dict(ran)
    verbs = ["index", "search", "encode", "eval", "distill", "info", "train"]
    assert [verb for verb, _ in ran] == verbs
    assert outputs["search"].index("passport.md") < outputs["search"].find("bread.txt") % 10**9
    assert "2 rows in 1 file" in outputs["encode"]
    assert "hybrid" in outputs["eval"]
    assert (tmp_path / "report.html").exists()
    assert "WordPiece" in outputs["info"]


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = [c.split()[1] for c in COMMANDS if c.startswith("make ")]
    assert targets == ["demo", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_extras_exist() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    for extra in re.findall(r'"pumice\[(\w+)\]"', README):
        assert re.search(rf"^{extra} = \[", pyproject, re.MULTILINE)


def test_the_tree_is_the_tree() -> None:
    tree = README.split("## The tree")[1].split("```")[1]
    folder = Path()
    for line in tree.strip().splitlines():
        name = line.split()[0]
        if line.startswith(" "):
            assert (ROOT / folder / name).exists(), name
        else:
            folder = Path(name)
            assert (ROOT / folder).is_dir(), name
