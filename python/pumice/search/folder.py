"""An index in a folder: found, checked, created, emptied."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pumice.errors import SearchIndexError
from pumice.search.edge import SHARD_FOLDER, EdgeHome, engine
from pumice.search.manifest import (
    MANIFEST_FILE,
    UNFINISHED_FILE,
    Manifest,
    mark_finished,
    mark_unfinished,
    read_manifest,
    write_manifest,
)
from pumice.search.owner import LOCK_FILE, Owner
from pumice.search.wanted import Opened, Wanted


def open_folder(folder: Path, wanted: Wanted) -> Opened:
    """Open the index in `folder`, or create it there where `wanted` allows that."""
    manifest = _find(folder, create=wanted.create)
    settled = wanted.settle(str(folder), manifest)
    engine()  # where the engine is missing, no folder is left behind
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SearchIndexError(f"index {folder} cannot be created: {error.strerror}") from None
    owner = Owner(folder)
    try:
        # Read again: another process may have created the index before the lock was ours.
        found = _find(folder, create=True)
        if found is not None:
            mark_finished(folder)
            if manifest is None:
                settled = wanted.settle(str(folder), found)
            if settled.manifest != found:  # the model file has moved
                write_manifest(folder, settled.manifest)
        else:
            mark_unfinished(folder)
        home = EdgeHome(
            folder,
            owner=owner,
            dim=settled.manifest.dim,
            storage=settled.manifest.storage,
            create=found is None,
        )
        if found is None:
            write_manifest(folder, settled.manifest)
            mark_finished(folder)
        return Opened(home, settled.model, settled.manifest)
    except BaseException:
        owner.release()
        raise


def empty_index(folder: Path) -> None:
    """Delete what the index in `folder` holds, its model's name included; refused while in use."""
    if read_manifest(folder) is None:
        return
    owner = Owner(folder)
    try:
        mark_unfinished(folder)
        (folder / MANIFEST_FILE).unlink()
        shutil.rmtree(folder / SHARD_FOLDER, ignore_errors=True)
    finally:
        owner.release()


def _find(folder: Path, *, create: bool) -> Manifest | None:
    if folder.exists() and not folder.is_dir():
        raise SearchIndexError(f"{folder} is a file: an index is a folder")
    manifest = read_manifest(folder)
    if manifest is not None:
        return manifest
    if not create:
        raise SearchIndexError(f"there is no index in {folder}: fill one first (pumice index PATH)")
    if folder.is_dir():
        return _check_free(folder)
    return None


def _check_free(folder: Path) -> Manifest | None:
    """Refuse a folder with anything in it that pumice cannot prove to be its own."""
    try:
        names = set(os.listdir(folder))
    except OSError as error:
        raise SearchIndexError(f"{folder} cannot be read: {error.strerror}") from None
    if MANIFEST_FILE in names:  # another process has just created it
        return read_manifest(folder)
    if SHARD_FOLDER in names and UNFINISHED_FILE not in names and LOCK_FILE in names:
        raise SearchIndexError(
            f"{folder} holds a shard but no {MANIFEST_FILE}: restore it or name a new folder"
        )
    ours = {LOCK_FILE, *([SHARD_FOLDER] if UNFINISHED_FILE in names else [])}
    foreign = [name for name in names if name not in ours and not name.startswith(MANIFEST_FILE)]
    if foreign:
        raise SearchIndexError(
            f"{folder} is not an index and not empty (it holds {min(foreign)!r}): name a new folder"
        )
    return None
