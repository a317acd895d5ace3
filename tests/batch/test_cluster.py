"""What a worker of a cluster does with a row of work: no Ray needed."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pumice
from pumice.batch import EncodeOptions
from pumice.batch.cluster import SharedModel, Task, error_told, lots, planned_and_run, told_of
from pumice.batch.cutting import Counts
from pumice.batch.folder import OutputFolder
from pumice.batch.inputs import find_inputs
from pumice.batch.job import Job
from pumice.errors import IndexInUseError, InputError, MissingExtraError, PumiceError
from tests.batch.tables import as_parquet, table


def test_work_that_was_done_by_a_try_that_died(tmp_path: Path, model: pumice.StaticModel) -> None:
    model.save(tmp_path / "m.pumice")
    (tmp_path / "one.parquet").write_bytes(as_parquet(table(100)))
    (tmp_path / "three.parquet").write_bytes(as_parquet(table(300), row_group_size=100))
    one, three = find_inputs([str(tmp_path / "one.parquet"), str(tmp_path / "three.parquet")])
    options = EncodeOptions(text="body", rows_per_file=100, on_error="null")
    job = Job.of(model, options, [one])
    with OutputFolder(tmp_path / "out") as folder:
        folder.agree(job.settings())
        shared = SharedModel(str(tmp_path / "m.pumice"), model.fingerprint, None)
        task = Task(shared, options, folder.location, job.columns)
        for rows in (100, 0):  # the second try could be told nothing by the first one
            told = planned_and_run(task, {"sources": [asdict(one)]})
            assert isinstance(told, dict)
            assert (told["rows"], told["inputs"], told["error"]) == (rows, 1, "")
        parts = planned_and_run(task, {"sources": [asdict(three)]})
        assert isinstance(parts, list)
        told = [planned_and_run(task, part) for part in parts]
        assert [one["rows"] for one in told] == [100, 100, 100]
        assert [one["inputs"] for one in told] == [0, 0, 1]
        assert shared.open() is shared.open()  # the words that it has met stay known
        for name in ("four", "five"):
            (tmp_path / f"{name}.parquet").write_bytes(as_parquet(table(50)))
        several = find_inputs([str(tmp_path / f"{n}.parquet") for n in ("one", "four", "five")])
        told = planned_and_run(task, {"sources": list(map(asdict, several))})
        assert isinstance(told, dict)
        assert (told["rows"], told["inputs"]) == (100, 3)
        (tmp_path / "three.parquet").write_bytes(b"PAR1")
        [gone] = find_inputs([str(tmp_path / "three.parquet")])
        told = planned_and_run(task, {"sources": [asdict(gone)]})
        assert isinstance(told, dict)
        assert list(told["failed"]) == [str(tmp_path / "three.parquet")]


def test_small_inputs_are_made_together(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("stone")
    [one] = find_inputs([str(tmp_path / "a.txt")])
    small, large = replace(one, size=40 << 20), replace(one, size=10 << 30)
    sizes = [len(lot) for lot in lots([small] * 80, processors=2)]
    assert sum(sizes) == 80
    assert sizes[:3] == [6, 6, 6]
    assert sizes[-8:] == [1] * 8
    assert [len(lot) for lot in lots([small, large, small], processors=2)] == [1, 1, 1]
    assert list(lots([], processors=2)) == []
    unknown = replace(one, size=0)  # what some stores tell of a file, however large
    assert [len(lot) for lot in lots([unknown] * 3, processors=2)] == [1, 1, 1]
    between = lots([small, unknown, *[small] * 60], processors=2)
    assert [len(lot) for lot in between][:3] == [1, 1, 6]


def test_an_error_of_a_worker_is_raised_where_the_run_was_started() -> None:
    for error, kind in (
        (InputError("a"), InputError),
        (IndexInUseError("b"), IndexInUseError),
        (MissingExtraError("lance", "lance"), PumiceError),
    ):
        again = error_told(told_of(Counts(), error=error))
        assert (type(again), str(again)) == (kind, str(error))
