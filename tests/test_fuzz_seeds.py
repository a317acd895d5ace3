"""The committed inputs of the fuzz targets are those that their generator writes, and what fuzzers found."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

FUZZ = Path(__file__).resolve().parents[1] / "core" / "fuzz"


@pytest.mark.parametrize("name", ["model", "text"])
def test_seeds_are_committed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FUZZ)
    seeds = import_module("seeds").seeds()[name]
    assert seeds
    for seed, data in seeds.items():
        assert (FUZZ / "regressions" / name / seed).read_bytes() == data, seed
