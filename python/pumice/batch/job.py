"""What a run is: the model and the settings, resolved against the first file, the same for every file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pumice.batch.arrow import arrow
from pumice.batch.cutting import Limits
from pumice.batch.inputs import Input, is_url
from pumice.batch.options import EncodeOptions
from pumice.batch.parts import SUFFIXES
from pumice.batch.readers import Columns, columns_in
from pumice.batch.readers.plain_text import COLUMN
from pumice.batch.rows import check_text_type
from pumice.batch.vectors import column_type, field_of
from pumice.errors import InputError

if TYPE_CHECKING:
    from pumice.model import StaticModel

_VERSION = 1


@dataclass(frozen=True)
class Job:
    """Everything that the files of one output folder share."""

    model: StaticModel
    options: EncodeOptions
    columns: Columns
    schema: Any
    width: int
    """Numbers of a vector; bytes of a binary code."""
    limits: Limits

    @classmethod
    def of(cls, model: StaticModel, options: EncodeOptions, sources: Iterable[Input]) -> Job:
        """Look at files until one can be read; its types are those that every file must have."""
        model.encode(
            "", dim=options.dim
        )  # refuses a dim that the model lacks before any file is read
        return cls.with_columns(model, options, columns_of(options, list(sources)))

    @classmethod
    def with_columns(cls, model: StaticModel, options: EncodeOptions, columns: Columns) -> Job:
        """Where the columns are known already."""
        probe = model.encode("", dim=options.dim, dtype=options.dtype)
        types = dict(zip(columns.keep, columns.types, strict=True))
        kind = column_type(options, width=len(probe))
        about = {
            "model": model.name,
            "fingerprint": model.fingerprint,
            "dim": options.dim or model.dimensions,
            "dtype": options.dtype,
        }
        fields = [arrow().field(name, type_) for name, type_ in types.items()]
        schema = arrow().schema([*fields, field_of(options, kind, about)])
        limits = Limits.of(options, vector_bytes=probe.nbytes)
        return cls(model, options, columns, schema, len(probe), limits)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers of a vector."""
        return np.dtype("uint8" if self.options.dtype == "binary" else self.options.dtype)

    def settings(self) -> dict[str, Any]:
        """What another run into the same folder must agree on."""
        options = self.options
        return {
            "version": _VERSION,
            "model": self.model.name,
            "fingerprint": self.model.fingerprint,
            "text": self.columns.text,
            "id": options.id,
            "dim": options.dim or self.model.dimensions,
            "dtype": options.dtype,
            "format": options.format,
            "layout": options.vector_layout,
            "column": options.column,
            "vectors": str(self.schema.field(options.column).type),
            "keep": {n: str(t) for n, t in zip(self.columns.keep, self.columns.types, strict=True)},
            "on_error": options.on_error,
            "rows_per_file": options.rows_per_file,
        }

    def check(self, source: Input) -> None:
        """InputError unless the file has the text column, and the kept ones with the job's types."""
        found = columns_in(source)
        _check_names(found, self.columns, source)
        for name, kind in zip(self.columns.keep, self.columns.types, strict=True):
            if found[name] != kind and not (source.format == "jsonl" and found[name] is not None):
                raise InputError(
                    f'{source.location}: column "{name}" is {found[name] or "of mixed types"} there and {kind} '
                    "in the files before: make them the same, leave the column out of keep, or run them into "
                    "two output folders"
                )


def columns_of(options: EncodeOptions, sources: list[Input]) -> Columns:
    """The columns of the first file that can be read; InputError where it lacks one that is wanted."""
    text = options.text
    for at, source in enumerate(sources):
        try:
            found = columns_in(source)
        except InputError:
            if options.on_error == "fail" or at == len(sources) - 1:
                raise
            continue
        if text is None:
            if source.format != "text":
                raise InputError(
                    f"{source.location}: say which column holds the texts (text, --text): it has "
                    f"{_listed(found)}"
                )
            text = COLUMN
        wanted = Columns(text, options.keep)
        _check_names(found, wanted, source)
        types = tuple(found[name] for name in options.keep)
        for name, kind in zip(options.keep, types, strict=True):
            if kind is None:
                raise InputError(
                    f'{source.location}: column "{name}" has values of several types: leave it out of keep, '
                    "or write it in one"
                )
        return Columns(text, options.keep, types)
    raise InputError("there is no file to read: name files, folders or URLs")


def _check_names(found: dict[str, Any], columns: Columns, source: Input) -> None:
    wanted = columns.keep if source.format == "text" else columns.names
    for name in wanted:
        if name not in found:
            raise InputError(f'{source.location}: has no column "{name}": it has {_listed(found)}')
    kind = found.get(columns.text)
    if kind is not None and source.format != "jsonl":
        check_text_type(kind, place=source.location, name=columns.text)


def _listed(found: dict[str, Any]) -> str:
    names = [f'"{name if len(name) <= 60 else name[:59] + "…"}"' for name in found]
    return ", ".join(names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "")


def check_apart(inputs: Iterable[str], output: str, options: EncodeOptions) -> None:
    """InputError where the next run would read what this one writes."""
    if is_url(output):
        return
    folder = Path(os.path.expanduser(output)).resolve()
    for location in inputs:
        if is_url(location):
            continue
        path = Path(os.path.expanduser(location)).resolve()
        inside = path.is_dir() and path in folder.parents
        if inside or folder in (path, *path.parents) or _finds_outputs(path, folder, options):
            raise InputError(
                f"{output}: lies in {location}, which is to be read: name an output folder outside of it"
            )


def _finds_outputs(pattern: Path, folder: Path, options: EncodeOptions) -> bool:
    """Whether the glob, going down through `folder`, would find a file that is called after one it finds."""
    if "**" not in pattern.parts:
        return False  # files of output lie as deep below their folder as inputs below the glob's
    root = Path(*pattern.parts[: pattern.parts.index("**")])
    name = pattern.parts[-1]
    called_after = name.replace("*", "x").replace("?", "x") + f"-00000{SUFFIXES[options.format]}"
    return root in folder.parents and (name == "**" or fnmatch(called_after, name))
