"""The output folder: files that appear whole or not at all, a record beside each, one run at a time.

Beside the files lies ``_pumice``: ``settings.json``, what every run into the folder must agree on; and for each
file of output a record of the input that it was made from. A record is written when its file is complete on the
disk under a temporary name, and the file is renamed after it: of a run that was killed in between, the next one
does the renaming. Nothing holds a time or a random name, so that two runs give the same bytes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pumice.batch.cutting import Counts
from pumice.batch.inputs import Input, is_url
from pumice.batch.lock import Lock
from pumice.batch.stores import PRIVATE, Folder, Store, UrlStore, is_left_over, partial_name
from pumice.errors import InputError

_SETTINGS = f"{PRIVATE}/settings.json"
_RECORDS = f"{PRIVATE}/records"
LANCE = ".lance"


@dataclass(frozen=True)
class Record:
    """A finished file: which rows of which version of which input it holds. ``last``: the input ends there."""

    input: str
    size: int
    version: str
    part: int
    first_row: int
    counts: Counts
    file: str
    file_bytes: int
    last: bool
    location: str = ""
    """Where the input lay, of rows in an index: another file of that name would have the same ids."""

    def is_of(self, source: Input) -> bool:
        """Whether it was made from the input as it is now."""
        return (self.size, self.version) == (source.size, source.version)


class OutputFolder:
    """The files and records of all runs into one folder."""

    def __init__(self, location: str | os.PathLike[str], *, own: str = "") -> None:
        """``own`` is a name for unfinished files where other processes write to the folder too."""
        self._own = own
        self.location = os.fspath(location)
        if not self.location:
            raise InputError('the output folder is "": name one')
        self.store: Store = (
            UrlStore(self.location) if is_url(self.location) else Folder(self.location, own=own)
        )
        self._lock: Lock | None = None
        self._foreign: set[str] = set()

    def __enter__(self) -> OutputFolder:
        """Make the folder and lock it; raises InputError where another run has it."""
        if isinstance(self.store, Folder):
            self.store.make()
            self._lock = Lock(self.store.root / PRIVATE / "lock", folder=self.location)
        return self

    def __exit__(self, *_: object) -> None:
        """Let the next run in."""
        if self._lock is not None:
            self._lock.release()

    def was_used(self) -> bool:
        """Whether an earlier run has agreed on settings."""
        return self.store.read(_SETTINGS) is not None

    def agree(self, settings: dict[str, Any], *, rows_stay: bool = False) -> None:
        """Keep the settings of the first run; InputError where those of an earlier one differ.

        Files of a run that would have failed at the first bad row hold none: what is to become of bad rows
        may still be decided. ``rows_stay``: rows of a part that no record tells of are in an index all the
        same, where other settings would store them a second time under other ids.
        """
        if rows_stay:  # the index says how it keeps vectors
            settings = {name: value for name, value in settings.items() if name != "vectors"}
        data = (json.dumps(settings, indent=1, sort_keys=True) + "\n").encode()
        found = self.store.read(_SETTINGS)
        if found == data:
            return
        if found is not None and (rows_stay or self.records()):  # settings of nothing bind nobody
            try:
                before = json.loads(found)
            except (ValueError, RecursionError):
                before = None
            if not isinstance(before, dict):
                raise InputError(
                    f"{self.location}/{_SETTINGS} is damaged: name another output folder"
                )
            _check_same(before, settings, self.location)
        self.store.write(_SETTINGS, data)

    def records(self) -> dict[str, dict[int, Record]]:
        """By input and part, those whose file is there as it was written."""
        sizes = self.store.sizes()
        for path in [path for path in sizes if is_left_over(path)]:
            self.store.remove(path)
        self._foreign = {path for path in sizes if not path.startswith(f"{PRIVATE}/")}
        found: dict[str, dict[int, Record]] = {}
        for path in sorted(
            p for p in sizes if p.startswith(_RECORDS + "/") and p.endswith(".json")
        ):
            record = self._record(path)
            if record is None:
                continue
            self._foreign.discard(record.file)
            if (
                record.file not in sizes
                and sizes.get(partial_name(record.file)) == record.file_bytes
            ):
                partial = self.store.partial(record.file)
                self.store.finish(partial, record.file, record=path, data=_as_bytes(record))
            elif record.file_bytes >= 0 and sizes.get(record.file) != record.file_bytes:
                continue
            found.setdefault(record.input, {})[record.part] = record
        return found

    def record(self, source: Input, part: int, suffix: str) -> Record | None:
        """That of one part, where its file is there as it was written."""
        file = file_name(source, part, suffix)
        record = self._record(_record_path(file))
        if record is None or record.file_bytes < 0:
            return record
        return record if self.store.size(file) == record.file_bytes else None

    def check_free(self, file: str) -> None:
        """InputError where a file of that name lies in the folder and no record knows it."""
        # In a URL it may be an upload whose record was never written; of a Lance dataset, that of an input
        # that was forgotten and is as it was again: the name tells its version, and the bytes are the same.
        if file in self._foreign and isinstance(self.store, Folder) and not file.endswith(LANCE):
            raise InputError(
                f"{self.location}/{file}: is there already and not of an earlier run: move it, or name another "
                "output folder"
            )

    def _record(self, path: str) -> Record | None:
        """None where it is damaged: its part is made again."""
        try:
            fields = json.loads(self.store.read(path) or b"")
            return Record(**{**fields, "counts": Counts(**fields["counts"])})
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    def forget(self, source: Input) -> None:
        """Remove every file of an input, and then its records."""
        for record in self.records_of(source):
            if not record.file.endswith(LANCE):  # which an earlier version of the dataset needs
                self.store.remove(record.file)
            self.store.remove(_record_path(record.file))

    def records_of(self, source: Input) -> list[Record]:
        """All that there are of an input, of earlier versions of it too."""
        found = [self._record(path) for path in self._record_paths(source.name)]
        return [record for record in found if record is not None and record.input == source.name]

    def _record_paths(self, name: str) -> Iterator[str]:
        prefixes = (f"{_RECORDS}/{name}-", f"{_RECORDS}/{_lance_prefix(name)}")
        yield from (path for path in self.store.sizes() if path.startswith(prefixes))

    def partial(self, file: str) -> Path:
        """Where to write a file before it is finished."""
        return self.store.partial(file, self._own)

    def remember(self, record: Record) -> None:
        """Keep a record that has no file: its rows are stored elsewhere."""
        path = _record_path(record.file)
        self.store.partial(path)
        self.store.write(path, _as_bytes(record))

    def finish(self, record: Record) -> None:
        """The partial file is complete: give it its name, and remember it."""
        partial, path = self.partial(record.file), _record_path(record.file)
        self.store.finish(partial, record.file, record=path, data=_as_bytes(record))


def file_name(source: Input, part: int, suffix: str) -> str:
    """What a part of an input is called.

    A Lance dataset has one folder of files with plain names, and its earlier versions keep theirs: there the
    name tells the input's version too.
    """
    if suffix != LANCE:
        return f"{source.name}-{part:05}{suffix}"
    key = sha256(f"{source.name}\n{source.size}\n{source.version}".encode()).hexdigest()[:16]
    return f"{_lance_prefix(source.name)}{key}-{part:05}{suffix}"


def _lance_prefix(name: str) -> str:
    return f"data/{re.sub(r'[^A-Za-z0-9._]', '_', name)[-80:].lstrip('.')}-"


def _record_path(file: str) -> str:
    return f"{_RECORDS}/{file}.json"


def _as_bytes(record: Record) -> bytes:
    fields = asdict(record)
    if not record.location:  # the same bytes wherever the inputs of files lie
        del fields["location"]
    return (json.dumps(fields, sort_keys=True) + "\n").encode()


def _check_same(before: dict[str, Any], now: dict[str, Any], location: str) -> None:
    if before.get("version") != now["version"]:
        raise InputError(
            f"{location}: was written by another version of pumice: name another output folder"
        )
    for name in now:
        if before.get(name) == now[name] or (name == "on_error" and before.get(name) == "fail"):
            continue
        if name == "index" and name not in before:  # of a memory that is older than this setting
            continue
        if name == "index":
            raise InputError(
                f"{location}: remembers what the index {before[name]} holds, not {now[name]}: name another "
                "folder"
            )
        if name == "vectors" and before.get("on_error") != now["on_error"]:
            name = "on_error"  # null vectors make other lists
        raise InputError(
            f"{location}: holds vectors of another run, with {name} {_short(before.get(name))}, not "
            f"{_short(now[name])}: repeat that run's settings, or name another output folder"
        )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "…"
