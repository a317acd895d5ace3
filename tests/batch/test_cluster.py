"""What a worker of a cluster does with a row of work: no Ray needed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pumice
from pumice.batch import EncodeOptions
from pumice.batch.cluster import SharedModel, Task, planned_and_run
from pumice.batch.folder import OutputFolder
from pumice.batch.inputs import find_inputs
from pumice.batch.job import Job
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
            told = planned_and_run(task, {"source": asdict(one)})
            assert isinstance(told, dict)
            assert (told["rows"], told["ends_input"], told["error"]) == (rows, True, "")
        parts = planned_and_run(task, {"source": asdict(three)})
        assert isinstance(parts, list)
        told = [planned_and_run(task, part) for part in parts]
        assert [one["rows"] for one in told] == [100, 100, 100]
        assert [one["ends_input"] for one in told] == [False, False, True]
        assert shared.open() is shared.open()  # the words that it has met stay known
        (tmp_path / "three.parquet").write_bytes(b"PAR1")
        [gone] = find_inputs([str(tmp_path / "three.parquet")])
        told = planned_and_run(task, {"source": asdict(gone)})
        assert isinstance(told, dict)
        assert list(told["failed"]) == [str(tmp_path / "three.parquet")]
