"""The recipes that measure: the four-set table on a set that is there, and the homonyms."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.evaluate.conftest import Writer

RECIPES = Path(__file__).parents[2] / "recipes"
pytestmark = pytest.mark.skipif(not RECIPES.is_dir(), reason="the recipes are not beside the tests")


def run(recipe: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RECIPES / recipe / "measure.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_four_sets_that_are_there(write_beir: Writer, tmp_path: Path) -> None:
    write_beir("arguana")
    ran = run("beir_four", str(tmp_path), "pumice-base-en", "bm25")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("left out") == 3
    head, _, *rows = ran.stdout.splitlines()
    assert head == "| model | kept as | ArguAna |"
    assert [row.split(" | ")[1] for row in rows] == [
        "original",
        "binary",
        "binary, 8-bit query",
        "binary, 8-bit query, rescored",
        "bm25s, English stop words",
    ]
    assert run("beir_four", str(tmp_path / "none")).returncode == 1


def test_homonyms() -> None:
    ran = run("homonyms", "pumice-base-en")
    assert ran.returncode == 0, ran.stderr
    assert "| homonym | 20 |" in ran.stdout
    assert "| order | 5 |" in ran.stdout
    assert "| negation | 5 |" in ran.stdout
    assert ran.stdout.count("\n") == 38
