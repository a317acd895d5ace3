"""Test collections by folder, by a folder of folders, or by name from the hub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pumice import hub
from pumice.errors import HubError, InputError
from pumice.evaluate.beir import is_beir, read_beir
from pumice.evaluate.retrieval_set import RetrievalSet

_OWNER = "mteb"
"""Whose hub repositories carry BEIR's sets by their names, in BEIR layout."""


def open_sets(
    places: Sequence[str], *, split: str | None = None, offline: bool = False
) -> Iterator[RetrievalSet]:
    """Each set in turn, read when it is asked for; one named `owner/name` or `name` comes from the hub."""
    for place in places:
        for name, folder in found_folders(place, offline=offline).items():
            yield read_beir(folder, name=name, split=split)


def found_folders(place: str, *, offline: bool = False) -> dict[str, Path]:
    """The folders that one argument means, by name. InputError or HubError where it means none."""
    folder = Path(place).expanduser()
    if folder.is_dir():
        if is_beir(folder):
            return {folder.resolve().name: folder}
        if inside := sorted(one for one in folder.iterdir() if is_beir(one)):
            return {one.name: one for one in inside}
        raise InputError(f"{folder}: has no corpus.jsonl, nor has a folder in it")
    if folder.exists():
        raise InputError(f"{folder}: is a file: name a folder in BEIR layout")
    name = place if "/" in place else f"{_OWNER}/{place}"
    if not hub.is_repository_id(name) or place.startswith("."):
        raise InputError(f"{place}: no such folder, and not the name of a dataset")
    try:
        return {place: hub.fetch(name, files=hub.RETRIEVAL_SET, offline=offline)}
    except HubError as error:
        raise HubError(
            f"{error}; {place} is no folder here: with a copy of the data, name its folder"
        ) from None
