"""Columns that stay as they are: what is trained behind them leaves a model's prefixes alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.cli import main
from pumice.errors import InputError
from tests.train.conftest import make_pairs
from tests.train.test_training import QUICK

pytest.importorskip("torch")

from pumice.train.initial import starting_table


def test_the_first_columns_stay_bit_for_bit(start: pumice.StaticModel, pairs_file: Path) -> None:
    before, dim = start.dimensions, start.dimensions + 16
    options = replace(
        QUICK, dims=(dim, before), epochs=2, evaluations=1, hold_out=0, dtype="float32"
    )
    kept = pumice.train(pairs_file, start=start, options=replace(options, fixed_dims=before))
    began = starting_table(start.parts(), dim=dim, seed=options.seed)
    ended = kept.model.parts().embeddings
    np.testing.assert_array_equal(ended[:, :before], began[:, :before])
    assert np.abs(ended[:, before:] - began[:, before:]).max() > 0.01
    assert f"| fixed_dims | {before} |" in kept.card
    losses = np.array(kept.history["losses"])[:, 1:]  # at the shorter size, then at the larger
    assert losses[-10:, 1].mean() < losses[:10, 1].mean()
    free = pumice.train(pairs_file, start=start, options=options).model.parts().embeddings
    assert np.abs(free[:, :before] - began[:, :before]).max() > 0.01
    text = make_pairs(1)[0]["positive"]
    np.testing.assert_allclose(
        kept.model.encode(text, dim=before), start.encode(text), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("given", [0, 2.5, True, "many"])
def test_numbers_that_are_none(given: object) -> None:
    with pytest.raises(InputError, match="fixed_dims"):
        replace(QUICK, fixed_dims=given)


def test_what_does_not_go_together(start: pumice.StaticModel, pairs_file: Path) -> None:
    with pytest.raises(InputError, match="rotation_epochs would turn"):
        replace(QUICK, fixed_dims=8, rotation_epochs=1.0)
    for name in ("sif_coefficient", "repeats", "lead"):
        with pytest.raises(InputError, match=f"{name} would change"):
            replace(QUICK, fixed_dims=8, **{name: 0.5})
    size = start.dimensions
    for dims, fixed, message in (
        ((size + 8,), size + 1, "the start has"),
        ((size,), size, "nothing would be trained"),
    ):
        options = replace(QUICK, dims=dims, fixed_dims=fixed)
        with pytest.raises(InputError, match=message):
            pumice.train(pairs_file, start=start, options=options)


def test_the_command(
    complains: Callable[..., None], pairs_file: Path, start: pumice.StaticModel, tmp_path: Path
) -> None:
    corpus = tmp_path / "a.txt"
    corpus.write_text("a text\n")
    complains(
        ["--corpus", str(corpus), "--teacher", "t", "--fixed-dims", "64", "-o", "m.pumice"],
        code=2,
        message="--fixed-dims has no use without pairs: give --pairs",
    )
    start.save(tmp_path / "start.pumice")
    made, size = tmp_path / "m.pumice", start.dimensions
    arguments = ["train", "--pairs", str(pairs_file), "--init", str(tmp_path / "start.pumice")]
    arguments += ["--dims", f"{size + 8},{size}", "--fixed-dims", str(size), "--epochs", "1"]
    assert main([*arguments, "-o", str(made)]) == 0
    assert f"| fixed_dims | {size} |" in made.with_suffix(".md").read_text()
