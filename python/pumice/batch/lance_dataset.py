"""A Lance dataset as output: a file a part, one new version when a run ends. The only user of lance.

Files lie in the dataset's ``data`` folder under names that tell input, version and part, and are complete
like those of Parquet output; the dataset's manifest names them only when the run is over. A commit is atomic,
and what it names is what the folder's records know: whenever a run is killed, the next one names what is
missing, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.batch.arrow import arrow
from pumice.batch.folder import OutputFolder
from pumice.batch.inputs import is_url
from pumice.batch.vectors import as_column
from pumice.errors import InputError, MissingExtraError, OutputError, PumiceError

_FILE_VERSION = "2.1"
_OURS = re.compile(r"-[0-9a-f]{16}-\d{5,}\.lance$")
_SCHEMES = ("s3://", "gs://", "az://")


class LancePart:
    """One data file, a batch a chunk."""

    def __init__(self, path: Path, schema: Any, *, vectors: str) -> None:
        self._schema = schema
        self._kind = schema.field(vectors).type
        with _told(path):
            self._file = lance_library("lance.file").LanceFileWriter(
                str(path), schema, version=_FILE_VERSION
            )

    def write(
        self, kept: Sequence[Any], vectors: NDArray[Any], bad: NDArray[np.bool_] | None
    ) -> None:
        """Rows; Lance copies them."""
        column = as_column(vectors, self._kind, bad)
        with _told("a Lance file"):
            self._file.write_batch(
                arrow().RecordBatch.from_arrays([*kept, column], schema=self._schema)
            )

    def close(self) -> None:
        """The footer."""
        with _told("a Lance file"):
            self._file.close()


def check(folder: OutputFolder) -> None:
    """InputError unless the folder holds no dataset, or one that earlier runs alone have written."""
    if is_url(folder.location) and not folder.location.startswith(_SCHEMES):
        raise InputError(
            f"{folder.location}: Lance reaches folders and {', '.join(_SCHEMES)} alone: name one, or write "
            "parquet"
        )
    dataset = _dataset(folder)
    if dataset is None:
        return
    if not folder.was_used():
        raise InputError(
            f"{folder.location}: is a Lance dataset of something else: name another output folder"
        )
    foreign = [path for path in _fragments(dataset) if not _OURS.search(path)]
    foreign += [one.data_files()[0].path for one in dataset.get_fragments() if one.num_deletions]
    if foreign:
        raise InputError(
            f"{folder.location}: was compacted, added to or deleted from after pumice had written it "
            f"({foreign[0]}): name another output folder"
        )


def publish(folder: OutputFolder, schema: Any) -> None:
    """One version in which the dataset is what the folder's records say; none where it is that already."""
    lance = lance_library()
    parts = sorted(
        (
            record
            for found in folder.records().values()
            for record in found.values()
            if record.counts.rows
        ),
        key=lambda record: (record.input, record.part),
    )
    with _told(folder.location):
        dataset = _dataset(folder)
        if dataset is None:
            dataset = lance.write_dataset(
                schema.empty_table(),
                _uri(folder),
                schema=schema,
                data_storage_version=_FILE_VERSION,
            )
        there = _fragments(dataset)
        names = [record.file.rpartition("/")[2] for record in parts]
        new = [
            lance.fragment.LanceFragment.create_from_file(name, dataset, 0)
            for name in names
            if name not in there
        ]
        gone = sorted(there[path] for path in there.keys() - set(names))
        operation = lance.LanceOperation.Append(new)
        if gone:  # of inputs that have changed
            operation = lance.LanceOperation.Update(
                removed_fragment_ids=gone, updated_fragments=[], new_fragments=new
            )
        if new or gone:
            lance.LanceDataset.commit(_uri(folder), operation, read_version=dataset.version)


def lance_library(module: str = "lance") -> Any:
    """A module of lance, which pylance installs."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError("lance", "lance") from error


def _uri(folder: OutputFolder) -> str:
    return folder.location if is_url(folder.location) else str(Path(folder.location).expanduser())


def _dataset(folder: OutputFolder) -> Any:
    """The newest version, or None where there is no dataset."""
    # Of a manifest whose writer was killed only "….manifest#1" is there.
    names = (path for path in folder.store.sizes() if path.startswith("_versions/"))
    if not any(name.endswith(".manifest") for name in names):
        return None
    with _told(folder.location):
        return lance_library().dataset(_uri(folder))


def _fragments(dataset: Any) -> dict[str, int]:
    """Ids by the name of the first data file; others hold columns that were added."""
    return {one.data_files()[0].path: one.fragment_id for one in dataset.get_fragments()}


@contextmanager
def _told(place: object) -> Iterator[None]:
    """What Lance raises, without where in its own sources that was, becomes an OutputError."""
    try:
        yield
    except PumiceError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(re.sub(r", /\S+\.rs:\d+:\d+", "", str(error)).split())[:300]
        raise OutputError(
            f"{place}: cannot be written to: {reason}: mend that, and start the same command again; it goes on "
            "where it was"
        ) from None
